//! How a text is cut into the pieces in which tokens are looked for.

use serde::Deserialize;
use tokenizers::pattern::Pattern;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::{
    Offsets, PreTokenizedString, PreTokenizer, PreTokenizerWrapper, Result, SplitDelimiterBehavior,
};

/// GPT-2's way or another one. To cut by GPT-2's, `tokenizers` compiles a regular expression with the tables of
/// Unicode, which in a browser takes longer than the model; for a text in ASCII it can be said in a few lines.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct Splits(PreTokenizerWrapper);

impl PreTokenizer for Splits {
    fn pre_tokenize(&self, text: &mut PreTokenizedString) -> Result<()> {
        match &self.0 {
            PreTokenizerWrapper::ByteLevel(bytes) if is_usual(bytes) && is_ascii(text) => {
                text.split(|_, part| part.split(Words, SplitDelimiterBehavior::Isolated))?;
                text.normalize(|part| {
                    let chars: Vec<_> = part.get().bytes().map(|b| (printed(b), 0)).collect();
                    part.transform(chars, 0);
                    Ok(())
                })
            }
            other => other.pre_tokenize(text),
        }
    }
}

fn is_usual(bytes: &ByteLevel) -> bool {
    bytes.use_regex && !bytes.add_prefix_space
}

fn is_ascii(text: &PreTokenizedString) -> bool {
    let parts =
        text.get_splits(tokenizers::OffsetReferential::Normalized, tokenizers::OffsetType::None);
    parts.into_iter().all(|(part, ..)| part.is_ascii())
}

/// The character that GPT-2 writes for a byte of ASCII: itself where it is printable, else the next free one.
fn printed(byte: u8) -> char {
    match byte {
        0..=b' ' => char::from_u32(0x100 + u32::from(byte)).unwrap_or_default(),
        0x7F.. => '\u{121}',
        printable => printable.into(),
    }
}

/// `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`, of ASCII.
struct Words;

impl Pattern for Words {
    fn find_matches(&self, text: &str) -> Result<Vec<(Offsets, bool)>> {
        let mut found = Vec::new();
        let mut at = 0;
        while at < text.len() {
            let end = at + word(&text.as_bytes()[at..]);
            found.push(((at, end), true));
            at = end;
        }
        Ok(found)
    }
}

#[derive(PartialEq, Eq)]
enum Class {
    Space,
    Letter,
    Digit,
    Other,
}

fn class(byte: u8) -> Class {
    match byte {
        b'\t'..=b'\r' | b' ' => Class::Space,
        b'a'..=b'z' | b'A'..=b'Z' => Class::Letter,
        b'0'..=b'9' => Class::Digit,
        _ => Class::Other,
    }
}

/// The length of the word that a text, which is not empty, begins with.
fn word(text: &[u8]) -> usize {
    let contractions = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"];
    if let Some(short) = contractions.iter().find(|short| text.starts_with(short.as_bytes())) {
        return short.len();
    }
    let run = |from: usize, of: &Class| {
        text[from..].iter().take_while(|&&byte| class(byte) == *of).count()
    };
    let first = usize::from(text.starts_with(b" "));
    match text.get(first).map(|&byte| class(byte)) {
        Some(of) if of != Class::Space => first + run(first, &of),
        _ => {
            let spaces = run(0, &Class::Space);
            // The last space before a word belongs to it.
            if spaces < text.len() && spaces > 1 { spaces - 1 } else { spaces }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(by: &impl PreTokenizer, text: &str) -> Vec<(String, Offsets)> {
        let mut parts = PreTokenizedString::from(text);
        by.pre_tokenize(&mut parts).unwrap();
        let parts =
            parts.get_splits(tokenizers::OffsetReferential::Original, tokenizers::OffsetType::Byte);
        parts.into_iter().map(|(part, offsets, _)| (part.to_owned(), offsets)).collect()
    }

    fn agrees(text: &str) {
        let bytes = ByteLevel::default().add_prefix_space(false);
        let splits = Splits(PreTokenizerWrapper::ByteLevel(bytes));
        assert_eq!(cut(&splits, text), cut(&bytes, text), "{text:?}");
    }

    #[test]
    fn ascii_is_cut_as_the_regular_expression_cuts_it() {
        let all: String = (0..128_u8).map(char::from).collect();
        for text in ["", " ", "  ", "a  b", "it's  'll'x 'S\t\n c\r\n", "a1 2b_ é's", all.as_str()]
        {
            agrees(text);
        }
    }

    proptest! {
        #[test]
        fn any_ascii_is_cut_as_the_regular_expression_cuts_it(
            text in "([a-c]|[ \t\n]|'(s|t|re|ve|m|ll|d|x)?|[0-9.,<>]|[\\x00-\\x7f]){0,20}"
        ) {
            agrees(&text);
        }
    }
}
