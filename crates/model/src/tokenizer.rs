//! Byte-level BPE, by the model's own `tokenizer.json`.

use std::collections::HashSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokenizers::models::bpe::{BPE, Merges, Vocab};
use tokenizers::{
    AddedToken, DecoderWrapper, NormalizerWrapper, PostProcessorWrapper, TokenizerImpl,
};

use crate::splits::Splits;

/// A token of a vocabulary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// Its row in the token embedding.
    pub id: u32,
    /// The text it stands for; bytes that are no whole character are written `<0xE2>`.
    pub text: String,
}

type Inner = TokenizerImpl<BPE, NormalizerWrapper, Splits, PostProcessorWrapper, DecoderWrapper>;

/// A model's tokenizer.
#[derive(Clone)]
pub struct Tokenizer {
    inner: Inner,
    /// Tokens that stand for their own text, such as `<|endoftext|>`.
    added: HashSet<u32>,
    bos: Option<Token>,
}

/// Why a `tokenizer.json` cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenizerError {
    /// It cannot be parsed.
    #[error(
        "tokenizer.json cannot be read: {0}. Use the tokenizer.json that belongs to the checkpoint."
    )]
    Json(String),
    /// It splits text into characters or pieces of them, and not into bytes.
    #[error(
        "tokenizer.json is not a byte-level one, which GPT-2's is: only a model whose tokens are bytes can be shown exactly."
    )]
    NotByteLevel,
    /// It has ids that the model has no embedding for.
    #[error(
        "tokenizer.json has {found} tokens, but the model only {expected}: it belongs to another model."
    )]
    Vocabulary {
        /// Rows of the token embedding.
        expected: usize,
        /// Entries of the vocabulary.
        found: usize,
    },
}

/// The parts of a `tokenizer.json` that say which tokens a text has. The others (a decoder, a
/// post-processor, truncation, padding) are left alone: they say nothing about that, and `tokenizers` panics on
/// some that are damaged.
#[derive(Deserialize)]
struct File<'a> {
    #[serde(borrow)]
    model: &'a RawValue,
    #[serde(borrow)]
    added_tokens: Option<&'a RawValue>,
    #[serde(borrow)]
    normalizer: Option<&'a RawValue>,
    #[serde(borrow)]
    pre_tokenizer: Option<&'a RawValue>,
}

/// What splits or changes a text before pieces are looked for.
#[derive(Deserialize)]
struct Part {
    r#type: Option<String>,
    /// Of a sequence.
    #[serde(default)]
    pretokenizers: Vec<Part>,
}

impl Part {
    fn is_byte_level(&self) -> bool {
        let own = self.r#type.as_deref() == Some("ByteLevel");
        own || self.pretokenizers.iter().any(Self::is_byte_level)
    }
}

/// The model of a byte-level BPE. `tokenizers` panics on merges that make no token, so that they are
/// checked before it sees them.
#[derive(Deserialize)]
struct Bpe<'a> {
    dropout: Option<f64>,
    unk_token: Option<String>,
    #[serde(default)]
    fuse_unk: Option<bool>,
    continuing_subword_prefix: Option<String>,
    end_of_word_suffix: Option<String>,
    #[serde(default)]
    byte_fallback: Option<bool>,
    #[serde(default)]
    ignore_merges: Option<bool>,
    vocab: Vocab,
    #[serde(borrow)]
    merges: &'a RawValue,
}

