//! A map as a table, for those who read it better than colours.

use std::sync::Arc;

use leptos::prelude::*;
use relp_model::{Figure, Site};

use crate::labels;

/// The scores of one site, drawn when it is opened.
#[component]
pub fn Table(figure: Arc<Figure>, site: Site) -> impl IntoView {
    let open = RwSignal::new(false);
    let table = move || open.get().then(|| scores(&figure, site));
    view! {
        <details on:toggle=move |_| open.set(true)>
            <summary>"As a table"</summary>
            <div class="scroll" tabindex="0" role="region" aria-label=format!("{site} as a table")>
                {table}
            </div>
        </details>
    }
}

fn scores(figure: &Figure, site: Site) -> impl IntoView + use<> {
    let map = figure.maps.get(&site)?;
    let tokens = figure.tokens.clean.iter();
    let heads = tokens.map(|token| view! { <th scope="col">{labels::axis(&token.text)}</th> });
    let row = |layer: usize| {
        let cells = (0..map.positions()).filter_map(|position| map.get(layer, position));
        let cells = cells.map(|value| view! { <td>{labels::score(f64::from(value))}</td> });
        view! { <tr><th scope="row">{layer}</th>{cells.collect_view()}</tr> }
    };
    Some(view! {
        <table>
            <thead><tr><th scope="col">"layer"</th>{heads.collect_view()}</tr></thead>
            <tbody>{(0..map.layers()).rev().map(row).collect_view()}</tbody>
        </table>
    })
}
