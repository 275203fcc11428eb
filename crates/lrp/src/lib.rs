//! The backward pass, and the rules of layer-wise relevance propagation.
//!
//! [`backward`] walks the recorded ops in reverse and records their vector-Jacobian products onto
//! the same tape. With [`Rules::NONE`] that is the plain gradient (attribution patching); each
//! rule of [`Rules`] replaces one kind of local derivative (relevance patching, RelP,
//! arXiv 2508.21258). Only activations get a gradient, never weights, and the forward pass is not
//! touched.

mod backward;
mod rules;

pub use backward::{Block, Gradients, backward};
pub use rules::{Rule, Rules, UnknownRule};
