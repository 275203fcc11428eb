//! One map: layers upward, positions to the right.

use std::sync::Arc;

use leptos::prelude::*;
use relp_model::{Figure, Site};

use super::grid::{Grid, view_grid};
use super::look::seen_notes;
use super::table::Table;
use crate::comparison::Drawn;
use crate::geometry::Geometry;
use crate::labels;
use crate::scale::Scale;
use crate::session::Session;
use crate::state::State;
use crate::words;

/// The map of one site, its axes, and the same as a table. `figure` says of what extent it is.
#[component]
pub fn Heatmap(
    figure: Arc<Figure>,
    drawn: Memo<Drawn>,
    site: Site,
    scale: Memo<Scale>,
    number: u32,
    /// Of which figure it is, where there are two.
    label: Option<String>,
) -> impl IntoView {
    let state = expect_context::<State>();
    let session = expect_context::<Session>();
    let Some(map) = figure.maps.get(&site) else { return ().into_any() };
    let (layers, positions) = (map.layers(), map.positions());
    let values = Memo::new(move |_| {
        drawn.with(|drawn| {
            let places = (0..layers).flat_map(|layer| (0..positions).map(move |at| (layer, at)));
            let value = |(layer, position)| {
                let map = drawn.known.figure.maps.get(&site)?;
                let value = map.get(layer, position)?;
                drawn.known.has(site, layer, position).then_some(value)
            };
            places.map(value).collect::<Vec<_>>()
        })
    });
    let seen = state.look.at(values, scale);
    let grid = Grid {
        geometry: Geometry::new(layers, positions, longest_label(&figure)),
        seen,
        values,
        here: state.cell,
        chosen: state.pin,
        choose: Callback::new(move |cell| session.pin(cell)),
        summary: Signal::derive(move || {
            drawn.with(|drawn| words::map_summary(&drawn.known.figure, site))
        }),
    };
    let tokens = token_labels(grid.geometry, &figure).into_any();
    view! {
        <figure class="map" data-site=site.name() data-figure=number.to_string()>
            <h3>
                <code>{site.name()}</code>
                {label.map(|label| view! { <span class="of">{label}</span> })}
                {seen_notes(state.look, seen)}
                <span class="what">{words::site(site)}</span>
            </h3>
            {view_grid(grid, (layers, positions), tokens)}
            <Table figure site values />
        </figure>
    }
    .into_any()
}

/// How many characters the longest token has at an axis.
pub fn longest_label(figure: &Figure) -> usize {
    let lengths = figure.tokens.clean.iter().map(|token| labels::axis(&token.text).chars().count());
    lengths.max().unwrap_or(0)
}

/// The tokens along the axis of positions.
pub fn token_labels(geometry: Geometry, figure: &Figure) -> impl IntoView + use<> {
    let pairs = figure.tokens.clean.iter().zip(&figure.tokens.corrupted).enumerate();
    let label = |(position, (clean, corrupted)): (usize, (&relp_model::Token, _))| {
        let x = geometry.x(position) + geometry.cell_width / 2.0;
        let y = geometry.floor() + 9.0;
        let differs = clean != corrupted;
        let text = labels::axis(&clean.text);
        let turn = format!("rotate(-55 {x} {y})");
        view! { <text x=x y=y transform=turn class="token" class:differs=differs>{text}</text> }
    };
    // A position that differs is always named, also where others are left out.
    let step = geometry.position_step();
    let named = pairs.filter(|(position, (clean, corrupted))| {
        position.is_multiple_of(step)
            || (step > 1 && clean != corrupted && position % step == step / 2)
    });
    named.map(label).collect_view()
}
