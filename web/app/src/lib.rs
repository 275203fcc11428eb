//! The page: two prompts in, attribution maps out.
//!
//! [`session`] talks to the engine's worker and keeps [`state`]; `views` draw the state and know
//! nothing of executors; what they draw is computed by pure functions ([`scale`], [`labels`],
//! [`geometry`], [`comparison`]). Every sentence of the interface is in `words`.

#![allow(unreachable_pub, reason = "components are public by leptos's macro")]
#![allow(
    missing_docs,
    reason = "leptos's macro makes props public; only `App` is used from outside"
)]

pub mod alternatives;
mod app;
pub mod comparison;
pub mod doctor;
mod dropped;
pub mod editing;
pub mod embedding;
pub mod examples;
pub mod figure_file;
pub mod geometry;
pub mod here;
pub mod known;
pub mod labels;
pub mod lessons;
pub mod link;
pub mod locale;
pub mod look;
pub mod models;
mod offline;
mod printer;
pub mod scale;
pub mod session;
pub mod share;
pub mod standalone;
pub mod state;
#[cfg(test)]
mod testing;
pub mod threshold;
pub mod tour;
mod views;
mod words;
mod worker;

pub use app::App;
