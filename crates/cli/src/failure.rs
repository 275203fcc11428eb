//! Why there is no answer, and the exit status that says so to scripts.

use std::fmt::Display;
use std::io;

use relp_engine::EngineError;
use relp_hub::FetchError;

pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

/// Why a command ends without its answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// What was asked cannot be asked: an argument, a pair, or a file that is not what it should be.
    Input(String),
    /// It could be asked, and went wrong.
    Failed(String),
    /// Nobody reads the answer any more, as after `| head`.
    ClosedPipe,
}

impl Failure {
    pub(crate) fn input(why: impl Display) -> Self {
        Self::Input(sentence(why))
    }

    pub(crate) fn failed(why: impl Display) -> Self {
        Self::Failed(sentence(why))
    }

    /// The exit status.
    pub(crate) fn status(&self) -> u8 {
        match self {
            Self::Input(_) => 2,
            Self::Failed(_) => 1,
            Self::ClosedPipe => 0,
        }
    }

    /// The same, said of one of several things that were asked.
    pub(crate) fn at(self, place: Option<&str>) -> Self {
        let Some(place) = place else { return self };
        match self {
            Self::Input(why) => Self::Input(format!("{place}: {why}")),
            Self::Failed(why) => Self::Failed(format!("{place}: {why}")),
            Self::ClosedPipe => Self::ClosedPipe,
        }
    }

    /// A failure to write to a terminal or pipe.
    pub(crate) fn of_stdout(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::ClosedPipe
        } else {
            Self::failed(format_args!("The answer cannot be written: {error}"))
        }
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Pair(_)
            | EngineError::Config(_)
            | EngineError::Checkpoint(_)
            | EngineError::Tokenizer(_) => Self::input(error),
            _ => Self::failed(error),
        }
    }
}

impl From<FetchError> for Failure {
    fn from(error: FetchError) -> Self {
        match error {
            FetchError::Address(_) => Self::input(error),
            _ => Self::failed(error),
        }
    }
}

impl From<lexopt::Error> for Failure {
    fn from(error: lexopt::Error) -> Self {
        Self::input(format_args!("The arguments cannot be read: {error}"))
    }
}

/// Ends a text as a sentence ends; messages come from many places.
fn sentence(text: impl Display) -> String {
    let mut text = text.to_string();
    if !text.ends_with(['.', '?', '!']) {
        text.push('.');
    }
    text
}
