//! The built page in Chromium, against the native reference executor.
//!
//! `cargo xtask test` builds the page and says where it and the browser are.

#![allow(clippy::unwrap_used, reason = "clippy knows a test's own code for one, not its helpers'")]

mod access;
mod asking;
mod browser;
mod comparing;
mod components;
mod exact;
mod faults;
mod figures;
mod languages;
mod learning;
mod looks;
mod models;
mod offline;
mod page;
mod questions;
mod reference;
mod server;
mod sharing;
mod use_of_it;
