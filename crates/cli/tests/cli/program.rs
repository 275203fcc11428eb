//! Running the program.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use relp_model::{Figure, Token};
use serde_json::Value;

pub(crate) const PRIMER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/primer");

/// A short pair: the tests are about the program, not about the numbers.
pub(crate) const PAIR: [&str; 8] =
    ["--clean", "The friends", "--corrupt", "The friend", "--answer", " have", "--foil", " has"];

pub(crate) const LINE: &str =
    r#"{"clean": "The friends", "corrupted": "The friend", "answer": " have", "foil": " has"}"#;

pub(crate) fn relp(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_relp")).args(args).output().unwrap()
}

/// The program with a home of its own for models, and a hub to ask, whatever the person's own are.
pub(crate) fn at_home(home: &Path, hub: &str, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_relp"));
    for variable in ["HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HUB_OFFLINE", "HTTP_PROXY"] {
        command.env_remove(variable);
    }
    command.env("HF_HOME", home).env("HF_ENDPOINT", hub).args(args);
    command
}

pub(crate) fn with_input(args: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_relp"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Standard output of a run that has to succeed.
pub(crate) fn answer(args: &[&str]) -> String {
    let output = relp(args);
    assert_eq!(output.status.code(), Some(0), "{args:?}: {}", stderr(&output));
    stdout(&output)
}

pub(crate) fn json(args: &[&str]) -> Value {
    serde_json::from_str(&answer(args)).unwrap()
}

pub(crate) fn figure(more: &[&str]) -> Figure {
    serde_json::from_value(json(&arguments(more))).unwrap()
}

/// What is said of bad input: one sentence, status 2, no answer, and each of `parts` in it.
pub(crate) fn refused(args: &[&str], parts: &[&str]) {
    failed(args, 2, parts);
}

pub(crate) fn failed(args: &[&str], status: i32, parts: &[&str]) {
    let output = relp(args);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(status), "{args:?}: {said}");
    assert_eq!(stdout(&output), "", "{args:?}");
    assert!(
        said.starts_with("relp: ") && said.trim_end().ends_with(['.', '?']),
        "{args:?}: {said}"
    );
    assert_eq!(said.lines().count(), 1, "{args:?}: {said}");
    for part in parts {
        assert!(said.contains(part), "{args:?}: {part:?} in {said}");
    }
}

/// An empty folder for a test.
pub(crate) fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cli").join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// A copy of the bundled model as a folder of its own.
pub(crate) fn model_folder(name: &str) -> PathBuf {
    let folder = folder(name);
    for file in ["config.json", "tokenizer.json", "model.safetensors"] {
        fs::copy(Path::new(PRIMER).join(file), folder.join(file)).unwrap();
    }
    folder
}

pub(crate) fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The arguments of `attribute` for the usual pair, with more.
pub(crate) fn arguments<'a>(more: &[&'a str]) -> Vec<&'a str> {
    ["attribute", "--executor", "cpu"].iter().chain(&PAIR).chain(more).copied().collect()
}

/// `attribute` with one of the usual values replaced.
pub(crate) fn changed<'a>(option: &str, value: &'a str) -> Vec<&'a str> {
    let mut args = arguments(&[]);
    let at = args.iter().position(|arg| *arg == option).unwrap();
    args[at + 1] = value;
    args
}

/// `attribute` for the usual prompts, all by their ids.
pub(crate) fn by_ids(answer: u64, foil: u64, more: &[&str]) -> Vec<String> {
    let tokens = figure(&[]).tokens;
    let values = [
        ("--clean-ids", ids(&tokens.clean)),
        ("--corrupt-ids", ids(&tokens.corrupted)),
        ("--answer-id", answer.to_string()),
        ("--foil-id", foil.to_string()),
    ];
    let values = values.into_iter().flat_map(|(option, value)| [option.to_owned(), value]);
    let start = ["attribute", "--executor", "cpu"].iter().chain(more);
    start.map(|&arg| arg.to_owned()).chain(values).collect()
}

fn ids(tokens: &[Token]) -> String {
    tokens.iter().map(|token| token.id.to_string()).collect::<Vec<_>>().join(",")
}
