//! The built page in Chromium and Firefox, against the native reference executor.
//!
//! `cargo xtask test` builds the page and says where it and the browsers are.

#![allow(clippy::unwrap_used, reason = "clippy knows a test's own code for one, not its helpers'")]

mod access;
mod asking;
mod browser;
mod comparing;
mod components;
mod embedding;
mod exact;
mod faults;
mod figures;
mod firefox;
mod hosting;
mod in_firefox;
mod languages;
mod learning;
mod looks;
mod models;
mod offline;
mod page;
mod questions;
mod reference;
mod server;
mod session;
mod sharing;
mod soak;
mod use_of_it;
