//! The pinned cell: every score at its layer and position, beside the exact one.

use std::sync::Arc;

use leptos::prelude::*;
use relp_model::{Figure, Method};

use crate::comparison::{self, Row};
use crate::known::Exact;
use crate::labels;
use crate::state::{One, State};
use crate::words;

#[component]
pub fn Pinned(figure: Memo<Arc<Figure>>) -> impl IntoView {
    let state = expect_context::<State>();
    let content = move || {
        let cell = state.pin.get()?;
        let figure = figure.get();
        let known = state.exact_of(cell);
        let known = known.map(|known| known.of_pair(state.of_pair.get()));
        let rows = comparison::rows(&figure, known.as_ref(), cell);
        let source = match (figure.method, state.exact.get(), state.one.get()) {
            (Method::Ap, ..) => words::ALL_EXACT,
            (Method::GradXInput, ..) => words::NOT_AN_ESTIMATE,
            (_, Exact::Here(_), _) => words::OF_THE_SWEEP,
            (_, _, One::Here(of, _)) if of == cell => words::OF_ITSELF,
            (_, _, One::Running) => words::IS_PATCHED,
            _ if rows.iter().all(|row| row.exact.is_some()) => words::OF_THE_SWEEP,
            _ => words::NO_EXACT,
        };
        let unsigned = figure.method.is_unsigned();
        let title = words::cell(&figure, cell);
        let unit = if figure.normalised { "fraction" } else { words::unit(figure.metric.name) };
        let body = rows.into_iter().map(|row| view_row(row, unsigned)).collect_view();
        Some(view! {
            <section class="pinned" id="pinned" aria-labelledby="pinned-title">
                <div class="title">
                    <h2 id="pinned-title">"Pinned: " {title}</h2>
                    <button
                        type="button"
                        id="keep"
                        disabled=move || state.kept.with(|kept| kept.contains(&cell))
                        title="Keep this cell, to compare it with others"
                        on:click=move |_| state.kept.update(|kept| kept.push(cell))
                    >
                        "Keep"
                    </button>
                    <button type="button" id="unpin" on:click=move |_| state.pin.set(None)>"Unpin"</button>
                </div>
                <p class="help" id="pinned-source" aria-live="polite">{source}</p>
                <div class="scroll" tabindex="0" role="region" aria-label="Scores of the pinned cell">
                    <table>
                        <thead>
                            <tr>
                                <th scope="col">"site"</th>
                                <th scope="col">{format!("{}, {unit}", figure.method.title())}</th>
                                <th scope="col">{format!("exact (AP), {unit}")}</th>
                                <th scope="col">"error"</th>
                            </tr>
                        </thead>
                        <tbody>{body}</tbody>
                    </table>
                </div>
            </section>
        })
    };
    view! { {content} }
}

fn view_row(row: Row, unsigned: bool) -> impl IntoView {
    let name = match row.component {
        Some(which) => format!("{} {which}", row.site),
        None => row.site.to_string(),
    };
    let number =
        |score: Option<(f32, Option<f32>)>| score.map_or("–".to_owned(), words::with_deviation);
    let error =
        row.error(unsigned).map_or("–".to_owned(), |error| labels::score(f64::from(error)));
    let exact = row.exact.map(|(exact, _)| exact.to_string());
    view! {
        <tr data-site=row.site.name() data-component=row.component.map(|c| c.to_string()) data-exact=exact>
            <th scope="row">{name}</th>
            <td>{number(row.score)}</td>
            <td>{number(row.exact)}</td>
            <td>{error}</td>
        </tr>
    }
}
