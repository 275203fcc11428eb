//! Fetching, with a network and a clock made of a script: every fault, instantly.

#![allow(clippy::unwrap_used, reason = "clippy knows a test's own code for one, not its helpers'")]

mod faults;
mod loading;
mod net;
mod resuming;
