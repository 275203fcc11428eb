//! How figures are looked at, which changes nothing of what they say.

use leptos::prelude::*;
use relp_model::Site;

/// The signals. Copies are handles to the same ones.
#[derive(Clone, Copy)]
pub struct Look {
    /// Cells are shown that carry so many percent of their map's total.
    pub percent: RwSignal<u32>,
    /// Whether each map has a scale of its own.
    pub own_scales: RwSignal<bool>,
    /// Whether red and blue are swapped.
    pub swapped: RwSignal<bool>,
    /// The site that colours the tokens, by the sum of its layers at each position.
    pub tokens_by: RwSignal<Site>,
}

impl Look {
    /// All of each map, one scale, red for what is positive.
    pub fn new() -> Self {
        Self {
            percent: RwSignal::new(100),
            own_scales: RwSignal::new(false),
            swapped: RwSignal::new(false),
            tokens_by: RwSignal::new(Site::ResidPre),
        }
    }
}

impl Default for Look {
    fn default() -> Self {
        Self::new()
    }
}
