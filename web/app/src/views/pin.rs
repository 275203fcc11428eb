//! The pinned cell: every score at its layer and position, beside the exact one.

use std::sync::Arc;

use leptos::prelude::*;
use relp_model::{Figure, Grain, Method};

use super::explain::Explain;
use crate::comparison::{self, Row};
use crate::known::Exact;
use crate::labels;
use crate::locale::t;
use crate::session::Session;
use crate::state::{One, State};
use crate::words;

#[component]
pub fn Pinned(figure: Memo<Arc<Figure>>) -> impl IntoView {
    let state = expect_context::<State>();
    let session = expect_context::<Session>();
    let content = move || {
        let cell = state.pin.get()?;
        let figure = figure.get();
        let known = state.exact_of(cell);
        let known = known.map(|known| known.of_pair(state.of_pair.get()));
        let rows = comparison::rows(&figure, known.as_ref(), cell);
        let source = match (figure.method, state.exact.get(), state.one.get()) {
            (Method::Ap, ..) => t!("all-exact"),
            (Method::GradXInput, ..) => t!("not-an-estimate"),
            (_, Exact::Here(_), _) => t!("of-the-sweep"),
            (_, _, One::Here(of, _)) if of == cell => t!("of-itself"),
            (_, _, One::Running) => t!("is-patched"),
            _ if rows.iter().all(|row| row.exact.is_some()) => t!("of-the-sweep"),
            _ => t!("no-exact"),
        };
        let unsigned = figure.method.is_unsigned();
        let title = t!("pinned-cell", cell = words::cell(&figure, cell));
        let unit =
            if figure.normalised { t!("pinned-fraction") } else { words::unit(figure.metric.name) };
        let exact = t!("pinned-exact-scores", unit = unit.as_str());
        let body =
            rows.into_iter().map(|row| view_row(session, cell.0, row, unsigned)).collect_view();
        Some(view! {
            <section class="pinned" id="pinned" aria-labelledby="pinned-title">
                <div class="title">
                    <h2 id="pinned-title">{title}</h2>
                    <button
                        type="button"
                        id="keep"
                        disabled=move || state.kept.with(|kept| kept.contains(&cell))
                        title=t!("pinned-keep-help")
                        on:click=move |_| state.kept.update(|kept| kept.push(cell))
                    >
                        {t!("pinned-keep")}
                    </button>
                    <button type="button" id="unpin" on:click=move |_| state.pin.set(None)>{t!("pinned-unpin")}</button>
                    <Explain text=t!("about-pinned") at="pinned" />
                </div>
                <p class="help" id="pinned-source" aria-live="polite">{source}</p>
                <div class="scroll" tabindex="0" role="region" aria-label=t!("pinned-scores-region")>
                    <table>
                        <thead>
                            <tr>
                                <th scope="col">{t!("pinned-site")}</th>
                                <th scope="col">{format!("{}, {unit}", figure.method.title())}</th>
                                <th scope="col">{exact}</th>
                                <th scope="col">{t!("pinned-error")}</th>
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

fn view_row(session: Session, layer: usize, row: Row, unsigned: bool) -> impl IntoView {
    let name = match row.component {
        Some(which) => format!("{} {which}", row.site),
        None => row.site.to_string(),
    };
    // A head leads on to its own view.
    let opener = row.component.filter(|_| row.site.grain() == Grain::Head).map(|head| {
        let name = name.clone();
        view! {
            <button
                type="button"
                class="link"
                title=t!("pinned-open-head")
                on:click=move |_| session.open_head((layer, head))
            >
                {name}
            </button>
        }
        .into_any()
    });
    let number =
        |score: Option<(f32, Option<f32>)>| score.map_or("–".to_owned(), words::with_deviation);
    let error =
        row.error(unsigned).map_or("–".to_owned(), |error| labels::score(f64::from(error)));
    let exact = row.exact.map(|(exact, _)| exact.to_string());
    view! {
        <tr data-site=row.site.name() data-component=row.component.map(|c| c.to_string()) data-exact=exact>
            <th scope="row">{opener.unwrap_or_else(|| name.into_any())}</th>
            <td>{number(row.score)}</td>
            <td>{number(row.exact)}</td>
            <td>{error}</td>
        </tr>
    }
}
