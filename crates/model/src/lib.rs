//! GPT-2 and what is asked of it.
//!
//! [`Config`] and [`Checkpoint`] check what comes from outside; [`gpt2`] records the forward pass;
//! [`Pair`] is two prompts that can be compared; [`Recipe`] records what a method needs, a
//! [`Computation`] ([`Attribution`], [`Integrated`] gradients or an exact [`Sweep`]), and [`Figure`]
//! is what it ends in. Nothing here does input or output, and nothing
//! here computes: executors do.

mod agreement;
mod attribution;
mod checkpoint;
mod config;
mod device;
mod figure;
pub mod gpt2;
mod header;
mod integrated;
mod mean;
mod metric;
mod names;
mod neuron;
mod pair;
mod patch;
mod patterns;
mod precision;
mod prediction;
mod readout;
mod recipe;
mod replace;
mod request;
mod run;
mod scores;
mod site;
mod splits;
mod survey;
mod sweep;
mod tokenizer;
mod unusable;

pub use agreement::{Agreement, SiteAgreement, agreement};
pub use attribution::Attribution;
pub use checkpoint::{Checkpoint, CheckpointError, Dtype, TensorInfo};
pub use config::{Config, ConfigError};
pub use device::{Choice, Device, Fallback, Kind, Loaded};
pub use figure::{
    Executor, FIGURE_SCHEMA, Figure, Map, MetricValues, ModelInfo, OfPair, Predictions, Tokens,
};
pub use integrated::Integrated;
pub use mean::{NoMean, mean, same_length};
pub use metric::Metric;
pub use names::{Direction, Method, UnknownName, rules_as_names};
pub use neuron::Neuron;
pub use pair::{Field, Note, Pair, PairText, Problem, Prompt, check_normaliser};
pub use patch::Patch;
pub use patterns::Patterns;
pub use precision::Precision;
pub use prediction::{Prediction, top_predictions};
pub use recipe::{Computation, Recipe};
pub use relp_lrp::{Rule, Rules, UnknownRule};
pub use replace::Replace;
pub use request::{Cell, Part, Preview, Request};
pub use run::Run;
pub use site::{Grain, Site};
pub use survey::Survey;
pub use sweep::Sweep;
pub use tokenizer::{Token, Tokenizer, TokenizerError};
pub use unusable::Unusable;
