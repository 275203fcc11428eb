//! The program from outside: every option, bad input, exit statuses, and what is written where.

#![allow(clippy::unwrap_used, reason = "clippy knows a test's own code for one, not its helpers'")]

mod answers;
mod figures;
mod hub;
mod packs;
mod program;
mod refusals;
mod reports;
mod served;
