//! The figure that is there before the engine has started.

use std::sync::Arc;

use leptos::prelude::*;
use relp_model::{Figure, Preview};

use super::Session;
use crate::figure_file;
use crate::known::Exact;
use crate::link::Link;
use crate::state::{Origin, Shown};

/// The first example's figure and exact answer, as a test holds the engine to compute them.
const FIRST: &str = include_str!("../../../../models/primer/first.json");
const FIRST_EXACT: &str = include_str!("../../../../models/primer/first-exact.json");

impl Session {
    /// Shows it, until the engine has computed it here.
    pub(super) fn show_first(self) {
        let Some((figure, exact)) = first() else { return };
        let state = self.state;
        let request = figure_file::request(&figure);
        // A link asks for something else.
        if untrack(|| super::link_of(state)) != Link::default() {
            return;
        }
        let (clean, corrupted) = (figure.tokens.clean.clone(), figure.tokens.corrupted.clone());
        state.preview.set(Preview { clean, corrupted, problems: Vec::new(), notes: Vec::new() });
        let asked = untrack(|| state.request());
        let origin = Some(Origin::Beforehand);
        state.shown.set(Some(Shown { request, asked, figure, number: 0, origin }));
        state.exact.set(Exact::Here(exact));
    }
}

/// The figure and its exact answer. A test proves that they can be read.
fn first() -> Option<(Arc<Figure>, Arc<Figure>)> {
    let read = |text: &str| figure_file::read(text.as_bytes()).ok().map(Arc::new);
    Some((read(FIRST)?, read(FIRST_EXACT)?))
}

#[cfg(test)]
mod tests {
    use relp_model::Method;

    use super::*;
    use crate::examples::EXAMPLES;

    #[test]
    fn they_are_of_the_pair_that_the_page_begins_with() {
        let (figure, exact) = first().expect("they can be read");
        assert_eq!((figure.method, exact.method), (Method::Relp, Method::Ap));
        assert_eq!(figure.tokens, exact.tokens);
        assert_eq!(figure_file::request(&figure).pair, EXAMPLES[0].pair());
    }
}
