//! The short tour of the page, which ends by doing. Whoever has taken or refused it is not asked again.

use leptos::prelude::*;

use crate::state::State;

/// Where it is kept that somebody has been asked.
const KEY: &str = "relp-tour";

/// The stops of the tour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Two prompts, an answer and a foil.
    Question,
    /// The maps, of which a cell is to be pinned.
    Maps,
    /// How far the method is from the exact answer.
    Evidence,
    /// The heads, of which one is to be opened.
    Heads,
    /// A token, which is to be changed.
    Tokens,
}

impl Stop {
    /// All of them, in order.
    pub const ALL: [Self; 5] =
        [Self::Question, Self::Maps, Self::Evidence, Self::Heads, Self::Tokens];

    /// Its name in the page.
    pub fn name(self) -> &'static str {
        match self {
            Self::Question => "question",
            Self::Maps => "maps",
            Self::Evidence => "evidence",
            Self::Heads => "heads",
            Self::Tokens => "tokens",
        }
    }
}

/// The tour. Copies are handles to the same one.
#[derive(Clone, Copy)]
pub struct Tour {
    /// Whether the visitor is invited.
    pub invites: RwSignal<bool>,
    /// The stop, if it is going on.
    pub at: RwSignal<Option<Stop>>,
    /// The pair with which the last stop began, which is left by changing it.
    pub pair: RwSignal<relp_model::PairText>,
}

impl Tour {
    /// Invites whoever comes for the first time.
    pub fn new() -> Self {
        let storage = window().local_storage().ok().flatten();
        // Where nothing can be kept, the invitation would come back.
        let invites = storage.is_some_and(|storage| matches!(storage.get_item(KEY), Ok(None)));
        Self {
            invites: RwSignal::new(invites),
            at: RwSignal::new(None),
            pair: RwSignal::new(relp_model::PairText::default()),
        }
    }
}

impl Default for Tour {
    fn default() -> Self {
        Self::new()
    }
}

/// The stop's name, if the tour is going on.
pub fn at(state: State) -> Option<&'static str> {
    state.tour.at.get().map(Stop::name)
}

/// Begins the tour.
pub fn begin(state: State) {
    answered(state);
    state.pin.set(None);
    state.head.set(None);
    go(state, Stop::Question);
}

/// Goes to a stop.
pub fn go(state: State, stop: Stop) {
    state.tour.pair.set(state.pair.get_untracked());
    state.tour.at.set(Some(stop));
}

/// Ends the tour or the invitation.
pub fn leave(state: State) {
    answered(state);
    state.tour.at.set(None);
}

/// Whether what the stop asks for has been done; `None` if it asks for nothing.
pub fn is_done(state: State, stop: Stop) -> Option<bool> {
    match stop {
        Stop::Question | Stop::Evidence => None,
        Stop::Maps => Some(state.pin.get().is_some()),
        Stop::Heads => Some(state.head.get().is_some()),
        Stop::Tokens => Some(state.pair.get() != state.tour.pair.get()),
    }
}

/// Nobody is asked twice.
fn answered(state: State) {
    if state.tour.invites.get_untracked() {
        state.tour.invites.set(false);
        if let Ok(Some(storage)) = window().local_storage() {
            let _kept = storage.set_item(KEY, "answered");
        }
    }
}
