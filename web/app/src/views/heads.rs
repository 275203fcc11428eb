//! The heads: layers upward, heads to the right, each summed over the positions.

use leptos::prelude::*;
use relp_model::{Cell, Figure, Site};

use super::explain::Explain;
use super::grid::{Grid, view_grid};
use super::look::seen_notes;
use crate::comparison::{self, Drawn};
use crate::geometry::Geometry;
use crate::labels;
use crate::locale::t;
use crate::scale::Scale;
use crate::session::Session;
use crate::state::State;
use crate::words;

/// The grid of heads, the choice of their site, and what the head that is looked at scores. `twin` names
/// the other of two figures, whose grid has no choice of its own.
pub fn heads_panel(
    figure: &Figure,
    drawn: Memo<Drawn>,
    scale: Memo<Scale>,
    twin: Option<&str>,
) -> impl IntoView + use<> {
    let state = expect_context::<State>();
    let session = expect_context::<Session>();
    let Some(site) = comparison::heads_of(figure, state.head_site.get_untracked()) else {
        return view! { <p class="help">{t!("no-heads")}</p> }.into_any();
    };
    let extent = figure.maps.get(&site).map_or((0, 0), |map| (map.layers(), map.heads()));
    let sums = Memo::new(move |_| drawn.with(|drawn| sums(drawn, site)));
    let geometry = Geometry::new(extent.0, extent.1, 2);
    let here = RwSignal::new(None::<(usize, usize)>);
    let summary = move || sums.with(|sums| words::heads_summary(site, sums, extent));
    let seen = state.look.at(sums, scale);
    let grid = Grid {
        geometry,
        seen,
        values: sums,
        here,
        chosen: state.head,
        choose: Callback::new(move |head| session.open_head(head)),
        summary: Signal::derive(summary),
    };
    let label = move |head: usize| {
        let x = geometry.x(head) + geometry.cell_width / 2.0;
        view! { <text x=x y=geometry.floor() + 13.0 class="head">{head}</text> }
    };
    let head_labels = (0..extent.1).step_by(geometry.position_step()).map(label).collect_view();
    let readout = move || match here.get() {
        Some((layer, head)) => {
            let value = sums.with(|sums| sums.get(layer * extent.1 + head).copied().flatten());
            let value =
                value.map_or_else(|| t!("not-computed-yet"), |x| labels::score(f64::from(x)));
            t!("heads-readout", layer = layer, head = head, value = value)
        }
        None => t!("heads-help"),
    };
    view! {
        <figure class="map" id=twin.is_none().then_some("heads") data-site=site.name()>
            <div class="title">
                <h3>
                    <code>{site.name()}</code>
                    {twin.map(str::to_owned).map(|label| view! { <span class="of">{label}</span> })}
                    {seen_notes(state.look, seen)}
                    <span class="what">{words::site(site)}</span>
                </h3>
                {twin.is_none().then(|| view! {
                    <SiteChoice />
                    <Explain text=t!("about-heads") at="heads" />
                })}
            </div>
            {view_grid(grid, extent, head_labels.into_any())}
            <p class="help" id=twin.is_none().then_some("head-readout") aria-live="polite">{readout}</p>
            {table_of_heads(site, extent, sums)}
        </figure>
    }
    .into_any()
}

/// The same as a table, drawn when it is opened.
fn table_of_heads(
    site: Site,
    (layers, heads): (usize, usize),
    sums: Memo<Vec<Option<f32>>>,
) -> impl IntoView {
    let open = RwSignal::new(false);
    let table = move || {
        open.get().then(|| {
            let sums = sums.get();
            let row = |layer: usize| {
                let cells = (0..heads).map(|head| {
                    let value = sums.get(layer * heads + head).copied().flatten();
                    let text = value.map_or("…".to_owned(), |x| labels::score(f64::from(x)));
                    view! { <td>{text}</td> }
                });
                view! { <tr><th scope="row">{layer}</th>{cells.collect_view()}</tr> }
            };
            let names = (0..heads).map(|head| view! { <th scope="col">{head}</th> });
            view! {
                <table>
                    <thead>
                        <tr><th scope="col">{t!("heads-layer-by-head")}</th>{names.collect_view()}</tr>
                    </thead>
                    <tbody>{(0..layers).rev().map(row).collect_view()}</tbody>
                </table>
            }
        })
    };
    view! {
        <details class="below" on:toggle=move |_| open.set(true)>
            <summary>{t!("table-title")}</summary>
            <div class="scroll" tabindex="0" role="region" aria-label=t!("table-of-site", site = site.name())>
                {table}
            </div>
        </details>
    }
}

/// The heads' scores summed over positions; `None` where one of them is missing.
fn sums(drawn: &Drawn, site: Site) -> Vec<Option<f32>> {
    let Some(map) = drawn.known.figure.maps.get(&site) else { return Vec::new() };
    let sums = map.by_head();
    let missing = |layer: usize| {
        (0..map.positions())
            .any(|position| drawn.known.missing.contains(&(site, Cell { layer, position })))
    };
    let heads = map.heads().max(1);
    let known = |(index, value): (usize, f32)| (!missing(index / heads)).then_some(value);
    sums.values.into_iter().enumerate().map(known).collect()
}

#[component]
fn SiteChoice() -> impl IntoView {
    let state = expect_context::<State>();
    let choose = move |event| {
        if let Ok(site) = event_target_value(&event).parse::<Site>() {
            state.head_site.set(site);
        }
    };
    let option = |site: Site| {
        let chosen = move || state.head_site.get() == site;
        view! { <option value=site.name() selected=chosen>{site.name()}</option> }
    };
    view! {
        <label class="small">
            <span class="visually-hidden">{t!("heads-site")}</span>
            <select
                id="head-site"
                on:change=choose
                prop:value=move || state.head_site.get().name()
            >
                {Site::HEADS.map(option).into_iter().collect_view()}
            </select>
        </label>
    }
}
