//! Byte-level BPE, by the model's own `tokenizer.json`.

use std::collections::{HashMap, HashSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A token of a vocabulary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// Its row in the token embedding.
    pub id: u32,
    /// The text it stands for; bytes that are no whole character are written `<0xE2>`.
    pub text: String,
}

/// A model's tokenizer.
#[derive(Clone)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
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
struct Bpe {
    dropout: Option<f64>,
    continuing_subword_prefix: Option<String>,
    end_of_word_suffix: Option<String>,
    #[serde(default)]
    byte_fallback: bool,
    vocab: HashMap<String, u32>,
    merges: Vec<Merge>,
}

/// Two tokens that become one, in one of the two ways of writing that.
#[derive(Deserialize)]
#[serde(untagged)]
enum Merge {
    Text(String),
    Pair(String, String),
}

impl Bpe {
    /// What is wrong with it, if anything is.
    fn problem(&self) -> Option<String> {
        let is_set = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
        if is_set(&self.continuing_subword_prefix)
            || is_set(&self.end_of_word_suffix)
            || self.byte_fallback
            || self.dropout.is_some_and(|dropout| dropout != 0.0)
        {
            let only = "prefixes, suffixes, byte fallback and dropout are not supported";
            return Some(only.to_owned());
        }
        let mut merged = String::new();
        for merge in &self.merges {
            let (left, right) = match merge {
                Merge::Pair(left, right) => (left.as_str(), right.as_str()),
                Merge::Text(text) if text.starts_with("#version") => continue,
                Merge::Text(text) => text.split_once(' ').unwrap_or((text, "")),
            };
            merged.clear();
            merged.extend([left, right]);
            if ![left, right, &merged].into_iter().all(|token| self.vocab.contains_key(token)) {
                return Some(format!("the merge of {left:?} and {right:?} makes no token"));
            }
        }
        None
    }
}

impl File<'_> {
    /// Checks that tokens are pieces of bytes, as GPT-2's are.
    fn check(&self) -> Result<(), TokenizerError> {
        let part = |part: Option<&RawValue>| match part {
            Some(part) => serde_json::from_str::<Option<Part>>(part.get()).map_err(unreadable),
            None => Ok(None),
        };
        // Older files do not say what the model is.
        let model = part(Some(self.model))?.and_then(|model| model.r#type);
        let is_bpe = model.is_none_or(|name| name == "BPE");
        let is_split = part(self.pre_tokenizer)?.is_some_and(|splits| splits.is_byte_level());
        // These leave a text what it is, for a reader.
        let is_kept = part(self.normalizer)?.is_none_or(|normalizer| {
            matches!(normalizer.r#type.as_deref(), Some("NFC" | "NFD" | "NFKC" | "NFKD"))
        });
        if !(is_bpe && is_split && is_kept) {
            return Err(TokenizerError::NotByteLevel);
        }
        let model: Bpe = serde_json::from_str(self.model.get()).map_err(unreadable)?;
        model.problem().map_or(Ok(()), |problem| Err(TokenizerError::Json(problem)))
    }

    fn needed(&self) -> String {
        let or_null = |part: Option<&RawValue>| part.map_or("null", RawValue::get).to_owned();
        format!(
            r#"{{"version":"1.0","added_tokens":{},"normalizer":{},"pre_tokenizer":{},"post_processor":null,"decoder":null,"model":{}}}"#,
            self.added_tokens.map_or("[]", RawValue::get),
            or_null(self.normalizer),
            or_null(self.pre_tokenizer),
            self.model.get()
        )
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
        file.check()?;
        let inner = tokenizers::Tokenizer::from_bytes(file.needed()).map_err(unreadable)?;
        let found = inner.get_vocab_size(true);
        if found > n_vocab || inner.get_vocab(true).values().any(|&id| id as usize >= n_vocab) {
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
