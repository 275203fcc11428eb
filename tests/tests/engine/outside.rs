//! Whatever comes from outside is read or refused, and nothing else: no panic, no endless work, no memory
//! that a file only claims to need. Inputs are good ones that were damaged at random.
//!
//! `cargo xtask fuzz` looks for longer; `PROPTEST_CASES` says how many cases a test tries.

use std::collections::HashMap;
use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::Index;
use relp_hub::{Mirrors, ModelId, Record, Repo, Revision};
use relp_model::{Checkpoint, Choice, Config, Figure, Method, PairText, Request, Rules, Tokenizer};
use relp_tests::gpt2_tokenizer::first_tokens_json;
use safetensors::SafeTensors;
use safetensors::tensor::TensorView;

use crate::primer::{engine, headline, run};

/// One thing that is done to a good input.
#[derive(Clone, Debug)]
enum Damage {
    /// A byte becomes another.
    Byte(Index, u8),
    /// Everything from here on is gone.
    Cut(Index),
    /// A few bytes are gone.
    Remove(Index, usize),
    /// A piece of the input is there a second time, somewhere else.
    Repeat(Index, Index, usize),
    /// A number or a word becomes one of [`WORDS`].
    Word(Index, Index),
    /// One of [`WORDS`] comes in between.
    Insert(Index, Index),
    /// The first 8 bytes, which of a checkpoint are a length, become a number.
    Length(u64),
}

const WORDS: [&str; 36] = [
    "null",
    "true",
    "false",
    "0",
    "-1",
    "1",
    "2",
    "0.5",
    "-0.0",
    "1e-400",
    "1e400",
    "255",
    "256",
    "65536",
    "2147483647",
    "2147483648",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "1000000",
    "\"\"",
    "\"a\"",
    "[]",
    "{}",
    "[[",
    "{\"a\":",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "\u{feff}",
    "F16",
    "BPE",
    "ByteLevel",
    "ln",
];

impl Damage {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let at = |index: &Index, len: usize| index.index(len + 1);
        let len = bytes.len();
        match self {
            Damage::Byte(place, byte) => {
                if let Some(found) = bytes.get_mut(at(place, len)) {
                    *found = *byte;
                }
            }
            Damage::Cut(place) => bytes.truncate(at(place, len)),
            Damage::Remove(place, count) => {
                let start = at(place, len);
                bytes.drain(start..len.min(start + count));
            }
            Damage::Repeat(from, to, count) => {
                let start = at(from, len);
                let piece = bytes[start..len.min(start + count)].to_vec();
                let to = at(to, len);
                bytes.splice(to..to, piece);
            }
            Damage::Word(place, word) => {
                let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-._".contains(byte);
                let near = at(place, len);
                let start = bytes[near..].iter().position(is_word).map_or(len, |skip| near + skip);
                let end = bytes[start..].iter().position(|byte| !is_word(byte));
                let end = end.map_or(len, |count| start + count);
                bytes.splice(start..end, word.get(&WORDS).bytes());
            }
            Damage::Insert(place, word) => {
                let place = at(place, len);
                bytes.splice(place..place, word.get(&WORDS).bytes());
            }
            Damage::Length(number) => {
                if let Some(first) = bytes.first_chunk_mut::<8>() {
                    *first = number.to_le_bytes();
                }
            }
        }
    }
}

fn damage() -> impl Strategy<Value = Vec<Damage>> {
    let index = any::<Index>;
    let number = prop_oneof![
        0..100_000_u64,
        (0..64_u32).prop_map(|bit| 1 << bit),
        (0..64_u32).prop_map(|bit| (1 << bit) - 1),
        Just(u64::MAX),
    ];
    let one = prop_oneof![
        2 => (index(), any::<u8>()).prop_map(|(at, byte)| Damage::Byte(at, byte)),
        1 => index().prop_map(Damage::Cut),
        2 => (index(), 1..40_usize).prop_map(|(at, count)| Damage::Remove(at, count)),
        2 => (index(), index(), 1..400_usize).prop_map(|(a, b, n)| Damage::Repeat(a, b, n)),
        6 => (index(), index()).prop_map(|(at, word)| Damage::Word(at, word)),
        2 => (index(), index()).prop_map(|(at, word)| Damage::Insert(at, word)),
        1 => number.prop_map(Damage::Length),
    ];
    prop::collection::vec(one, 1..6)
}

fn damaged(good: &[u8], damage: &[Damage]) -> Vec<u8> {
    let mut bytes = good.to_vec();
    for one in damage {
        one.apply(&mut bytes);
    }
    bytes
}

const CONFIG: &str = r#"{"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"],
"activation_function": "gelu_new", "n_layer": 1, "n_head": 2, "n_embd": 4, "n_inner": null,
"vocab_size": 300, "n_positions": 8, "layer_norm_epsilon": 1e-05, "tie_word_embeddings": true,
"scale_attn_weights": true, "scale_attn_by_inverse_layer_idx": false, "add_cross_attention": false}"#;

static TINY: LazyLock<Config> = LazyLock::new(|| Config::from_json(CONFIG.as_bytes()).unwrap());

