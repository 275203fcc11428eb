//! Figures of this visit, to go back to.

use std::sync::Arc;

use leptos::prelude::*;
use relp_model::Figure;

use super::Session;
use crate::state::Origin;

/// So many are kept; a figure of GPT-2 small has some 100 kB.
const KEPT: usize = 24;

impl Session {
    /// Keeps a figure that was computed here.
    pub(super) fn remember(self, number: u32, figure: &Arc<Figure>) {
        self.state.history.update(|earlier| {
            earlier.push((number, figure.clone()));
            if earlier.len() > KEPT {
                earlier.remove(0);
            }
        });
    }

    /// Shows a figure of this visit again, with its settings.
    pub fn go_back(self, number: u32) {
        let found = self.state.history.with_untracked(|earlier| {
            earlier.iter().find(|(of, _)| *of == number).map(|(_, figure)| figure.clone())
        });
        if let Some(figure) = found {
            self.open(figure, Origin::Earlier(number));
        }
    }
}
