//! What can go wrong, each in one sentence for the reader of the page.

use relp_tape::FeedError;
use thiserror::Error;

/// Why a GPU cannot be had, or a tape not be run on it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum GpuError {
    /// There is no WebGPU here, or nothing behind it.
    #[error("no GPU can be reached through WebGPU ({0}): use another browser, or run on the CPU")]
    NoAdapter(String),
    /// There is a GPU, but it does not offer what WebGPU promises.
    #[error("the GPU gave no device ({0}): run on the CPU")]
    NoDevice(String),
    /// The driver was reset, or the browser took the device away.
    #[error("the GPU was lost ({0}): load the model again, or run on the CPU")]
    Lost(String),
    /// The buffers do not fit into the GPU's memory.
    #[error("the GPU's memory is full: use a shorter prompt or a smaller model, or run on the CPU")]
    OutOfMemory,
    /// One tensor is larger than a shader can be given.
    #[error(
        "{name} takes {bytes} bytes and this GPU gives a shader at most {limit} at once: \
         use a shorter prompt or a smaller model, or run on the CPU"
    )]
    TooLarge {
        /// The tensor.
        name: String,
        /// Its size.
        bytes: u64,
        /// The GPU's limit.
        limit: u64,
    },
    /// The tape reads a weight that was never set.
    #[error("the weight {0} was not loaded: load a checkpoint that holds it")]
    MissingWeight(String),
    /// The tape reads a weight of another size than was set.
    #[error(
        "the weight {name} was loaded with {found} elements where {expected} are needed: \
         load the checkpoint that belongs to this model"
    )]
    WeightLength {
        /// The tensor.
        name: String,
        /// Elements that the tape reads.
        expected: usize,
        /// Elements that were set.
        found: usize,
    },
    /// The tape reads a weight in a way that halves, or several buffers, cannot be read.
    #[error(
        "the weight {name} is kept as halves or in parts, which {op} cannot read: please report this"
    )]
    NotPlain {
        /// The tensor.
        name: String,
        /// The op.
        op: &'static str,
    },
    /// The run was given something that does not fit its tape.
    #[error(transparent)]
    Feed(#[from] FeedError),
    /// The plan was made on another device, perhaps one that was lost.
    #[error("the plan belongs to another GPU: make it again on this one")]
    ForeignPlan,
    /// The GPU refused a command, which no input should bring about.
    #[error("the GPU refused a command: please report this, with the words: {0}")]
    Refused(String),
    /// The results could not be read back.
    #[error("the GPU did not give its results back: load the model again, or run on the CPU")]
    Readback,
}

impl From<wgpu::Error> for GpuError {
    fn from(error: wgpu::Error) -> Self {
        match error {
            wgpu::Error::OutOfMemory { .. } => GpuError::OutOfMemory,
            wgpu::Error::Validation { description, .. }
            | wgpu::Error::Internal { description, .. } => GpuError::Refused(description),
        }
    }
}
