//! The built page in Chromium, against the native reference executor.
//!
//! `cargo xtask test` builds the page and says where it and the browser are.

#![allow(clippy::unwrap_used, reason = "clippy knows a test's own code for one, not its helpers'")]

mod browser;
mod components;
mod exact;
mod faults;
mod figures;
mod looks;
mod models;
mod offline;
mod page;
mod questions;
mod reference;
mod server;
mod use_of_it;