impl Bpe<'_> {
    /// Two tokens each that become one, in one of the two ways of writing that. Each way is tried by itself: to
    /// leave that to serde takes much longer, and somebody waits for it.
    fn merges(&self) -> Result<Merges, TokenizerError> {
        if let Ok(pairs) = serde_json::from_str(self.merges.get()) {
            return Ok(pairs);
        }
        let lines: Vec<String> = serde_json::from_str(self.merges.get()).map_err(unreadable)?;
        let lines = lines.iter().filter(|line| !line.starts_with("#version"));
        let pair = |line: &String| -> (String, String) {
            let (left, right) = line.split_once(' ').unwrap_or((line, ""));
            (left.to_owned(), right.to_owned())
        };
        Ok(lines.map(pair).collect())
    }

    /// What is wrong with it, if anything is.
    fn problem(&self, merges: &Merges) -> Option<String> {
        let is_set = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
        if is_set(&self.continuing_subword_prefix)
            || is_set(&self.end_of_word_suffix)
            || self.byte_fallback == Some(true)
            || self.dropout.is_some_and(|dropout| dropout != 0.0)
        {
            let only = "prefixes, suffixes, byte fallback and dropout are not supported";
            return Some(only.to_owned());
        }
        let mut merged = String::new();
        for (left, right) in merges {
            merged.clear();
            merged.extend([left.as_str(), right]);
            if ![left, right, &merged].into_iter().all(|token| self.vocab.contains_key(token)) {
                return Some(format!("the merge of {left:?} and {right:?} makes no token"));
            }
        }
        None
    }

    fn build(self, merges: Merges) -> Result<BPE, TokenizerError> {
        let mut builder = BPE::builder()
            .vocab_and_merges(self.vocab, merges)
            .fuse_unk(self.fuse_unk.unwrap_or_default())
            .ignore_merges(self.ignore_merges.unwrap_or_default());
        if let Some(unknown) = self.unk_token {
            builder = builder.unk_token(unknown);
        }
        builder.build().map_err(unreadable)
    }
}

/// What a part of the file says; `None` if it is not there or null.
fn part<'a, T: Deserialize<'a>>(part: Option<&'a RawValue>) -> Result<Option<T>, TokenizerError> {
    part.map_or(Ok(None), |part| serde_json::from_str(part.get()).map_err(unreadable))
}

