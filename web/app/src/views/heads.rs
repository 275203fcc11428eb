//! The heads: layers upward, heads to the right, each summed over the positions.

use leptos::prelude::*;
use relp_model::{Cell, Figure, Site};

use super::grid::{Grid, view_grid};
use super::look::seen_notes;
use crate::comparison::{self, Drawn};
use crate::geometry::Geometry;
use crate::labels;
use crate::scale::Scale;
use crate::session::Session;
use crate::state::State;
use crate::words;

/// The grid of heads, the choice of their site, and what the head that is looked at scores.
pub fn heads_panel(
    figure: &Figure,
    drawn: Memo<Drawn>,
    scale: Memo<Scale>,
) -> impl IntoView + use<> {
    let state = expect_context::<State>();
    let session = expect_context::<Session>();
    let Some(site) = comparison::heads_of(figure, state.head_site.get_untracked()) else {
        return view! { <p class="help">{words::NO_HEADS}</p> }.into_any();
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
                value.map_or("not computed yet".to_owned(), |x| labels::score(f64::from(x)));
            format!("layer {layer}, head {head}: {value}")
        }
        None => words::HEADS_HELP.to_owned(),
    };
    view! {
        <figure class="map" data-site=site.name()>
            <div class="title">
                <h3>
                    <code>{site.name()}</code>
                    {seen_notes(state.look, seen)}
                    <span class="what">{words::site(site)}</span>
                </h3>
                <SiteChoice />
            </div>
            {view_grid(grid, extent, head_labels.into_any())}
            <p class="help" id="head-readout" aria-live="polite">{readout}</p>
        </figure>
    }
    .into_any()
}

/// The heads' scores summed over positions; `None` where one of them is missing.
fn sums(drawn: &Drawn, site: Site) -> Vec<Option<f32>> {
    let Some(map) = drawn.known.figure.maps.get(&site) else { return Vec::new() };
    let sums = comparison::by_head(map);
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
            <span class="visually-hidden">"Site of the heads"</span>
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
