//! The pairs that are asked about: typed, as token ids, or from a file.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use relp_engine::{EngineError, Reader};
use relp_model::{Metric, Pair, PairText, Token};
use serde::Deserialize;

use crate::args::Options;
use crate::failure::{Failure, Result};
use crate::output::note;

/// A pair that can be compared.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) pair: Pair,
    /// Where it stands, if it stands in a file.
    pub(crate) place: Option<String>,
}

/// Pairs, not yet read by a model.
#[derive(Debug)]
pub(crate) enum Source {
    Text(Box<PairText>),
    Ids {
        clean: Vec<u32>,
        corrupted: Vec<u32>,
        answers: Vec<u32>,
        foils: Vec<u32>,
    },
    /// Of a file or a set, each with the place where it stands.
    Several(Vec<(String, PairText)>),
}

/// A line of a file of pairs. What else it says is left alone.
#[derive(Deserialize)]
struct Line {
    clean: String,
    #[serde(alias = "corrupt")]
    corrupted: String,
    #[serde(default)]
    answer: Texts,
    #[serde(default)]
    foil: Texts,
}

/// One text, or several.
#[derive(Deserialize)]
#[serde(untagged)]
enum Texts {
    One(String),
    Several(Vec<String>),
}

impl Default for Texts {
    fn default() -> Self {
        Self::Several(Vec::new())
    }
}

impl From<Texts> for Vec<String> {
    fn from(texts: Texts) -> Self {
        match texts {
            Texts::One(text) => vec![text],
            Texts::Several(texts) => texts,
        }
    }
}

const WAYS: &str = "give --clean, --corrupt, --answer and --foil, or --clean-ids, --corrupt-ids, \
                    --answer-id and --foil-id, or --pairs FILE";

impl Source {
    /// What the options ask about; a file is read here, before any weights are.
    pub(crate) fn new(options: &Options) -> Result<Self> {
        let (answers, foils) = (&options.answers, &options.foils);
        let texts = [
            ("--clean", options.clean.is_some()),
            ("--corrupt", options.corrupt.is_some()),
            ("--answer", !answers.is_empty() || !options.metric.has_answers()),
            ("--foil", !foils.is_empty() || !options.metric.has_foils()),
        ];
        let ids = [
            ("--clean-ids", options.clean_ids.is_some()),
            ("--corrupt-ids", options.corrupt_ids.is_some()),
            ("--answer-id", !options.answer_ids.is_empty() || !options.metric.has_answers()),
            ("--foil-id", !options.foil_ids.is_empty() || !options.metric.has_foils()),
        ];
        let is_text = options.clean.is_some()
            || options.corrupt.is_some()
            || !answers.is_empty()
            || !foils.is_empty();
        let is_ids = options.clean_ids.is_some()
            || options.corrupt_ids.is_some()
            || !options.answer_ids.is_empty()
            || !options.foil_ids.is_empty();
        let ways = [is_text, is_ids, options.pairs.is_some()];
        match ways.into_iter().filter(|&way| way).count() {
            0 => return Err(Failure::input(format_args!("There is no pair: {WAYS}"))),
            1 => {}
            _ => {
                return Err(Failure::input(format_args!(
                    "The pair is given in more than one way: {WAYS}"
                )));
            }
        }
        if let Some(path) = &options.pairs {
            return Self::file(path, !options.no_bos);
        }
        let given = if is_text { texts } else { ids };
        if given.iter().all(|(_, there)| *there) {
            let bos = !options.no_bos;
            let (answers, foils) = (answers.clone(), foils.clone());
            if let (Some(clean), Some(corrupted)) = (options.clean.clone(), options.corrupt.clone())
            {
                let text = PairText { clean, corrupted, answers, foils, bos };
                return Ok(Self::Text(Box::new(text)));
            }
            if let (Some(clean), Some(corrupted)) =
                (options.clean_ids.clone(), options.corrupt_ids.clone())
            {
                let (answers, foils) = (options.answer_ids.clone(), options.foil_ids.clone());
                return Ok(Self::Ids { clean, corrupted, answers, foils });
            }
        }
        let missing = given.iter().filter(|(_, there)| !there).map(|(name, _)| *name);
        let missing = missing.collect::<Vec<_>>().join(", ");
        Err(Failure::input(format_args!("The pair lacks {missing}: {WAYS}")))
    }

