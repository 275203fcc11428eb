//! Two prompts, an answer and a foil, and whether they can be compared.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Config, Metric, Replace, Token, Tokenizer, TokenizerError};

/// A pair as a person writes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairText {
    /// The prompt whose answer is wanted.
    pub clean: String,
    /// The same prompt with the deciding words changed.
    pub corrupted: String,
    /// The tokens that the clean prompt should be continued with, most often one.
    pub answers: Vec<String>,
    /// The tokens that the corrupted prompt should be continued with, most often one.
    pub foils: Vec<String>,
    /// Whether `<|endoftext|>` is put before both prompts.
    pub bos: bool,
}

/// A pair that can be compared: prompts of the same length, one-token answers and foils.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair {
    /// The clean prompt.
    pub clean: Vec<Token>,
    /// The corrupted prompt.
    pub corrupted: Vec<Token>,
    /// The answers; where the metric needs none, there may be none.
    pub answers: Vec<Token>,
    /// The foils; where the metric needs none, there may be none.
    pub foils: Vec<Token>,
}

/// One of the two prompts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prompt {
    /// The clean prompt.
    Clean,
    /// The corrupted prompt.
    Corrupted,
}

/// Where a person can mend a [`Problem`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// The clean prompt.
    Clean,
    /// The corrupted prompt.
    Corrupted,
    /// The answer.
    Answer,
    /// The foil.
    Foil,
    /// The switch that normalises scores.
    Normalise,
    /// The metric.
    Metric,
    /// What is put in the place of a component.
    Replace,
}

impl Field {
    /// How a sentence names it.
    pub fn title(self) -> &'static str {
        match self {
            Field::Clean => "clean prompt",
            Field::Corrupted => "corrupted prompt",
            Field::Answer => "answer",
            Field::Foil => "foil",
            Field::Normalise => "normalisation",
            Field::Metric => "metric",
            Field::Replace => "replacement",
        }
    }
}

/// Why a pair cannot be compared. The message is a sentence with a suggestion.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "problem", rename_all = "snake_case")]
#[allow(missing_docs, reason = "the messages name the fields")]
pub enum Problem {
    /// A prompt, the answer or the foil is empty.
    Empty { field: Field },
    /// A prompt has more tokens than the model has positions.
    TooLong { field: Field, tokens: usize, most: usize },
    /// The prompts differ in length.
    UnequalLength { clean: usize, corrupted: usize },
    /// The prompts are the same.
    Identical,
    /// The answer or the foil is not one token.
    NotOneToken { field: Field, pieces: Vec<String>, suggestion: Option<String> },
    /// A token is an answer and a foil, or one of them twice.
    SameAnswer { text: String },
    /// Gradients of the metric are 0 in the run that they are taken in.
    FlatMetric,
    /// The replacement has no meaning for the method or the site.
    NoSuchAblation { what: String, replace: Replace },
    /// The clean and the corrupted metric are too close to divide by their difference.
    TooCloseToNormalise { clean: f64, corrupted: f64 },
}

