//! GPT-2's own vocabulary, by two encoders that are independent of each other.

mod texts;

use std::sync::LazyLock;

use proptest::prelude::*;
use relp_hub::{Known, ModelFile};
use relp_model::{Field, Note, PairText, Tokenizer, TokenizerError};
use relp_tests::gpt2_tokenizer::{END_OF_TEXT, N_VOCAB, first_tokens_json, tokenizer_json};
use sha2::{Digest, Sha256};
use tiktoken_rs::r50k_base_singleton;

static GPT2: LazyLock<Tokenizer> =
    LazyLock::new(|| Tokenizer::from_json(tokenizer_json().as_bytes(), N_VOCAB).unwrap());

fn ids(text: &str) -> Vec<u32> {
    GPT2.encode(text).unwrap().iter().map(|token| token.id).collect()
}

/// Both encoders find the same tokens, whose bytes are the text's.
fn agree(text: &str) {
    let found = ids(text);
    let shown: String = text.chars().take(60).collect();
    assert_eq!(found, r50k_base_singleton().encode_with_special_tokens(text), "{shown:?}");
    let bytes: Vec<u8> = found.iter().flat_map(|&id| GPT2.bytes(id).unwrap()).collect();
    assert!(bytes == text.as_bytes(), "{shown:?}");
}

#[test]
fn both_encoders_agree_on_every_text() {
    let texts = texts::all();
    assert!(texts.len() > 2000, "{}", texts.len());
    for text in &texts {
        agree(text);
    }
}

#[test]
fn both_encoders_agree_on_every_character() {
    // Beyond these planes, nearly everything is alike: not assigned, or private.
    let assigned = (0..0x3_2000_u32).step_by(64);
    let beyond = (0x3_2000..=0x10_FFFF).step_by(64 * 100);
    for start in assigned.chain(0xE_0000..0xE_0001).chain(beyond) {
        let text: String = (start..start + 64).filter_map(char::from_u32).collect();
        agree(&text);
        if start < 0x3400 {
            let apart: Vec<String> = text.chars().map(String::from).collect();
            agree(&apart.join(" "));
        }
    }
}

#[test]
fn both_encoders_agree_on_every_token_of_the_vocabulary() {
    for id in 0..u32::try_from(N_VOCAB).unwrap() {
        if let Ok(text) = String::from_utf8(GPT2.bytes(id).unwrap()) {
            agree(&text);
        }
    }
}

#[test]
fn both_encoders_agree_on_100_kb() {
    for text in texts::long() {
        assert!(text.len() >= 100_000);
        agree(&text);
    }
}

/// What was worked out from ranks is what is published, by its length and hash.
#[test]
fn the_tokenizer_is_gpt2s_to_the_byte() {
    let expected = Known::find("gpt2").unwrap().expected(ModelFile::Tokenizer);
    let json = tokenizer_json();
    assert_eq!(Some(json.len() as u64), expected.length);
    let hash: String = Sha256::digest(&json).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(Some(hash), expected.sha256);
}

#[test]
fn well_known_ids_are_what_they_are() {
    assert_eq!(ids("Hello world"), [15496, 995]);
    assert_eq!(ids("<|endoftext|>"), [50256]);
    assert_eq!(GPT2.bos().map(|bos| (bos.id, bos.text.as_str())), Some((50256, END_OF_TEXT)));
    // From the paper's indirect-object prompts: one token each.
    for (name, id) in [(" Mary", 5335), (" John", 1757), (" the", 262)] {
        assert_eq!(ids(name), [id]);
    }
}

#[test]
fn bytes_that_are_no_whole_character_are_shown_as_bytes() {
    let texts = |text: &str| -> Vec<String> {
        GPT2.encode(text).unwrap().into_iter().map(|token| token.text).collect()
    };
    assert_eq!(texts("naïve"), ["na", "ïve"]);
    assert_eq!(texts("🦀"), ["<0xF0><0x9F>", "<0xA6>", "<0x80>"]);
    assert_eq!(texts(" \n\t"), [" ", "\n", "\t"]);
    assert_eq!(texts("\u{0}"), ["\u{0}"]);
}

