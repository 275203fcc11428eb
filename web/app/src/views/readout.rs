//! The cell that is looked at, in every map.

use std::sync::Arc;

use leptos::prelude::*;
use relp_model::{Figure, Method};

use crate::comparison::{self, Row};
use crate::known::Known;
use crate::labels;
use crate::locale::t;
use crate::state::State;
use crate::words;

/// Layer, position, token and the scores. The pinned cell is read out when no other is looked at.
#[component]
pub fn Readout(figure: Memo<Arc<Figure>>, exact: Memo<Option<Known>>) -> impl IntoView {
    let state = expect_context::<State>();
    let text = move || {
        let Some(cell) = state.cell.get().or(state.pin.get()) else {
            return t!("readout-help");
        };
        let figure = figure.get();
        // Of the pinned cell more may be known than the sweep has come to.
        let one = state.exact_of(cell).map(|known| known.of_pair(state.of_pair.get()));
        let own = one.or(exact.get());
        let score = |row: Row| {
            let site = row.site;
            let score = words::with_deviation(row.score?);
            Some(match row.exact {
                Some(exact) if figure.method != Method::Ap => {
                    let exact = labels::score(f64::from(exact.0));
                    t!("readout-with-exact", site = site.name(), score = score, exact = exact)
                }
                _ => format!("{site} {score}"),
            })
        };
        let rows = comparison::rows(&figure, own.as_ref(), cell).into_iter();
        let scores: Vec<String> =
            rows.filter(|row| row.component.is_none()).filter_map(score).collect();
        format!("{}: {}", words::cell(&figure, cell), scores.join(", "))
    };
    view! { <p class="readout" id="readout" aria-live="polite">{text}</p> }
}