impl Problem {
    /// The field at fault.
    pub fn field(&self) -> Field {
        match self {
            Problem::Empty { field }
            | Problem::TooLong { field, .. }
            | Problem::NotOneToken { field, .. } => *field,
            Problem::UnequalLength { .. } | Problem::Identical => Field::Corrupted,
            Problem::SameAnswer { .. } => Field::Foil,
            Problem::TooCloseToNormalise { .. } => Field::Normalise,
            Problem::FlatMetric => Field::Metric,
            Problem::NoSuchAblation { .. } => Field::Replace,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::Empty { field: field @ (Field::Answer | Field::Foil) } => {
                let title = field.title();
                write!(f, "The {title} is empty: write one token, such as \" Mary\" with its space.")
            }
            Problem::Empty { field } => {
                write!(f, "The {} is empty: write a sentence that the model should continue.", field.title())
            }
            Problem::TooLong { field, tokens, most } => {
                let title = field.title();
                write!(f, "The {title} has {tokens} tokens, but this model reads at most {most}: shorten it.")
            }
            Problem::UnequalLength { clean, corrupted } => write!(
                f,
                "The prompts differ in length: {clean} tokens clean, {corrupted} corrupted. Change words \
                 for others of as many tokens, so that every position has its counterpart."
            ),
            Problem::Identical => f.write_str(
                "The prompts are the same, so there is nothing to attribute: change a word in one of them.",
            ),
            Problem::NotOneToken { field, pieces, suggestion } => {
                let title = field.title();
                let pieces: Vec<String> = pieces.iter().map(|piece| format!("{piece:?}")).collect();
                write!(f, "The {title} is {} tokens ({}): ", pieces.len(), pieces.join(" + "))?;
                match suggestion {
                    Some(suggestion) => write!(f, "did you mean {suggestion:?}?"),
                    None => f.write_str("choose a word that is one token of this model."),
                }
            }
            Problem::SameAnswer { text } => {
                write!(f, "{text:?} stands twice among answers and foils: choose foils that the corrupted prompt would be continued with.")
            }
            Problem::FlatMetric => f.write_str(
                "Noising begins at the clean run, where the KL divergence from it is 0 and flat, so that every \
                 gradient is 0: denoise instead, choose another metric, or patch exactly.",
            ),
            Problem::NoSuchAblation { what, replace } => {
                write!(f, "There is no {replace} ablation of {what}: replace by the source run, or choose another.")
            }
            Problem::TooCloseToNormalise { clean, corrupted } => write!(
                f,
                "The metric is {clean:.3} on the clean and {corrupted:.3} on the corrupted prompt, too close \
                 to divide by their difference: switch normalisation off, or choose prompts whose answers differ."
            ),
        }
    }
}

/// Something that is allowed but is seldom meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "note", rename_all = "snake_case")]
#[allow(missing_docs, reason = "the messages name the fields")]
pub enum Note {
    /// A prompt ends in a space, which belongs to the next token.
    TrailingSpace { field: Field },
    /// The answer or foil has no leading space, but is a token with one.
    NoLeadingSpace { field: Field, with_space: String },
    /// Written after the prompt, the answer or foil is split into other tokens.
    Joined { field: Field, text: String, after: Field, tokens: Vec<String> },
}

impl Note {
    /// The field it is about.
    pub fn field(&self) -> Field {
        match self {
            Note::TrailingSpace { field }
            | Note::NoLeadingSpace { field, .. }
            | Note::Joined { field, .. } => *field,
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Note::TrailingSpace { field } => write!(
                f,
                "The {} ends in a space. A word's leading space belongs to its own token, so the model \
                 expects no space here.",
                field.title()
            ),
            Note::NoLeadingSpace { field, with_space } => write!(
                f,
                "The {} has no leading space. Within a sentence the model would write {with_space:?}.",
                field.title()
            ),
            Note::Joined { field, text, after, tokens } => write!(
                f,
                "Written after the {}, the {} {text:?} is no token of its own: the text would \
                 end in {}, which is what the model expects.",
                after.title(),
                field.title(),
                tokens.iter().map(|token| format!("{token:?}")).collect::<Vec<_>>().join(" ")
            ),
        }
    }
}