    /// Reads a file of pairs, one JSON object a line; `-` is standard input.
    pub(crate) fn file(path: &Path, bos: bool) -> Result<Self> {
        let name = name(path);
        let text = if path == Path::new("-") {
            let mut text = String::new();
            io::stdin().lock().read_to_string(&mut text).map(|_| text)
        } else {
            fs::read_to_string(path)
        };
        let text = text.map_err(|error| {
            Failure::input(format_args!("--pairs: {name} cannot be read: {error}"))
        })?;
        let mut pairs = Vec::new();
        for (at, line) in text.lines().enumerate() {
            if line.trim().is_empty() {
                continue;
            }
            let place = format!("{name}, line {}", at + 1);
            let Line { clean, corrupted, answer, foil } =
                serde_json::from_str(line).map_err(|error| bad_line(&place, &error))?;
            let (answers, foils) = (answer.into(), foil.into());
            pairs.push((place, PairText { clean, corrupted, answers, foils, bos }));
        }
        if pairs.is_empty() {
            return Err(Failure::input(format_args!(
                "--pairs: {name} holds no pair; write one JSON object a line with clean, \
                 corrupted, answer and foil"
            )));
        }
        Ok(Self::Several(pairs))
    }

    /// Pairs that this program knows, each named by the set and its clean prompt.
    pub(crate) fn set(name: &str, pairs: Vec<PairText>) -> Self {
        let placed = |pair: PairText| (format!("{name}, \"{}\"", pair.clean), pair);
        Self::Several(pairs.into_iter().map(placed).collect())
    }

    /// Reads the pairs as a model does, for a metric.
    pub(crate) fn read(self, reader: &Reader, metric: Metric) -> Result<Vec<Question>> {
        match self {
            Self::Text(text) => Ok(vec![read(&text, None, reader, metric)?]),
            Self::Several(pairs) => {
                let one = |(place, text)| read(&text, Some(place), reader, metric);
                pairs.into_iter().map(one).collect()
            }
            Self::Ids { clean, corrupted, answers, foils } => {
                let tokens = |option: &str, ids: Vec<u32>| {
                    ids.into_iter().map(|id| token(option, id, reader)).collect::<Result<_>>()
                };
                let pair = Pair {
                    clean: tokens("--clean-ids", clean)?,
                    corrupted: tokens("--corrupt-ids", corrupted)?,
                    answers: tokens("--answer-id", answers)?,
                    foils: tokens("--foil-id", foils)?,
                };
                pair.check(metric, reader.config()).map_err(EngineError::Pair)?;
                Ok(vec![Question { pair, place: None }])
            }
        }
    }
}

/// What a file of pairs is called.
pub(crate) fn name(path: &Path) -> String {
    if path == Path::new("-") { "standard input".to_owned() } else { path.display().to_string() }
}

fn read(
    text: &PairText,
    place: Option<String>,
    reader: &Reader,
    metric: Metric,
) -> Result<Question> {
    let pair = reader.pair(text, metric).map_err(EngineError::Pair);
    let pair = pair.map_err(|error| Failure::from(error).at(place.as_deref()))?;
    for hint in reader.notes(text) {
        note(&place.as_ref().map_or_else(|| hint.to_string(), |place| format!("{place}: {hint}")));
    }
    Ok(Question { pair, place })
}

fn token(option: &str, id: u32, reader: &Reader) -> Result<Token> {
    reader.token(id).ok_or_else(|| {
        let last = reader.config().n_vocab - 1;
        Failure::input(format_args!(
            "{option}: {id} is not a token; this model has ids 0 to {last}"
        ))
    })
}

fn bad_line(place: &str, error: &serde_json::Error) -> Failure {
    // serde counts lines within the line.
    let why = error.to_string();
    let why = why.split(" at line ").next().unwrap_or_default();
    Failure::input(format_args!(
        "{place}, column {}: {why}; a line is a JSON object with the texts clean, corrupted, answer \
         and foil",
        error.column()
    ))
}
