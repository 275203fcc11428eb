//! What can go wrong, for the person who asked.

use relp_cpu::CpuError;
use relp_gpu::GpuError;
use relp_model::{CheckpointError, ConfigError, NoMean, Problem, TokenizerError};
use relp_tape::FeedError;

use crate::{Cancelled, SelfTestError};

/// Why a model could not be loaded or a request not be answered.
#[derive(Clone, Debug, thiserror::Error)]
pub enum EngineError {
    /// It is not wanted any more.
    #[error("Cancelled.")]
    Cancelled,
    /// The pair cannot be compared, for each of these reasons.
    #[error("{}", sentences(.0))]
    Pair(Vec<Problem>),
    /// One of several pairs cannot be compared.
    #[error("Pair {pair}: {}", sentences(.problems))]
    OneOfPairs {
        /// Which, counted from 1.
        pair: usize,
        /// Why.
        problems: Vec<Problem>,
    },
    /// The pairs have no mean.
    #[error("{0}")]
    NoMean(#[from] NoMean),
    /// There is no such layer.
    #[error("There is no layer {layer}: this model's are 0 to {}.", .layers - 1)]
    NoLayer {
        /// What was asked for.
        layer: usize,
        /// Layers of the model.
        layers: usize,
    },
    /// A file of the model cannot be used.
    #[error("{0}")]
    Config(#[from] ConfigError),
    /// A file of the model cannot be used.
    #[error("{0}")]
    Checkpoint(#[from] CheckpointError),
    /// A file of the model cannot be used.
    #[error("{0}")]
    Tokenizer(#[from] TokenizerError),
    /// A weight is too large for 16 bits.
    #[error("{0} holds values that 16 bits cannot: load the model with weights of 32 bits.")]
    NotHalves(String),
    /// The weights cannot be read.
    #[error("The weights cannot be read: {0}.")]
    Source(String),
    /// A model cannot be fetched or kept, in a sentence of whoever tried.
    #[error("{0}")]
    Fetch(String),
    /// No model has been loaded.
    #[error("No model is loaded yet: wait for it, or load one.")]
    NoModel,
    /// The GPU cannot be used.
    #[error("The GPU cannot be used: {0}.")]
    Gpu(#[from] GpuError),
    /// The GPU computes wrong numbers.
    #[error("{0}")]
    SelfTest(#[from] SelfTestError),
    /// The CPU executor refused a tape, which is a fault of this program.
    #[error("The computation failed: {0}. Please report this.")]
    Cpu(#[from] CpuError),
    /// The run's inputs were refused, which is a fault of this program.
    #[error("The computation failed: {0}. Please report this.")]
    Feed(#[from] FeedError),
    /// The results contradict themselves.
    #[error("The {device} gave results that cannot be right ({what}), so they are not shown.")]
    Implausible {
        /// What computed them.
        device: String,
        /// What is wrong.
        what: String,
    },
}

impl From<Cancelled> for EngineError {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}

impl EngineError {
    /// Whether the GPU is at fault, so that the CPU should be tried.
    pub fn is_of_gpu(&self) -> bool {
        matches!(self, Self::Gpu(_) | Self::SelfTest(_) | Self::Implausible { .. })
    }
}

fn sentences(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}
