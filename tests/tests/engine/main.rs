//! The executors and the backward pass, across crates.

#![allow(clippy::unwrap_used, reason = "clippy knows a test's own code for one, not its helpers'")]

mod asides;
mod beginnings;
mod derivatives;
mod first_figure;
mod goldens;
mod hub;
mod large;
mod listings;
mod memory;
mod ops;
mod outside;
mod patching;
mod primer;
mod requests;
mod schema;
mod shaders;
mod small;
mod tokens;
