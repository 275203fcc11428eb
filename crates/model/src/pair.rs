//! Two prompts, an answer and a foil, and whether they can be compared.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Config, Token, Tokenizer, TokenizerError};

/// A pair as a person writes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairText {
    /// The prompt whose answer is wanted.
    pub clean: String,
    /// The same prompt with the deciding words changed.
    pub corrupted: String,
    /// The token that the clean prompt should be continued with.
    pub answer: String,
    /// The token that the corrupted prompt should be continued with.
    pub foil: String,
    /// Whether `<|endoftext|>` is put before both prompts.
    pub bos: bool,
}

/// A pair that can be compared: prompts of the same length, one-token answer and foil.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair {
    /// The clean prompt.
    pub clean: Vec<Token>,
    /// The corrupted prompt.
    pub corrupted: Vec<Token>,
    /// The answer.
    pub answer: Token,
    /// The foil.
    pub foil: Token,
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
    /// Answer and foil are the same token.
    SameAnswer { text: String },
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
                write!(f, "Answer and foil are both {text:?}: choose a foil that the corrupted prompt would be continued with.")
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
}

impl Note {
    /// The field it is about.
    pub fn field(&self) -> Field {
        match self {
            Note::TrailingSpace { field } | Note::NoLeadingSpace { field, .. } => *field,
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
        }
    }
}

impl Pair {
    /// Tokenises and checks a pair for a model.
    ///
    /// # Errors
    /// All problems found, at least one.
    pub fn prepare(
        text: &PairText,
        tokenizer: &Tokenizer,
        config: &Config,
    ) -> Result<Self, Vec<Problem>> {
        let clean = prompt(&text.clean, text.bos, tokenizer);
        let corrupted = prompt(&text.corrupted, text.bos, tokenizer);
        let mut problems = check_prompts(&clean, &corrupted, config);
        let answer = one_token(Field::Answer, &text.answer, tokenizer, &mut problems);
        let foil = one_token(Field::Foil, &text.foil, tokenizer, &mut problems);
        match (answer, foil) {
            (Some(answer), Some(foil)) => {
                problems.extend(check_answers(&answer, &foil));
                if problems.is_empty() {
                    return Ok(Self { clean, corrupted, answer, foil });
                }
                Err(problems)
            }
            _ => Err(problems),
        }
    }

    /// Checks a pair that was not [prepared](Self::prepare) but made of token ids.
    ///
    /// # Errors
    /// All problems found, at least one.
    pub fn check(&self, config: &Config) -> Result<(), Vec<Problem>> {
        let mut problems = check_prompts(&self.clean, &self.corrupted, config);
        problems.extend(check_answers(&self.answer, &self.foil));
        if problems.is_empty() { Ok(()) } else { Err(problems) }
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
        for (field, text) in [(Field::Answer, &self.answer), (Field::Foil, &self.foil)] {
            let with_space = format!(" {text}");
            if text.starts_with(|c: char| c.is_alphabetic()) && is_one_token(&with_space, tokenizer)
            {
                notes.push(Note::NoLeadingSpace { field, with_space });
            }
        }
        notes
    }
}

/// The least |metric(clean) − metric(corrupted)|, in logits, that scores are divided by. Below it
/// the scores would mostly show the rounding of the logits.
const LEAST_NORMALISER: f64 = 0.01;

/// The divisor of normalised scores, metric(clean) − metric(corrupted).
///
/// # Errors
/// If it is too close to 0.
pub fn check_normaliser(clean: f64, corrupted: f64) -> Result<f64, Problem> {
    let difference = clean - corrupted;
    if difference.abs() >= LEAST_NORMALISER {
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

fn check_answers(answer: &Token, foil: &Token) -> Option<Problem> {
    (answer.id == foil.id).then(|| Problem::SameAnswer { text: answer.text.clone() })
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
        assert_eq!(check_normaliser(3.0, -1.0), Ok(4.0));
        assert_eq!(check_normaliser(-1.0, 3.0), Ok(-4.0));
        for (clean, corrupted) in [(1.0, 1.0), (1.0, 1.009), (1.009, 1.0), (f64::NAN, 1.0)] {
            let problem = check_normaliser(clean, corrupted).unwrap_err();
            assert_eq!(problem.field(), Field::Normalise);
            assert!(problem.to_string().contains("too close to divide by"), "{problem}");
        }
    }
}
