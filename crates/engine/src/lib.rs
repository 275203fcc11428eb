//! From a request to a figure.
//!
//! An [`Engine`] holds one model on one executor. [`Engine::load`] reads the weights from a
//! [`WeightSource`], its [`Reader`] tokenises and checks a pair, [`Engine::attribute`] runs a
//! [`Request`](relp_model::Request) and makes a [`Figure`](relp_model::Figure) of what it finds. The page's worker and
//! native programs use the same code; what differs is the [`WeightSource`] and the [`Control`].

mod control;
mod engine;
mod error;
mod executor;
mod loading;
mod patterns;
mod predict;
mod reader;
mod self_test;
mod similar;
mod source;
mod survey;

pub use control::{Cancelled, Control, Uncontrolled};
pub use engine::Engine;
pub use error::EngineError;
pub use reader::Reader;
#[cfg(not(target_arch = "wasm32"))]
pub use relp_cpu::compute_here;
#[cfg(feature = "threads")]
pub use relp_cpu::{lend, share};
pub use relp_gpu::{recall, remembered};
pub use self_test::{SelfTest, SelfTestError};
pub use source::{Files, Hashing, InMemory, WeightSource, piece};
