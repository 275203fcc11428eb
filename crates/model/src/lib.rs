//! GPT-2 and what is asked of it.
//!
//! [`Config`] and [`Checkpoint`] check what comes from outside; [`gpt2`] records the forward pass;
//! [`Pair`] is two prompts that can be compared; [`Attribution`] records a whole run, forward and
//! backward, and [`Figure`] is what a run ends in. Nothing here does input or output, and nothing
//! here computes: executors do.

mod attribution;
mod checkpoint;
mod config;
mod device;
mod figure;
pub mod gpt2;
mod names;
mod pair;
mod prediction;
mod request;
mod site;
mod tokenizer;

pub use attribution::{Attribution, Run};
pub use checkpoint::{Checkpoint, CheckpointError, Dtype, TensorInfo};
pub use config::{Config, ConfigError};
pub use device::{Choice, Device, Fallback, Kind, Loaded};
pub use figure::{Executor, FIGURE_SCHEMA, Figure, Map, Metric, ModelInfo, Predictions, Tokens};
pub use names::{Direction, Method, UnknownName, rules_as_names};
pub use pair::{Field, Note, Pair, PairText, Problem, Prompt, check_normaliser};
pub use prediction::{Prediction, top_predictions};
pub use relp_lrp::{Rules, UnknownRule};
pub use request::{Preview, Request};
pub use site::Site;
pub use tokenizer::{Token, Tokenizer, TokenizerError};
