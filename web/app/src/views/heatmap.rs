//! One map: layers upward, positions to the right.

use std::sync::Arc;

use leptos::prelude::*;
use relp_model::{Figure, Site};

use super::grid::grid;
use super::table::Table;
use crate::geometry::Geometry;
use crate::labels;
use crate::scale::Scale;
use crate::state::State;
use crate::words;

/// The map of one site, its axes, and the same as a table.
#[component]
pub fn Heatmap(figure: Arc<Figure>, site: Site, scale: Memo<Scale>, number: u32) -> impl IntoView {
    let state = expect_context::<State>();
    let Some(map) = figure.maps.get(&site) else { return ().into_any() };
    let longest = figure.tokens.clean.iter().map(|token| labels::axis(&token.text).chars().count());
    let geometry = Geometry::new(map.layers(), map.positions(), longest.max().unwrap_or(0));
    let summary = words::map_summary(&figure, site);
    let tokens = token_labels(geometry, &figure).into_any();
    let cells = grid(map, geometry, scale, state.cell, summary, tokens);
    view! {
        <figure class="map" data-site=site.name() data-figure=number.to_string()>
            <h3>
                <code>{site.name()}</code>
                <span class="what">{words::site(site)}</span>
            </h3>
            {cells}
            <Table figure site />
        </figure>
    }
    .into_any()
}

fn token_labels(geometry: Geometry, figure: &Figure) -> impl IntoView + use<> {
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
