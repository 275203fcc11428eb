//! The messages between the page and its engine worker.
//!
//! Every [`Command`] carries an [`Id`] of the page's choosing, and every [`Event`] that answers it
//! carries the same. A command is answered by any number of [`Event::Progress`] and [`Event::Part`] and
//! then by exactly one other event. A newer [`Command::Run`], [`Command::Load`] or [`Command::Switch`] supersedes
//! an older one that is not finished, which then fails with [`Failure::Cancelled`].
//!
//! Weights never cross this boundary: the worker fetches them itself.

use relp_model::{
    Choice, Device, Figure, Loaded, Metric, PairText, Part, Patterns, Preview, Problem, Request,
};
use serde::{Deserialize, Serialize};

/// Ties an event to the command it answers.
pub type Id = u32;

/// From the page to the worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Fetch a model and load it onto an executor. Answered by [`Event::Loaded`].
    Load {
        /// Of this command.
        id: Id,
        /// Which model.
        model: ModelAddress,
        /// Onto which executor.
        choice: Choice,
    },
    /// Move the model to another executor. Answered by [`Event::Loaded`].
    Switch {
        /// Of this command.
        id: Id,
        /// Which executor.
        choice: Choice,
    },
    /// Tokenise and check a pair. Answered by [`Event::Preview`].
    Preview {
        /// Of this command.
        id: Id,
        /// The pair.
        pair: PairText,
        /// The metric, on which it depends whether answers and foils are wanted.
        metric: Metric,
    },
    /// Run a request. Answered by [`Event::Figure`].
    Run {
        /// Of this command.
        id: Id,
        /// What is wanted.
        request: Request,
    },
    /// Compute the attention patterns of a layer. Answered by [`Event::Patterns`].
    Patterns {
        /// Of this command.
        id: Id,
        /// The pair.
        pair: PairText,
        /// The layer.
        layer: usize,
    },
    /// Give up a command that is not finished; it fails with [`Failure::Cancelled`].
    Cancel {
        /// Of the command to give up.
        id: Id,
    },
}

/// Where a model's three files are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelAddress {
    /// What people call it.
    pub name: String,
    /// The folder with `config.json`, `tokenizer.json` and `model.safetensors`, absolute or
    /// relative to the page, ending in a slash.
    pub url: String,
}

/// From the worker to the page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The worker has started and listens.
    Ready,
    /// A command is under way.
    Progress {
        /// Of the command.
        id: Id,
        /// What is being done.
        stage: Stage,
        /// Parts done: bytes of a download, or steps of a run.
        done: usize,
        /// Parts in all; 0 if that is not known.
        total: usize,
    },
    /// A model is loaded.
    Loaded {
        /// Of the command.
        id: Id,
        /// What was loaded, onto what.
        loaded: Loaded,
    },
    /// A pair as the model sees it.
    Preview {
        /// Of the command.
        id: Id,
        /// The tokens and problems.
        preview: Preview,
    },
    /// What is there so far of a run, which goes on.
    Part {
        /// Of the command.
        id: Id,
        /// The figure so far.
        part: Box<Part>,
    },
    /// The attention patterns of a layer.
    Patterns {
        /// Of the command.
        id: Id,
        /// What was found.
        patterns: Patterns,
    },
    /// A run has come to its end.
    Figure {
        /// Of the command.
        id: Id,
        /// What it found.
        figure: Box<Figure>,
        /// The device, which a failure during the run may have changed.
        device: Device,
    },
    /// A command failed; everything is as it was before it.
    Failed {
        /// Of the command.
        id: Id,
        /// Why.
        failure: Failure,
    },
}

/// What takes time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Files are fetched; parts are bytes.
    Fetching,
    /// Weights are moved to the executor; parts are bytes.
    Loading,
    /// The computation runs; parts are its steps.
    Running,
}

/// Why a command failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// It was given up or superseded.
    Cancelled,
    /// The pair cannot be compared, for each of these reasons.
    Pair(Vec<Problem>),
    /// Anything else, in a sentence with a remedy.
    Other(String),
}
