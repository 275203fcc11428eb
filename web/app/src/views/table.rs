//! A map as a table, for those who read it better than colours.

use std::sync::Arc;

use leptos::prelude::*;
use relp_model::{Figure, Site};

use crate::labels;
use crate::locale::t;

/// The scores of one site, drawn when it is opened.
#[component]
pub fn Table(figure: Arc<Figure>, site: Site, values: Memo<Vec<Option<f32>>>) -> impl IntoView {
    let open = RwSignal::new(false);
    let table = move || open.get().then(|| scores(&figure, &values.get()));
    view! {
        <details on:toggle=move |_| open.set(true)>
            <summary>{t!("table-title")}</summary>
            <div class="scroll" tabindex="0" role="region" aria-label=t!("table-of-site", site = site.name())>
                {table}
            </div>
        </details>
    }
}

fn scores(figure: &Figure, values: &[Option<f32>]) -> impl IntoView + use<> {
    let tokens = figure.tokens.clean.iter();
    let heads = tokens.map(|token| view! { <th scope="col">{labels::axis(&token.text)}</th> });
    let row = |(layer, values): (usize, &[Option<f32>])| {
        let cells = values.iter().map(|value| {
            let text = value.map_or("…".to_owned(), |value| labels::score(f64::from(value)));
            view! { <td>{text}</td> }
        });
        view! { <tr><th scope="row">{layer}</th>{cells.collect_view()}</tr> }
    };
    let rows = values.chunks(figure.tokens.clean.len().max(1)).enumerate().rev();
    view! {
        <table>
            <thead><tr><th scope="col">{t!("table-layer")}</th>{heads.collect_view()}</tr></thead>
            <tbody>{rows.map(row).collect_view()}</tbody>
        </table>
    }
}
