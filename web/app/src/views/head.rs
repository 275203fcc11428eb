//! A head's own view: where it looks on both prompts, and what it scores at each position.

use std::sync::Arc;

use leptos::prelude::*;
use relp_model::{Figure, Method};
use wasm_bindgen::JsCast;

use super::attention::{Colours, attention};
use super::explain::Explain;
use super::heatmap::{longest_label, token_labels};
use crate::comparison;
use crate::geometry::Geometry;
use crate::known::Known;
use crate::labels;
use crate::locale::{self, t};
use crate::scale::Scale;
use crate::state::State;

#[component]
pub fn HeadPanel(figure: Memo<Arc<Figure>>, exact: Memo<Option<Known>>) -> impl IntoView {
    let state = expect_context::<State>();
    let close = move || {
        state.head.set(None);
        // Back to where one came from.
        let grid = document().query_selector("figure.map:has(#head-readout) svg").ok().flatten();
        if let Some(grid) = grid {
            let grid: web_sys::HtmlElement = grid.unchecked_into();
            let _ = grid.focus();
        }
    };
    let on_key = move |event: leptos::ev::KeyboardEvent| {
        if event.key() == "Escape" {
            event.prevent_default();
            close();
        }
    };
    let content = move || {
        let (layer, head) = state.head.get()?;
        let patterns = move || {
            let here = state.patterns.get().filter(|patterns| patterns.layer == layer);
            let Some(patterns) = here else {
                let why = state.not_here().unwrap_or_else(|| t!("head-computing-patterns"));
                return view! { <p class="help">{why}</p> }.into_any();
            };
            let figure = figure.get();
            let of = |run: &[f32]| patterns.of_head(run, head).map(<[f32]>::to_vec);
            let (Some(clean), Some(corrupted)) = (of(&patterns.clean), of(&patterns.corrupted))
            else {
                return view! { <p class="help">{t!("no-heads")}</p> }.into_any();
            };
            let difference: Vec<f32> = clean.iter().zip(&corrupted).map(|(a, b)| a - b).collect();
            view! {
                <div class="attentions">
                    {attention(t!("head-on-clean"), "clean", &figure.tokens.clean, clean, Colours::Share)}
                    {attention(t!("head-on-corrupted"), "corrupted", &figure.tokens.corrupted, corrupted, Colours::Share)}
                    {attention(t!("head-clean-less-corrupted"), "difference", &figure.tokens.clean, difference, Colours::Difference)}
                </div>
            }
            .into_any()
        };
        let opened = NodeRef::<leptos::html::H2>::new();
        // Focus goes where there is something new to read, but not again with the next figure.
        Effect::new(move |_| {
            if let Some(title) = opened.get()
                && state.head_opened.get_untracked()
            {
                state.head_opened.set(false);
                let _ = title.focus();
            }
        });
        Some(view! {
            <section class="head-panel" id="head" aria-labelledby="head-title" on:keydown=on_key>
                <div class="title">
                    <h2 id="head-title" tabindex="-1" node_ref=opened>
                        {t!("head-title", layer = layer, head = head)}
                    </h2>
                    <button type="button" id="close-head" on:click=move |_| close()>{t!("head-close")}</button>
                    <Explain text=t!("about-head") at="head" />
                </div>
                <p class="help">{t!("attention-help")}</p>
                {patterns}
                {move || positions(&figure.get(), exact.get().as_ref(), (layer, head), state)}
            </section>
        })
    };
    view! { {content} }
}

/// The head's scores at each position: a row of the method's and one of the exact ones.
fn positions(
    figure: &Figure,
    exact: Option<&Known>,
    (layer, head): (usize, usize),
    state: State,
) -> impl IntoView + use<> {
    let site = comparison::heads_of(figure, state.head_site.get_untracked())?;
    let map = figure.maps.get(&site)?;
    let count = map.positions();
    // Two rows: the method's above the exact ones.
    let geometry = Geometry::new(8, count, longest_label(figure)).with_layers(2);
    let of = |map: &relp_model::Map, position| comparison::of_head(map, layer, position, head);
    let own: Vec<_> = (0..count).map(|position| of(map, position)).collect();
    let exacts: Vec<_> = (0..count)
        .map(|position| {
            let known = exact.filter(|known| known.has(site, layer, position))?;
            of(known.figure.maps.get(&site)?, position)
        })
        .collect();
    // A head among others may be faint, so its own view has its own scale.
    let scale = Scale::of(own.iter().chain(&exacts).flatten());
    let is_exact = figure.method == Method::Ap;
    let row = |name: &'static str, layer: usize, values: &[Option<f32>]| {
        let cells: Vec<_> = values
            .iter()
            .enumerate()
            .map(|(position, &value)| {
                let title =
                    value.map_or_else(|| t!("not-computed-yet"), |x| labels::score(f64::from(x)));
                let style = match value {
                    Some(value) => format!("fill: {}", scale.css(value)),
                    None => "fill: url(#unknown)".to_owned(),
                };
                view! {
                    <rect
                        x=geometry.x(position)
                        y=geometry.y(layer)
                        width=geometry.cell_width
                        height=geometry.cell_height
                        style=style
                        data-row=name
                        data-position=position.to_string()
                        data-value=value.map(|x| x.to_string())
                    >
                        <title>{title}</title>
                    </rect>
                }
            })
            .collect();
        cells
    };
    let table_row = |name: String, values: &[Option<f32>]| {
        let cells = values.iter().map(|value| {
            view! { <td>{value.map_or("–".to_owned(), |x| labels::score(f64::from(x)))}</td> }
        });
        view! { <tr><th scope="row">{name}</th>{cells.collect_view()}</tr> }
    };
    let name = if is_exact { t!("head-exact") } else { figure.method.title().to_owned() };
    let limit = locale::number(&format!("{:.3}", scale.limit));
    let of_what = if is_exact {
        t!("head-exact-by-position", limit = limit)
    } else {
        t!("head-both-by-position", method = name.as_str(), limit = limit)
    };
    let heads = figure.tokens.clean.iter();
    let heads = heads.map(|token| view! { <th scope="col">{labels::axis(&token.text)}</th> });
    let summary = t!("head-scores-summary", site = site.name());
    Some(view! {
        <div class="by-position">
            <h3>
                <code>{site.name()}</code>
                <span class="what">
                    {of_what}
                </span>
            </h3>
            <div class="scroll">
                <svg
                    width=geometry.width()
                    height=geometry.height()
                    viewBox=format!("0 0 {} {}", geometry.width(), geometry.height())
                    style=format!("min-width: {}px", 0.85 * geometry.width())
                    role="img"
                    aria-label=summary
                >
                    <g class="cells">
                        {row("method", 1, &own)}
                        {(!is_exact).then(|| row("exact", 0, &exacts))}
                    </g>
                    <g class="axes" aria-hidden="true">{token_labels(geometry, figure)}</g>
                </svg>
            </div>
            <details>
                <summary>{t!("as-a-table")}</summary>
                <div class="scroll" tabindex="0" role="region" aria-label=t!("head-scores-region")>
                    <table>
                        <thead><tr><th scope="col"></th>{heads.collect_view()}</tr></thead>
                        <tbody>
                            {table_row(name, &own)}
                            {(!is_exact).then(|| table_row(t!("head-exact"), &exacts))}
                        </tbody>
                    </table>
                </div>
            </details>
        </div>
    })
}