impl File<'_> {
    /// Checks that tokens are pieces of bytes, as GPT-2's are.
    fn check(&self) -> Result<(), TokenizerError> {
        // Older files do not say what the model is.
        let model = part::<Part>(Some(self.model))?.and_then(|model| model.r#type);
        let is_bpe = model.is_none_or(|name| name == "BPE");
        let is_split =
            part::<Part>(self.pre_tokenizer)?.is_some_and(|splits| splits.is_byte_level());
        // These leave a text what it is, for a reader.
        let is_kept = part::<Part>(self.normalizer)?.is_none_or(|normalizer| {
            matches!(normalizer.r#type.as_deref(), Some("NFC" | "NFD" | "NFKC" | "NFKD"))
        });
        if is_bpe && is_split && is_kept { Ok(()) } else { Err(TokenizerError::NotByteLevel) }
    }

    /// What splits texts, and the highest id.
    fn build(&self) -> Result<(Inner, u32), TokenizerError> {
        self.check()?;
        let model: Bpe<'_> = serde_json::from_str(self.model.get()).map_err(unreadable)?;
        let merges = model.merges()?;
        if let Some(problem) = model.problem(&merges) {
            return Err(TokenizerError::Json(problem));
        }
        let highest = model.vocab.values().copied().max().unwrap_or_default();
        let mut inner = Inner::new(model.build(merges)?);
        inner.with_normalizer(part::<NormalizerWrapper>(self.normalizer)?).map_err(unreadable)?;
        inner.with_pre_tokenizer(part::<Splits>(self.pre_tokenizer)?);
        let added: Vec<AddedToken> = part(self.added_tokens)?.unwrap_or_default();
        inner.add_tokens(added).map_err(unreadable)?;
        let highest = inner.get_added_tokens_decoder().into_keys().fold(highest, u32::max);
        Ok((inner, highest))
    }
}

/// The token that GPT-2 was trained to see between documents, used as beginning-of-sequence.
const BOS: &str = "<|endoftext|>";

impl Tokenizer {
    /// Reads `tokenizer.json` for a model with `n_vocab` embedded tokens.
    ///
    /// # Errors
    /// If it cannot be parsed or has more tokens than the model.
    pub fn from_json(json: &[u8], n_vocab: usize) -> Result<Self, TokenizerError> {
        let file: File<'_> = serde_json::from_slice(json).map_err(unreadable)?;
        let (inner, highest) = file.build()?;
        let found = inner.get_vocab_size(true);
        if found > n_vocab || highest as usize >= n_vocab {
            return Err(TokenizerError::Vocabulary { expected: n_vocab, found });
        }
        let bos = inner.token_to_id(BOS).map(|id| Token { id, text: BOS.to_owned() });
        let added = inner.get_added_tokens_decoder().into_keys().collect();
        Ok(Self { inner, added, bos })
    }

    /// The beginning-of-sequence token, if the vocabulary has one.
    pub fn bos(&self) -> Option<&Token> {
        self.bos.as_ref()
    }

    /// Splits a text; nothing is prepended.
    ///
    /// # Errors
    /// If the tokenizer has no piece for some part of the text, which a byte-level one always has.
    pub fn encode(&self, text: &str) -> Result<Vec<Token>, TokenizerError> {
        let encoding = self.inner.encode_fast(text, false).map_err(unreadable)?;
        Ok(encoding.get_ids().iter().map(|&id| self.token(id)).collect())
    }

    /// The token of an id; an id outside the vocabulary gets a text that says so.
    pub fn token(&self, id: u32) -> Token {
        let text = self.bytes(id).map_or_else(|| format!("<{id}>"), |bytes| readable(&bytes));
        Token { id, text }
    }

    /// The bytes that a token stands for. Those of all tokens of a text, one after the other, are the
    /// text's, though those of one token need not be whole characters.
    pub fn bytes(&self, id: u32) -> Option<Vec<u8>> {
        let piece = self.inner.id_to_token(id)?;
        let is_plain = self.added.contains(&id);
        Some(if is_plain { piece.into_bytes() } else { piece_bytes(&piece) })
    }
}

fn unreadable(error: impl fmt::Display) -> TokenizerError {
    TokenizerError::Json(error.to_string())
}

impl fmt::Debug for Tokenizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tokenizer({} tokens)", self.inner.get_vocab_size(true))
    }
}

/// The bytes that a byte-level piece stands for. GPT-2 writes each byte as a printable character:
/// itself where it is one, else the next free one from U+0100 on.
fn piece_bytes(piece: &str) -> Vec<u8> {
    let printable = |byte: u8| matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF);
    let mut bytes = Vec::with_capacity(piece.len());
    for c in piece.chars() {
        let code = c as u32;
        let byte = match u8::try_from(code) {
            Ok(byte) if printable(byte) => Some(byte),
            _ => (0..=255).filter(|&b| !printable(b)).nth(code.wrapping_sub(0x100) as usize),
        };
        match byte {
            Some(byte) => bytes.push(byte),
            // No byte is written like this; it is shown as it is.
            None => bytes.extend(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bytes
}

fn readable(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            text.push_str(&format!("<0x{byte:02X}>"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_become_text() {
        assert_eq!(readable(&piece_bytes("ĠMary")), " Mary");
        assert_eq!(readable(&piece_bytes("Ċ")), "\n");
        assert_eq!(readable(&piece_bytes("Ã©")), "é");
        assert_eq!(readable(&piece_bytes("âĢ")), "<0xE2><0x80>");
    }

    #[test]
    fn every_byte_has_one_character() {
        let mut seen = HashSet::new();
        for code in (0x21..=0x7E).chain(0xA1..=0xAC).chain(0xAE..=0xFF).chain(0x100..=0x143) {
            let piece = char::from_u32(code).unwrap_or_default().to_string();
            let bytes = piece_bytes(&piece);
            assert_eq!(bytes.len(), 1, "{piece}");
            assert!(seen.insert(bytes[0]), "{piece}");
        }
        assert_eq!(seen.len(), 256);
    }
}
