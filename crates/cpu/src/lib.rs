//! The fast CPU executor.
//!
//! [`Cpu`] holds the weights; [`Cpu::plan`] allocates every buffer of a tape once; a [`Plan`] is
//! run as often as wanted, whole or op by op, and allocates nothing but its outputs. All cores are
//! used natively, one thread and 128-bit SIMD in the browser.

mod kernels;
mod parallel;
mod plan;

use std::collections::HashMap;
use std::sync::Arc;

use relp_tape::{FeedError, Tape};

pub use plan::Plan;

/// The executor: weights by name.
#[derive(Default)]
pub struct Cpu {
    weights: HashMap<String, Arc<[f32]>>,
}

/// Why the CPU executor could not run a tape.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CpuError {
    /// The tape reads a weight that was not given, or that has another size.
    #[error("the weight {name} needs {expected} values and has {found}")]
    Weight {
        /// The weight.
        name: String,
        /// Values that the tape expects.
        expected: usize,
        /// Values given; 0 if it is missing.
        found: usize,
    },
    /// The inputs do not fit the tape.
    #[error(transparent)]
    Feed(#[from] FeedError),
}

impl Cpu {
    /// An executor without weights.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives a weight, row-major. Plans made before keep what they had.
    pub fn set_weight(&mut self, name: &str, values: Vec<f32>) {
        self.weights.insert(name.to_owned(), values.into());
    }

    /// Allocates the buffers of a tape.
    ///
    /// # Errors
    /// If a weight of the tape is missing or has another size.
    pub fn plan(&self, tape: &Tape) -> Result<Plan, CpuError> {
        Plan::new(tape, &self.weights)
    }
}
