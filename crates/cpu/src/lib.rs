//! The fast CPU executor.
//!
//! [`Cpu`] holds the weights; [`Cpu::plan`] allocates every buffer of a tape once; a [`Plan`] is
//! run as often as wanted, whole or op by op, and allocates little but its outputs. All cores are
//! used natively; in the browser 128-bit SIMD and one thread, or, with the feature `threads`, those that are lent.

mod kernels;
#[cfg(any(feature = "threads", test))]
mod lent;
mod parallel;
mod plan;
mod vectors;
mod weights;

use relp_tape::{FeedError, Tape};

#[cfg(any(feature = "threads", test))]
pub use lent::{lend, share};
#[cfg(not(target_arch = "wasm32"))]
pub use parallel::compute_here;
pub use parallel::threads;
pub use plan::Plan;
#[cfg(all(target_arch = "x86_64", feature = "narrow-vectors"))]
pub use vectors::narrow_vectors;

/// The executor: weights by name.
pub struct Cpu {
    weights: weights::Weights,
    panels: Option<usize>,
}

impl Default for Cpu {
    fn default() -> Self {
        // What lies one after the other is foreseen by the processor, and is fetched ahead (benches/README.md).
        Self::with_panels(Some(kernels::PANEL))
    }
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
    /// The tape reads a weight in a way that halves cannot be read.
    #[error("the weight {name} is kept as halves, but {op} needs it in f32")]
    Halves {
        /// The weight.
        name: String,
        /// The op.
        op: &'static str,
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

    /// An executor that keeps matrices which are only multiplied with in panels of so many columns, or row by row:
    /// [`new`](Self::new) does what is faster.
    ///
    /// # Panics
    /// If panels have no columns.
    pub fn with_panels(panels: Option<usize>) -> Self {
        assert_ne!(panels, Some(0), "panels have columns");
        Self { weights: weights::Weights::new(), panels }
    }

    /// Allocates the buffers of a tape, and brings its matrices into the order that its products want.
    ///
    /// # Errors
    /// If a weight of the tape is missing or has another size.
    pub fn plan(&mut self, tape: &Tape) -> Result<Plan, CpuError> {
        self.plan_beside(tape, [])
    }

    /// Does the same, but allocates nothing for its [forward part](Tape::forward) if one of
    /// the other plans has the same: then both have the same memory, and what either computes there
    /// need not be computed by the other.
    ///
    /// # Errors
    /// As of [`plan`](Self::plan).
    pub fn plan_beside<'a>(
        &mut self,
        tape: &Tape,
        others: impl IntoIterator<Item = &'a Plan>,
    ) -> Result<Plan, CpuError> {
        self.arrange(tape);
        Plan::new(tape, &self.weights, others)
    }
}
