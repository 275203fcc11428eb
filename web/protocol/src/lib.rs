//! The messages between the page and its engine worker.
//!
//! Every [`Command`] carries an [`Id`] of the page's choosing, and every [`Event`] that answers it
//! carries the same. A command is answered by any number of [`Event::Progress`], [`Event::Download`] and [`Event::Part`] and
//! then by exactly one other event. A newer [`Command::Run`], [`Command::Load`] or [`Command::Switch`] supersedes
//! an older one that is not finished, which then fails with [`Failure::Cancelled`].
//!
//! Weights never cross this boundary: the worker fetches them itself.

use relp_model::{
    Choice, Device, Figure, Kind, Loaded, Metric, PairText, Part, Patterns, Precision, Preview,
    Problem, Request, Survey, Token,
};
use serde::{Deserialize, Serialize};

/// Ties an event to the command it answers.
pub type Id = u32;

/// The name of a worker that begins with [`Command::first`] and waits for nobody to ask it: a message would come
/// before there is anybody to hear it.
pub const FIRST: &str = "first";

/// The name of a worker that the engine's worker starts, to compute for it.
pub const THREAD: &str = "thread";

/// Of that command; the page counts its own from 1.
pub const FIRST_ID: Id = 0;

/// From the page to the worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Fetch a model and load it onto an executor. Answered by [`Event::Loaded`].
    Load {
        /// Of this command.
        id: Id,
        /// Which model.
        model: ModelSource,
        /// Onto which executor.
        choice: Choice,
        /// How exactly its weights are to be kept.
        precision: Precision,
    },
    /// Say what a known model would take here. Answered by [`Event::Preflight`].
    Preflight {
        /// Of this command.
        id: Id,
        /// Its name.
        name: String,
        /// What it would be computed by.
        kind: Kind,
        /// How exactly its weights would be kept.
        precision: Precision,
    },
    /// List the models that this browser keeps. Answered by [`Event::Stored`].
    Stored {
        /// Of this command.
        id: Id,
    },
    /// Remove a model that this browser keeps. Answered by [`Event::Stored`].
    Remove {
        /// Of this command.
        id: Id,
        /// Its repository.
        repo: String,
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
    /// Say how the model does on a pair. Answered by [`Event::Survey`].
    Survey {
        /// Of this command.
        id: Id,
        /// The pair.
        pair: PairText,
        /// The metric.
        metric: Metric,
    },
    /// Find what could stand in the place of a token. Answered by [`Event::Similar`].
    Similar {
        /// Of this command.
        id: Id,
        /// The prompt.
        text: String,
        /// Whether `<|endoftext|>` is put before it.
        bos: bool,
        /// The token's position.
        position: usize,
    },
    /// Give up a command that is not finished; it fails with [`Failure::Cancelled`].
    Cancel {
        /// Of the command to give up.
        id: Id,
    },
}

impl Command {
    /// What the page begins with: the bundled model, onto whatever there is.
    pub fn first() -> Self {
        let (choice, precision) = (Choice::default(), Precision::default());
        Self::Load { id: FIRST_ID, model: ModelSource::bundled(), choice, precision }
    }
}

/// Where a model's three files, `config.json`, `tokenizer.json` and `model.safetensors`, come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelSource {
    /// A folder of the page's own server.
    Folder {
        /// What people call the model.
        name: String,
        /// Relative to the page, ending in a slash.
        url: String,
    },
    /// A hub, or this browser if it keeps the model.
    Hub {
        /// The name of a known model, or `OWNER/NAME`.
        name: String,
        /// The hubs to ask, one after the other, as a person writes them; the usual one if there is none.
        mirrors: String,
    },
    /// Files that the person has chosen. They came in the message before, as an array of `File`: such
    /// things cannot be written down.
    Files,
}

