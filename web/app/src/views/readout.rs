//! The cell that is looked at, in every map.

use std::sync::Arc;

use leptos::prelude::*;
use relp_model::{Figure, Method, Site};

use crate::labels;
use crate::state::{Exact, State};
use crate::words;

/// Layer, position, token and the three scores.
#[component]
pub fn Readout(figure: Arc<Figure>) -> impl IntoView {
    let state = expect_context::<State>();
    let text = move || match state.cell.get() {
        None => {
            "Point at a cell, or reach a map by Tab and walk it with the arrow keys.".to_owned()
        }
        Some(cell) => {
            let at = |figure: &Figure, site: Site| {
                let value = figure.maps.get(&site)?.get(cell.0, cell.1)?;
                Some(labels::score(f64::from(value)))
            };
            let exact = state.exact.get();
            let score = |site: Site| {
                let value = at(&figure, site)?;
                match &exact {
                    Exact::Here(exact) if figure.method != Method::Ap => {
                        Some(format!("{site} {value} (exact {})", at(exact, site)?))
                    }
                    _ => Some(format!("{site} {value}")),
                }
            };
            let scores: Vec<String> = Site::PAPER.into_iter().filter_map(score).collect();
            format!("{}: {}", words::cell(&figure, cell), scores.join(", "))
        }
    };
    view! { <p class="readout" id="readout" aria-live="polite">{text}</p> }
}