impl Pair {
    /// Tokenises and checks a pair for a model and a metric.
    ///
    /// # Errors
    /// All problems found, at least one.
    pub fn prepare(
        text: &PairText,
        metric: Metric,
        tokenizer: &Tokenizer,
        config: &Config,
    ) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        // What a metric does not need may be anything, and is left out if it is no token.
        let mut targets = |field, texts: &[String], is_needed: bool| {
            let texts = texts.iter().filter(|text| !text.is_empty());
            let mut found = Vec::new();
            let tokens =
                texts.filter_map(|text| one_token(field, text, tokenizer, &mut found)).collect();
            if is_needed {
                problems.append(&mut found);
            }
            tokens
        };
        let answers = targets(Field::Answer, &text.answers, metric.has_answers());
        let foils = targets(Field::Foil, &text.foils, metric.has_foils());
        let clean = prompt(&text.clean, text.bos, tokenizer);
        let corrupted = prompt(&text.corrupted, text.bos, tokenizer);
        let pair = Self { clean, corrupted, answers, foils };
        // What is no token is not missing.
        let told: Vec<Field> = problems.iter().map(Problem::field).collect();
        let found = pair.check(metric, config).err().unwrap_or_default();
        problems.extend(found.into_iter().filter(|problem| !told.contains(&problem.field())));
        if problems.is_empty() { Ok(pair) } else { Err(problems) }
    }

    /// Checks a pair that was not [prepared](Self::prepare) but made of token ids.
    ///
    /// # Errors
    /// All problems found, at least one.
    pub fn check(&self, metric: Metric, config: &Config) -> Result<(), Vec<Problem>> {
        let mut problems = check_prompts(&self.clean, &self.corrupted, config);
        problems.extend(self.check_targets(metric));
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    fn check_targets(&self, metric: Metric) -> Vec<Problem> {
        let mut problems = Vec::new();
        let needed = [
            (Field::Answer, &self.answers, metric.has_answers()),
            (Field::Foil, &self.foils, metric.has_foils()),
        ];
        let needed = || needed.iter().filter(|(_, _, is_needed)| *is_needed);
        let empty = needed().filter(|(_, tokens, _)| tokens.is_empty());
        problems.extend(empty.map(|&(field, ..)| Problem::Empty { field }));
        let mut seen: Vec<u32> = Vec::new();
        for token in needed().flat_map(|(_, tokens, _)| tokens.iter()) {
            if seen.contains(&token.id) {
                problems.push(Problem::SameAnswer { text: token.text.clone() });
            }
            seen.push(token.id);
        }
        problems
    }

    /// The ids of answers and foils.
    pub fn targets(&self) -> Vec<u32> {
        self.answers.iter().chain(&self.foils).map(|token| token.id).collect()
    }

    /// Number of positions of either prompt.
    pub fn positions(&self) -> usize {
        self.clean.len()
    }

    /// The positions where the prompts differ, first to last.
    pub fn differing(&self) -> Vec<usize> {
        let both = self.clean.iter().zip(&self.corrupted).enumerate();
        both.filter(|(_, (clean, corrupted))| clean.id != corrupted.id).map(|(t, _)| t).collect()
    }

    /// The tokens of one prompt.
    pub fn tokens(&self, prompt: Prompt) -> &[Token] {
        match prompt {
            Prompt::Clean => &self.clean,
            Prompt::Corrupted => &self.corrupted,
        }
    }
}

impl PairText {
    /// What is allowed but seldom meant.
    pub fn notes(&self, tokenizer: &Tokenizer) -> Vec<Note> {
        let mut notes = Vec::new();
        for (field, text) in [(Field::Clean, &self.clean), (Field::Corrupted, &self.corrupted)] {
            if text.ends_with(' ') {
                notes.push(Note::TrailingSpace { field });
            }
        }
        let answers = self.answers.iter().map(|text| (Field::Answer, text));
        let foils = self.foils.iter().map(|text| (Field::Foil, text));
        for (field, text) in answers.chain(foils) {
            let with_space = format!(" {text}");
            if text.starts_with(|c: char| c.is_alphabetic()) && is_one_token(&with_space, tokenizer)
            {
                notes.push(Note::NoLeadingSpace { field, with_space });
            } else if is_one_token(text, tokenizer) {
                notes.extend(self.joined(field, text, tokenizer));
            }
        }
        notes
    }

    /// That a token does not stay by itself when it is written after the prompt that it is about.
    fn joined(&self, field: Field, text: &str, tokenizer: &Tokenizer) -> Option<Note> {
        let (after, before) = match field {
            Field::Foil => (Field::Corrupted, &self.corrupted),
            _ => (Field::Clean, &self.clean),
        };
        if before.is_empty() || before.ends_with(' ') {
            return None;
        }
        let apart = prompt(before, false, tokenizer);
        let whole = prompt(&format!("{before}{text}"), false, tokenizer);
        let same = whole.iter().zip(&apart).take_while(|(one, other)| one == other).count();
        if same == apart.len() && whole.len() == same + 1 {
            return None;
        }
        let tokens = whole[same..].iter().map(|token| token.text.clone()).collect();
        Some(Note::Joined { field, text: text.to_owned(), after, tokens })
    }
}

