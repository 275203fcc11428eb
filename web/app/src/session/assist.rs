//! Does what a lesson or the tour asks for, for those who would rather look on.

use leptos::prelude::*;
use relp_model::Site;

use super::Session;
use crate::comparison::{self, Scores};
use crate::lessons::{Deed, Seen};

impl Session {
    /// Does what a step of a lesson asks for.
    pub fn assist(self, deed: Deed) {
        let state = self.state;
        match deed {
            Deed::Pin => {
                let cell = state.course.seen.with_untracked(|seen| {
                    let map = seen.last()?.maps.get(&Site::ResidPre)?;
                    let position = map.positions().checked_sub(1)?;
                    let cells = (0..map.layers()).map(|layer| (layer, position));
                    cells.into_iter().find(|&cell| seen.carries_half(cell))
                });
                if let Some(cell) = cell {
                    self.pin(cell);
                }
            }
            Deed::ShowErrors => state.scores.set(Scores::Error),
            Deed::OpenHead => {
                if let Some((head, _)) = state.course.seen.with_untracked(Seen::mover) {
                    self.open_head(head);
                }
            }
            Deed::Method(method, rules) => {
                state.method.set(method);
                state.rules.set(rules);
            }
        }
    }

    /// Pins the cell with the largest score.
    pub fn pin_largest(self) {
        let largest = self.state.shown.with_untracked(|shown| {
            let map = shown.as_ref()?.figure.maps.get(&Site::ResidPre)?;
            let at = comparison::largest(&map.values)?;
            Some((at / map.positions(), at % map.positions()))
        });
        if let Some(cell) = largest {
            self.pin(cell);
        }
    }

    /// Opens the head with the largest score, summed over the positions.
    pub fn open_largest_head(self) {
        let largest = self.state.shown.with_untracked(|shown| {
            let figure = &shown.as_ref()?.figure;
            let map = figure.maps.get(&Site::Z)?;
            let at = comparison::largest(&map.by_head().values)?;
            let heads = map.heads().max(1);
            Some((at / heads, at % heads))
        });
        if let Some(head) = largest {
            self.open_head(head);
        }
    }
}
