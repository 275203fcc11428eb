//! The executors and the backward pass, across crates.

mod derivatives;
mod ops;
mod shaders;