/// The divisor of normalised scores, metric(clean) − metric(corrupted).
///
/// # Errors
/// If it is too close to 0.
pub fn check_normaliser(metric: Metric, clean: f64, corrupted: f64) -> Result<f64, Problem> {
    let difference = clean - corrupted;
    if difference.abs() >= metric.least_normaliser() {
        Ok(difference)
    } else {
        Err(Problem::TooCloseToNormalise { clean, corrupted })
    }
}

/// The tokens of a prompt; none of one that says nothing.
fn prompt(text: &str, bos: bool, tokenizer: &Tokenizer) -> Vec<Token> {
    match tokenizer.encode(text) {
        Ok(tokens) if !tokens.is_empty() && !text.trim().is_empty() => {
            let bos = tokenizer.bos().filter(|_| bos).cloned();
            bos.into_iter().chain(tokens).collect()
        }
        Ok(_)
        | Err(
            TokenizerError::Json(_)
            | TokenizerError::NotByteLevel
            | TokenizerError::Vocabulary { .. },
        ) => Vec::new(),
    }
}

/// What is wrong with two prompts. Texts do not matter: what is compared is what the model reads.
fn check_prompts(clean: &[Token], corrupted: &[Token], config: &Config) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (field, tokens) in [(Field::Clean, clean), (Field::Corrupted, corrupted)] {
        let (tokens, most) = (tokens.len(), config.n_ctx);
        match tokens {
            0 => problems.push(Problem::Empty { field }),
            _ if tokens > most => problems.push(Problem::TooLong { field, tokens, most }),
            _ => {}
        }
    }
    if !problems.is_empty() {
        return problems;
    }
    let ids = |tokens: &[Token]| tokens.iter().map(|token| token.id).collect::<Vec<_>>();
    if clean.len() != corrupted.len() {
        let (clean, corrupted) = (clean.len(), corrupted.len());
        problems.push(Problem::UnequalLength { clean, corrupted });
    } else if ids(clean) == ids(corrupted) {
        problems.push(Problem::Identical);
    }
    problems
}

fn one_token(
    field: Field,
    text: &str,
    tokenizer: &Tokenizer,
    problems: &mut Vec<Problem>,
) -> Option<Token> {
    let mut tokens = tokenizer.encode(text).unwrap_or_default();
    match tokens.len() {
        1 => tokens.pop(),
        0 => {
            problems.push(Problem::Empty { field });
            None
        }
        _ => {
            let candidates = [text.trim_end().to_owned(), format!(" {}", text.trim())];
            let suggestion = candidates
                .into_iter()
                .find(|candidate| candidate != text && is_one_token(candidate, tokenizer));
            let pieces = tokens.into_iter().map(|token| token.text).collect();
            problems.push(Problem::NotOneToken { field, pieces, suggestion });
            None
        }
    }
}

fn is_one_token(text: &str, tokenizer: &Tokenizer) -> bool {
    tokenizer.encode(text).is_ok_and(|tokens| tokens.len() == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_divisor_close_to_zero_is_refused() {
        let check = |clean, corrupted| check_normaliser(Metric::LogitDiff, clean, corrupted);
        assert_eq!(check(3.0, -1.0), Ok(4.0));
        assert_eq!(check(-1.0, 3.0), Ok(-4.0));
        assert_eq!(check_normaliser(Metric::ProbDiff, 0.75, 0.748), Ok(0.75 - 0.748));
        for (clean, corrupted) in [(1.0, 1.0), (1.0, 1.009), (1.009, 1.0), (f64::NAN, 1.0)] {
            let problem = check(clean, corrupted).unwrap_err();
            assert_eq!(problem.field(), Field::Normalise);
            assert!(problem.to_string().contains("too close to divide by"), "{problem}");
        }
    }
}
