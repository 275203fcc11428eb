//! GPT-2's `tokenizer.json`, made of the ranks that `tiktoken-rs` carries.
//!
//! Ranks are all that a byte-level BPE is: the vocabulary is the tokens in the order of their ranks, and
//! a token is merged from the two tokens that are left when the merges of all lower ranks have been
//! done. What comes out is the published file to the byte, which a test checks by its hash.

#![allow(clippy::unwrap_used, reason = "only tests use it, and the ranks are constants")]

use std::collections::HashMap;

use tiktoken_rs::r50k_base_singleton;

/// Before and between texts.
pub const END_OF_TEXT: &str = "<|endoftext|>";

/// Tokens in all, the end of a text among them.
pub const N_VOCAB: usize = 50257;

/// The file, to the byte.
///
/// # Panics
/// If the ranks are not those of a byte-level BPE.
pub fn tokenizer_json() -> String {
    first_tokens_json(50256)
}

/// The file that GPT-2 would have if it had stopped at so many tokens, of which 256 are the bytes.
///
/// # Panics
/// If the ranks are not those of a byte-level BPE.
pub fn first_tokens_json(tokens: u32) -> String {
    let tokens: Vec<Vec<u8>> =
        (0..tokens).map(|rank| r50k_base_singleton().decode_bytes(&[rank]).unwrap()).collect();
    let ranks: HashMap<&[u8], usize> =
        tokens.iter().enumerate().map(|(rank, token)| (token.as_slice(), rank)).collect();
    assert_eq!(ranks.len(), tokens.len());
    let vocab: Vec<String> = tokens
        .iter()
        .map(|token| written(token))
        .chain([END_OF_TEXT.to_owned()])
        .enumerate()
        .map(|(id, token)| format!("{}:{id}", serde_json::to_string(&token).unwrap()))
        .collect();
    let merges: Vec<String> = tokens
        .iter()
        .enumerate()
        .filter(|(_, token)| token.len() > 1)
        .map(|(rank, token)| {
            let (left, right) = parts(token, rank, &ranks);
            serde_json::to_string(&format!("{} {}", written(left), written(right))).unwrap()
        })
        .collect();
    format!(
        concat!(
            r#"{{"version":"1.0","truncation":null,"padding":null,"added_tokens":[{{"id":{},"#,
            r#""special":true,"content":"{}","single_word":false,"lstrip":false,"rstrip":false,"#,
            r#""normalized":true}}],"normalizer":null,"pre_tokenizer":{{"type":"ByteLevel","#,
            r#""add_prefix_space":false,"trim_offsets":true}},"post_processor":{{"type":"ByteLevel","#,
            r#""add_prefix_space":true,"trim_offsets":false}},"decoder":{{"type":"ByteLevel","#,
            r#""add_prefix_space":true,"trim_offsets":true}},"model":{{"dropout":null,"#,
            r#""unk_token":null,"continuing_subword_prefix":"","end_of_word_suffix":"","#,
            r#""fuse_unk":false,"vocab":{{{}}},"merges":[{}]}}}}"#
        ),
        tokens.len(),
        END_OF_TEXT,
        vocab.join(","),
        merges.join(",")
    )
}

/// The two tokens of lower rank that a token is merged from.
fn parts<'a>(token: &'a [u8], rank: usize, ranks: &HashMap<&[u8], usize>) -> (&'a [u8], &'a [u8]) {
    let mut pieces: Vec<&[u8]> = token.chunks(1).collect();
    let mut starts: Vec<usize> = (0..token.len()).collect();
    while pieces.len() > 2 {
        let merged = |at: usize| &token[starts[at]..starts[at + 1] + pieces[at + 1].len()];
        let lowest = (0..pieces.len() - 1)
            .filter_map(|at| Some((*ranks.get(merged(at))?, at)))
            .filter(|&(found, _)| found < rank)
            .min();
        let (_, at) = lowest.unwrap();
        pieces[at] = merged(at);
        pieces.remove(at + 1);
        starts.remove(at + 1);
    }
    (pieces[0], pieces[1])
}

/// How GPT-2 writes bytes as characters.
fn written(bytes: &[u8]) -> String {
    let printable = |byte: u8| matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF);
    let of_byte = |&byte: &u8| {
        if printable(byte) {
            return char::from(byte);
        }
        let before = (0..byte).filter(|&other| !printable(other)).count();
        char::from_u32(0x100 + u32::try_from(before).unwrap()).unwrap()
    };
    bytes.iter().map(of_byte).collect()
}
