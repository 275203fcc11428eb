//! One map: layers upward, positions to the right.

use std::sync::Arc;

use leptos::prelude::*;
use relp_model::{Figure, Site};

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
    let on_key = move |event: leptos::ev::KeyboardEvent| {
        let from = state.cell.get_untracked();
        // The first key only shows where one is.
        let to = match from {
            Some(from) => geometry.neighbour(from, &event.key()),
            None => geometry.neighbour((0, 0), &event.key()).map(|_| (0, 0)),
        };
        if let Some(to) = to {
            event.prevent_default();
            state.cell.set(Some(to));
        } else if event.key() == "Escape" {
            state.cell.set(None);
        }
    };
    let positions = map.positions();
    let cells =
        (0..map.layers()).flat_map(|layer| (0..positions).map(move |position| (layer, position)));
    let cells = cells.filter_map(|(layer, position)| {
        let value = map.get(layer, position)?;
        Some(view_cell(state, geometry, scale, (layer, position), value))
    });
    let focus = move || {
        let (layer, position) = state.cell.get()?;
        Some(view! {
            <rect
                class="here"
                x=geometry.x(position)
                y=geometry.y(layer)
                width=geometry.cell_width
                height=geometry.cell_height
            />
        })
    };
    view! {
        <figure class="map" data-site=site.name() data-figure=number.to_string()>
            <h3>
                <code>{site.name()}</code>
                <span class="what">{words::site(site)}</span>
            </h3>
            <div class="scroll">
                <svg
                    width=geometry.width()
                    height=geometry.height()
                    viewBox=format!("0 0 {} {}", geometry.width(), geometry.height())
                    style=format!("min-width: {}px", 0.85 * geometry.width())
                    tabindex="0"
                    role="img"
                    aria-label=summary
                    on:keydown=on_key
                    on:pointerleave=move |_| state.cell.set(None)
                >
                    <g class="cells">{cells.collect_view()}</g>
                    <g class="axes" aria-hidden="true">
                        {layer_labels(geometry, map.layers())}
                        {token_labels(geometry, &figure)}
                    </g>
                    {focus}
                </svg>
            </div>
            <Table figure site />
        </figure>
    }
    .into_any()
}

fn view_cell(
    state: State,
    geometry: Geometry,
    scale: Memo<Scale>,
    (layer, position): (usize, usize),
    value: f32,
) -> impl IntoView + use<> {
    let (x, y) = (geometry.x(position), geometry.y(layer));
    let minus = move || {
        scale.get().shows_minus(value).then(|| {
            let middle = y + geometry.cell_height / 2.0;
            let centre = x + geometry.cell_width / 2.0;
            let strong = scale.get().position(value) < -0.55;
            view! {
                <line class="minus" class:strong=strong x1=centre - 3.0 x2=centre + 3.0 y1=middle y2=middle />
            }
        })
    };
    view! {
        <rect
            x=x
            y=y
            width=geometry.cell_width
            height=geometry.cell_height
            style=move || format!("fill: {}", scale.get().css(value))
            data-layer=layer.to_string()
            data-position=position.to_string()
            data-value=value.to_string()
            on:pointerenter=move |_| state.cell.set(Some((layer, position)))
        />
        {minus}
    }
}

fn layer_labels(geometry: Geometry, layers: usize) -> impl IntoView + use<> {
    let label = move |layer: usize| {
        let y = geometry.y(layer) + geometry.cell_height / 2.0;
        view! { <text x=geometry.x(0) - 6.0 y=y class="layer">{layer}</text> }
    };
    (0..layers).step_by(geometry.layer_step()).map(label).collect_view()
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
