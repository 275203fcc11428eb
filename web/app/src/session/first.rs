//! The figure that is there before the engine has started: that of the file, or the first example's.

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
        if let Some(brought) = brought() {
            match figure_file::read(brought.as_bytes()) {
                Ok(figure) => self.open(Arc::new(figure), Origin::File(file_name())),
                Err(sentence) => self.state.failure.set(Some(sentence)),
            }
            return;
        }
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

/// The figure that a page of one file was saved with, as JSON.
fn brought() -> Option<String> {
    let text = document().get_element_by_id("relp-figure")?.text_content()?;
    Some(text).filter(|text| !text.is_empty() && text.trim() != "null")
}

/// The name of the page's own file.
fn file_name() -> String {
    let path = window().location().pathname().unwrap_or_default();
    path.rsplit('/').next().unwrap_or_default().to_owned()
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
