//! Cells that were kept, side by side.

use std::sync::Arc;

use leptos::prelude::*;
use relp_model::{Figure, Method, Site};

use super::explain::Explain;
use super::grid::look_at;
use crate::comparison::{self, Row};
use crate::known::Known;
use crate::labels;
use crate::locale::t;
use crate::state::State;
use crate::words;

/// A row for each kept cell that the figure has, a column for each of its maps.
#[component]
pub fn KeptCells(figure: Memo<Arc<Figure>>, exact: Memo<Option<Known>>) -> impl IntoView {
    let state = expect_context::<State>();
    move || {
        let kept = state.kept.get();
        if kept.is_empty() {
            return None;
        }
        let figure = figure.get();
        let exact = exact.get();
        let sites: Vec<Site> =
            Site::PAPER.into_iter().filter(|site| figure.maps.contains_key(site)).collect();
        let is_ap = figure.method == Method::Ap;
        let heads = sites.iter().map(|site| view! { <th scope="col">{site.name()}</th> });
        let rows = kept.into_iter().map(|at| {
            let scores = comparison::rows(&figure, exact.as_ref(), at);
            let title = words::cell(&figure, at);
            let cells = sites.iter().map(|site| {
                let row = scores.iter().find(|row| row.site == *site && row.component.is_none());
                view! { <td>{row.map_or("–".to_owned(), |row| score(row, is_ap))}</td> }
            });
            let cells = cells.collect_view();
            let label = t!("kept-let-go-of", cell = title.as_str());
            let drop = move |_| state.kept.update(|kept| kept.retain(|other| *other != at));
            view! {
                <tr
                    on:pointerenter=look_at(state.cell, move || Some(at))
                    on:pointerleave=look_at(state.cell, || None)
                >
                    <th scope="row">{title}</th>
                    {cells}
                    <td>
                        <button type="button" aria-label=label on:click=drop>"×"</button>
                    </td>
                </tr>
            }
        });
        let rows = rows.collect_view();
        let title = if is_ap { t!("kept-exact-scores") } else { t!("kept-scores") };
        Some(view! {
            <section class="pinned" id="kept-cells" aria-labelledby="kept-title">
                <div class="title">
                    <h2 id="kept-title">{title}</h2>
                    <button type="button" on:click=move |_| state.kept.set(Vec::new())>{t!("kept-let-go-of-all")}</button>
                    <Explain text=t!("about-kept") at="pinned" />
                </div>
                <div class="scroll" tabindex="0" role="region" aria-label=t!("kept-scores-region")>
                    <table>
                        <thead>
                            <tr>
                                <th scope="col">{t!("kept-cell")}</th>
                                {heads.collect_view()}
                                <th scope="col"><span class="visually-hidden">{t!("kept-let-go")}</span></th>
                            </tr>
                        </thead>
                        <tbody>{rows}</tbody>
                    </table>
                </div>
            </section>
        })
    }
}

fn score(row: &Row, is_ap: bool) -> String {
    let score = row.score.map_or("–".to_owned(), words::with_deviation);
    match row.exact {
        Some((exact, _)) if !is_ap => format!("{score} ({})", labels::score(f64::from(exact))),
        _ => score,
    }
}