impl ModelSource {
    /// The model that comes with the page. Its files are fetched by the script that starts the worker, too
    /// (`crates/xtask/src/boot.rs`).
    pub fn bundled() -> Self {
        Self::Folder { name: "primer".to_owned(), url: "models/primer/".to_owned() }
    }
}

/// How this browser keeps models.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keeping {
    /// As files that only this page sees (Origin Private File System).
    Files,
    /// In the browser's cache (Cache API).
    Cache,
    /// Not at all: in memory, as long as the model is in use.
    Memory,
}

/// The models that a browser keeps. Numbers of bytes may be larger than a `usize` here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stored {
    /// How they are kept.
    pub keeping: Keeping,
    /// Which they are.
    pub models: Vec<StoredModel>,
    /// Bytes that this page uses, and may use, if the browser says so.
    pub used: Option<f64>,
    /// See `used`.
    pub quota: Option<f64>,
    /// Whether the browser has promised not to remove them by itself.
    pub persistent: bool,
}

/// A model that a browser keeps, whole or in part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredModel {
    /// Its repository.
    pub repo: String,
    /// What people call it.
    pub title: String,
    /// Its bytes that are there.
    pub bytes: f64,
    /// Whether all of it is there and was checked.
    pub complete: bool,
}

/// What a model would take here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preflight {
    /// The name that was asked for.
    pub name: String,
    /// In plain words.
    pub words: String,
    /// Whether it can be used here.
    pub fits: bool,
    /// The name of the next smaller one that can.
    pub instead: Option<String>,
    /// Whether nothing is left to be fetched.
    pub is_stored: bool,
}

/// How far a download is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Download {
    /// The file that is being fetched.
    pub file: String,
    /// Bytes of all files that are there.
    pub done: f64,
    /// Bytes of all files, if that is known.
    pub total: Option<f64>,
    /// Bytes a second.
    pub rate: Option<f64>,
    /// Seconds that are left at this rate.
    pub left: Option<f64>,
}

/// From the worker to the page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The worker has started and listens.
    Ready,
    /// From now on it computes with threads. One that fails cannot tell the worker, which waits for what it computes; so it
    /// tells the page.
    Threads {
        /// The name of the `BroadcastChannel` on which it says why, in a text.
        channel: String,
    },
    /// A command is under way.
    Progress {
        /// Of the command.
        id: Id,
        /// What is being done.
        stage: Stage,
        /// Parts done: bytes of a download, or steps of a run.
        done: u64,
        /// Parts in all; 0 if that is not known.
        total: u64,
    },
    /// A model comes from a hub.
    Download {
        /// Of the command.
        id: Id,
        /// How far it is.
        download: Download,
    },
    /// What a model would take.
    Preflight {
        /// Of the command.
        id: Id,
        /// The answer.
        preflight: Preflight,
    },
    /// What this browser keeps.
    Stored {
        /// Of the command.
        id: Id,
        /// The answer.
        stored: Stored,
    },
    /// A model is loaded.
    Loaded {
        /// Of the command.
        id: Id,
        /// What was loaded, onto what.
        loaded: Loaded,
        /// Bytes of the worker's wasm memory, which never shrinks: the most that it has had.
        memory: usize,
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
    /// How the model does on a pair.
    Survey {
        /// Of the command.
        id: Id,
        /// What was found.
        survey: Survey,
    },
    /// What could stand in the place of a token.
    Similar {
        /// Of the command.
        id: Id,
        /// Most similar first.
        tokens: Vec<Token>,
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

/// A figure to be printed, as JSON to the printer's worker, which answers with the id and the file's bytes or
/// a sentence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PrintJob {
    /// Comes back with the answer.
    pub id: u32,
    /// The scores that are drawn.
    pub drawn: Figure,
    /// The figure that is kept inside, if it is another one.
    pub source: Option<Figure>,
    /// What the scores are less of.
    pub less: Option<String>,
    /// What it looks like.
    pub style: relp_print::Style,
    /// The file's format.
    pub format: relp_print::Format,
}