/// A checkpoint of [`CONFIG`], all zeros, with a buffer and metadata as published files have them.
static CHECKPOINT: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let shapes: [(&str, &[usize]); 17] = [
        ("wte.weight", &[300, 4]),
        ("wpe.weight", &[8, 4]),
        ("h.0.ln_1.weight", &[4]),
        ("h.0.ln_1.bias", &[4]),
        ("h.0.attn.bias", &[1, 1, 8, 8]),
        ("h.0.attn.c_attn.weight", &[4, 12]),
        ("h.0.attn.c_attn.bias", &[12]),
        ("h.0.attn.c_proj.weight", &[4, 4]),
        ("h.0.attn.c_proj.bias", &[4]),
        ("h.0.ln_2.weight", &[4]),
        ("h.0.ln_2.bias", &[4]),
        ("h.0.mlp.c_fc.weight", &[4, 16]),
        ("h.0.mlp.c_fc.bias", &[16]),
        ("h.0.mlp.c_proj.weight", &[16, 4]),
        ("h.0.mlp.c_proj.bias", &[4]),
        ("ln_f.weight", &[4]),
        ("ln_f.bias", &[4]),
    ];
    let zeros = vec![0; 300 * 4 * 4];
    let tensors = shapes.map(|(name, shape)| {
        let data = &zeros[..4 * shape.iter().product::<usize>()];
        (name, TensorView::new(safetensors::Dtype::F32, shape.to_vec(), data).unwrap())
    });
    let about = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    safetensors::serialize(tensors, Some(about)).unwrap()
});

/// What is read of a checkpoint is what was asked for, and lies in the file.
fn read_checkpoint(file: &[u8]) {
    let found = Checkpoint::from_file(file, &TINY);
    if SafeTensors::read_metadata(file).is_err() {
        assert!(found.is_err(), "safetensors refuses it");
    }
    let Ok(checkpoint) = found else { return };
    assert_eq!(checkpoint.tensors.len(), 16);
    let mut end = 8;
    for tensor in &checkpoint.tensors {
        assert!(tensor.bytes.start >= end && tensor.bytes.end <= file.len() as u64, "{tensor:?}");
        end = tensor.bytes.end;
        let values =
            tensor.dtype.to_f32(&file[tensor.bytes.start as usize..tensor.bytes.end as usize]);
        assert_eq!(values.len(), tensor.shape.iter().product::<usize>());
    }
}

#[test]
fn a_good_checkpoint_is_read() {
    assert!(Checkpoint::from_file(&CHECKPOINT, &TINY).is_ok());
}

/// A good figure.
static FIGURE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let request = Request { method: Method::Ap, ..headline() };
    serde_json::to_vec(&run(&mut engine(Choice::Cpu), &request)).unwrap()
});

static TOKENIZER: LazyLock<String> = LazyLock::new(|| first_tokens_json(299));

proptest! {
    #[test]
    fn damaged_checkpoints_are_read_or_refused(damage in damage()) {
        read_checkpoint(&damaged(&CHECKPOINT, &damage));
        // Of a header alone, most of the damage is not in zeros.
        let header = CHECKPOINT.len() - 4 * (300 * 4 + 8 * 4);
        let mut file = damaged(&CHECKPOINT[..header.min(2000)], &damage);
        file.extend(&CHECKPOINT[header.min(2000)..]);
        read_checkpoint(&file);
    }

    #[test]
    fn any_bytes_are_no_checkpoint(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(Checkpoint::from_file(&bytes, &TINY).is_err());
        let header = [&(bytes.len() as u64).to_le_bytes()[..], &bytes].concat();
        prop_assert!(Checkpoint::from_file(&header, &TINY).is_err());
    }

    #[test]
    fn damaged_configurations_are_read_or_refused(damage in damage()) {
        if let Ok(config) = Config::from_json(&damaged(CONFIG.as_bytes(), &damage)) {
            prop_assert!(config.n_head > 0 && config.d_model % config.n_head == 0);
            prop_assert!(config.n_vocab.checked_mul(config.d_model).is_some_and(|n| n <= 1 << 29));
            prop_assert!(config.eps > 0.0 && config.eps.is_finite());
            // A checkpoint that lacks all of its tensors.
            let empty = [&2_u64.to_le_bytes()[..], b"{}"].concat();
            prop_assert!(Checkpoint::from_file(&empty, &config).is_err());
        }
    }

    #[test]
    fn damaged_tokenizers_are_read_or_refused(damage in damage(), text in any::<String>()) {
        let json = damaged(TOKENIZER.as_bytes(), &damage);
        if let Ok(tokenizer) = Tokenizer::from_json(&json, 300)
            && let Ok(tokens) = tokenizer.encode(&text)
        {
            prop_assert!(tokens.iter().all(|token| token.id < 300));
        }
    }

    #[test]
    fn damaged_figures_are_read_or_refused(damage in damage()) {
        if let Ok(figure) = serde_json::from_slice::<Figure>(&damaged(&FIGURE, &damage)) {
            let json = serde_json::to_vec(&figure).unwrap();
            serde_json::from_slice::<Figure>(&json).unwrap();
        }
    }

    #[test]
    fn damaged_records_and_requests_are_read_or_refused(damage in damage()) {
        let record = br#"{"url": "https://a/b", "etag": "\"x\"", "length": 10, "complete": true, "trust": "known"}"#;
        drop(serde_json::from_slice::<Record>(&damaged(record, &damage)));
        let request = serde_json::to_vec(&Request { pair: PairText::default(), ..headline() }).unwrap();
        drop(serde_json::from_slice::<Request>(&damaged(&request, &damage)));
    }

    #[test]
    fn any_text_is_a_name_or_refused(text in any::<String>()) {
        drop(ModelId::from_name(&text));
        drop(text.parse::<Rules>());
        drop(Mirrors::from_text(&text));
        drop(Mirrors::from_text(&format!("https://{text}")));
        // What is taken for a name leads nowhere else.
        let plain = |name: &str| !name.contains("..") && name.is_ascii() && !name.starts_with('/');
        if let Ok(repo) = text.parse::<Repo>() {
            prop_assert!(plain(repo.as_str()));
        }
        if let Ok(revision) = text.parse::<Revision>() {
            prop_assert!(plain(revision.as_str()) && !revision.as_str().contains('/'));
        }
    }
}