#[test]
fn tokens_that_stand_for_their_own_text_are_shown_as_it_is() {
    let more = r#"{"id": 50257, "content": "<é Ġ>", "single_word": false, "lstrip": false,
        "rstrip": false, "normalized": false, "special": true},"#;
    let json = tokenizer_json().replace("\"added_tokens\":[", &format!("\"added_tokens\":[{more}"));
    let tokenizer = Tokenizer::from_json(json.as_bytes(), N_VOCAB + 1).unwrap();
    assert_eq!(tokenizer.token(50257).text, "<é Ġ>");
    assert_eq!(tokenizer.encode("<é Ġ>").unwrap().len(), 1);
    assert_eq!(tokenizer.token(50258).text, "<50258>");
    let error = Tokenizer::from_json(json.as_bytes(), N_VOCAB).unwrap_err();
    assert_eq!(error, TokenizerError::Vocabulary { expected: N_VOCAB, found: N_VOCAB + 1 });
}

#[test]
fn a_tokenizer_that_is_not_byte_level_is_refused() {
    let json = tokenizer_json();
    for (from, to) in [
        (r#"{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true}"#, "null"),
        (
            r#"{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true}"#,
            r#"{"type":"Whitespace"}"#,
        ),
        (r#""model":{"#, r#""model":{"type":"WordLevel","unk_token":"<unk>","#),
        (r#""normalizer":null"#, r#""normalizer":{"type":"Lowercase"}"#),
    ] {
        let other = json.replacen(from, to, 1);
        assert_ne!(other, json);
        let error = Tokenizer::from_json(other.as_bytes(), N_VOCAB).unwrap_err();
        assert_eq!(error, TokenizerError::NotByteLevel, "{to}");
    }
}

#[test]
fn parts_that_say_nothing_about_tokens_cannot_do_harm() {
    let json = tokenizer_json();
    let ids = |tokenizer: &Tokenizer| tokenizer.encode("Hello world").unwrap();
    for (from, to) in [
        (r#""decoder":{"type""#, r#""decoder":{"kind""#),
        (r#""padding":null"#, r#""padding":{"strategy":{"Fixed":4611686018427387904}}"#),
        (r#""truncation":null"#, r#""truncation":{"max_length":1}"#),
        (r#""post_processor":{"type":"ByteLevel""#, r#""post_processor":{"type":"Surprise""#),
    ] {
        let other = json.replacen(from, to, 1);
        assert_ne!(other, json);
        let tokenizer = Tokenizer::from_json(other.as_bytes(), N_VOCAB).unwrap();
        assert_eq!(ids(&tokenizer), ids(&GPT2), "{to}");
    }
}

/// The library that computes with merges panics on these.
#[test]
fn merges_that_make_no_token_are_refused() {
    let json = first_tokens_json(300);
    assert!(Tokenizer::from_json(json.as_bytes(), 301).is_ok());
    for (from, to, part) in [
        (r#""merges":["#, r#""merges":["he re","#, "\"re\" makes no token"),
        (r#""merges":["#, r#""merges":["e","#, "makes no token"),
        (r#""merges":["#, r#""merges":["e e e","#, "makes no token"),
        (r#"prefix":"""#, r#"prefix":"ab""#, "prefixes"),
        (r#""dropout":null"#, r#""dropout":0.5"#, "dropout"),
    ] {
        let other = json.replacen(from, to, 1);
        assert_ne!(other, json);
        let error = Tokenizer::from_json(other.as_bytes(), 301).unwrap_err().to_string();
        assert!(error.contains(part), "{to}: {error}");
    }
    let pairs = json.replacen(r#""merges":["Ġ t","Ġ a","#, r#""merges":[["Ġ","t"],"Ġ a","#, 1);
    assert_ne!(pairs, json);
    assert!(Tokenizer::from_json(pairs.as_bytes(), 301).is_err(), "one way of writing at a time");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn both_encoders_agree_on_what_nobody_thought_of(text in any::<String>()) {
        agree(&text);
    }

    #[test]
    fn both_encoders_agree_on_what_looks_like_text(text in "([a-zA-Z']{1,9}|[0-9]{1,5}|[ \t\n\r\u{a0}\u{3000}]{1,4}|[.,:;!?(){}=<>|/-]{1,3}|[äöüßéñ中文字ひらがな한국어😀🏳️‍🌈]{1,3}){1,40}") {
        agree(&text);
    }
}

/// "19" and "8" are tokens, and "198" is one too: after the prompt, "8" would never be chosen.
#[test]
fn an_answer_that_joins_its_prompt_is_told() {
    let pair = |clean: &str, answer: &str| PairText {
        clean: clean.to_owned(),
        corrupted: "The other is 19".to_owned(),
        answers: vec![answer.to_owned()],
        foils: vec![" 5".to_owned()],
        bos: true,
    };
    assert_eq!(ids("It is 198").len(), ids("It is 19").len());
    let notes = pair("It is 19", "8").notes(&GPT2);
    assert!(
        matches!(&notes[..], [Note::Joined { field: Field::Answer, tokens, .. }] if tokens == &[" 198"]),
        "{notes:?}"
    );
    let said = notes[0].to_string();
    assert!(said.contains("clean prompt") && said.contains("\" 198\""), "{said}");
    assert_eq!(pair("It is 19", " 8").notes(&GPT2), Vec::new());
    assert_eq!(pair("It is", " 8").notes(&GPT2), Vec::new());
}

/// The page's tasks can be asked of GPT-2: prompts of one length, one-token answers that begin a word
/// of their own after the prompt.
#[test]
fn the_pages_tasks_are_comparable_in_gpt2s_vocabulary() {
    let read = |path: &str| -> serde_json::Value {
        let folder = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../models");
        serde_json::from_slice(&std::fs::read(folder.join(path)).unwrap()).unwrap()
    };
    let (bundled, tasks) = (read("primer/examples.json"), read("tasks.json"));
    let texts = |value: &serde_json::Value, one: &str, several: &str| -> Vec<String> {
        let one = value[one].as_str().map(str::to_owned);
        let several = value[several].as_array().into_iter().flatten();
        let several = several.map(|text| text.as_str().unwrap().to_owned());
        one.into_iter().chain(several).collect()
    };
    let pairs = bundled.as_array().unwrap().iter().chain(tasks["pairs"].as_array().unwrap());
    let mut count = 0;
    for pair in pairs {
        let text = |name: &str| pair[name].as_str().unwrap().to_owned();
        let asked = PairText {
            clean: text("clean"),
            corrupted: text("corrupted"),
            answers: texts(pair, "answer", "answers"),
            foils: texts(pair, "foil", "foils"),
            bos: true,
        };
        let id = &pair["id"];
        let (clean, corrupted) = (ids(&asked.clean), ids(&asked.corrupted));
        assert_eq!(clean.len(), corrupted.len(), "{id}");
        assert_ne!(clean, corrupted, "{id}");
        for target in asked.answers.iter().chain(&asked.foils) {
            assert_eq!(ids(target).len(), 1, "{id}: {target:?}");
        }
        // An acronym's next letter has no space before it.
        let mut notes = asked.notes(&GPT2);
        notes.retain(|note| !matches!(note, Note::NoLeadingSpace { .. }));
        assert_eq!(notes, [], "{id}");
        let known = tasks["tasks"].as_array().unwrap().iter();
        assert!(known.into_iter().any(|task| task["task"] == pair["task"]), "{id}");
        count += 1;
    }
    assert!(count > 30);
}
