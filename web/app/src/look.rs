//! How figures are looked at, which changes nothing of what they say.

use leptos::prelude::*;
use relp_model::Site;

use crate::scale::Scale;
use crate::threshold::Carrying;

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
    /// The figure that is compared with the one that is shown.
    pub beside: RwSignal<Option<Beside>>,
    /// Whether the two are seen in turn, not side by side.
    pub flicker: RwSignal<bool>,
    /// Whether it is the other's turn.
    pub other: RwSignal<bool>,
}

/// A figure to compare with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beside {
    /// The exact answer.
    Exact,
    /// The figure before, that was made in another way.
    Before,
}

impl Beside {
    /// Its name in the page and in links.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Before => "before",
        }
    }

    /// The one of a name.
    pub fn of_name(name: &str) -> Option<Self> {
        [Self::Exact, Self::Before].into_iter().find(|beside| beside.name() == name)
    }
}

impl Look {
    /// All of each map, one scale, red for what is positive.
    pub fn new() -> Self {
        Self {
            percent: RwSignal::new(100),
            own_scales: RwSignal::new(false),
            swapped: RwSignal::new(false),
            tokens_by: RwSignal::new(Site::ResidPre),
            beside: RwSignal::new(None),
            flicker: RwSignal::new(false),
            other: RwSignal::new(false),
        }
    }
}

/// What of a map is seen, and in which colours.
#[derive(Clone, Copy)]
pub struct Seen {
    /// The cells that are shown; the others are as if they were 0.
    pub carrying: Memo<Carrying>,
    /// The scale: the shared one, or the map's own.
    pub scale: Memo<Scale>,
}

impl Look {
    /// What is seen of a map with these scores.
    pub fn at(self, values: Memo<Vec<Option<f32>>>, shared: Memo<Scale>) -> Seen {
        let carrying = Memo::new(move |_| values.with(|all| Carrying::of(all, self.percent.get())));
        let scale = Memo::new(move |_| {
            if self.own_scales.get() {
                values.with(|all| Scale::of(all.iter().flatten()))
            } else {
                shared.get()
            }
        });
        Seen { carrying, scale }
    }
}

impl Default for Look {
    fn default() -> Self {
        Self::new()
    }
}
