//! The attention patterns of a layer.

use serde::{Deserialize, Serialize};

/// The attention patterns of a layer in both runs of a pair.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Patterns {
    /// The layer.
    pub layer: usize,
    /// Its heads, H.
    pub heads: usize,
    /// Positions, T.
    pub positions: usize,
    /// Of the clean run, \[H,T,T\]: for each query the share of each key.
    pub clean: Vec<f32>,
    /// Of the corrupted run.
    pub corrupted: Vec<f32>,
}

impl Patterns {
    /// The pattern of a head in a run, \[T,T\].
    pub fn of_head<'a>(&self, run: &'a [f32], head: usize) -> Option<&'a [f32]> {
        let len = self.positions * self.positions;
        run.get(head * len..(head + 1) * len)
    }
}
