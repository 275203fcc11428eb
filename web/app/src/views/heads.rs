//! The heads: layers upward, heads to the right, each summed over the positions.

use std::sync::Arc;

use leptos::prelude::*;
use relp_model::{Figure, Site};

use crate::comparison;
use crate::geometry::Geometry;
use crate::labels;
use crate::scale::Scale;
use crate::words;

/// The grid of heads, its axes, and what the head that is looked at scores.
pub fn heads(figure: &Arc<Figure>, scale: Memo<Scale>) -> impl IntoView + use<> {
    let Some(map) = figure.maps.get(&Site::Z).map(comparison::by_head) else {
        return ().into_any();
    };
    let (layers, count) = (map.layers(), map.positions());
    let geometry = Geometry::new(layers, count, 2);
    let here = RwSignal::new(None::<(usize, usize)>);
    let on_key = move |event: leptos::ev::KeyboardEvent| {
        let to = match here.get_untracked() {
            Some(from) => geometry.neighbour(from, &event.key()),
            None => geometry.neighbour((0, 0), &event.key()).map(|_| (0, 0)),
        };
        if let Some(to) = to {
            event.prevent_default();
            here.set(Some(to));
        } else if event.key() == "Escape" {
            here.set(None);
        }
    };
    let cells = (0..layers).flat_map(|layer| (0..count).map(move |head| (layer, head)));
    let cells: Vec<_> = cells
        .filter_map(|(layer, head)| {
            let value = map.get(layer, head)?;
            let (x, y) = (geometry.x(head), geometry.y(layer));
            let middle = y + geometry.cell_height / 2.0;
            let centre = x + geometry.cell_width / 2.0;
            let minus = move || {
                scale.get().shows_minus(value).then(|| {
                    let strong = scale.get().position(value) < -0.55;
                    view! {
                        <line class="minus" class:strong=strong x1=centre - 3.0 x2=centre + 3.0 y1=middle y2=middle />
                    }
                })
            };
            Some(view! {
                <rect
                    x=x
                    y=y
                    width=geometry.cell_width
                    height=geometry.cell_height
                    style=move || format!("fill: {}", scale.get().css(value))
                    data-layer=layer.to_string()
                    data-head=head.to_string()
                    data-value=value.to_string()
                    on:pointerenter=move |_| here.set(Some((layer, head)))
                />
                {minus}
            })
        })
        .collect();
    let layer_labels: Vec<_> = (0..layers)
        .step_by(geometry.layer_step())
        .map(|layer| {
            let y = geometry.y(layer) + geometry.cell_height / 2.0;
            view! { <text x=geometry.x(0) - 6.0 y=y class="layer">{layer}</text> }
        })
        .collect();
    let head_labels: Vec<_> = (0..count)
        .step_by(geometry.position_step())
        .map(|head| {
            let x = geometry.x(head) + geometry.cell_width / 2.0;
            view! { <text x=x y=geometry.floor() + 13.0 class="head">{head}</text> }
        })
        .collect();
    let focus = move || {
        let (layer, head) = here.get()?;
        Some(view! {
            <rect
                class="here"
                x=geometry.x(head)
                y=geometry.y(layer)
                width=geometry.cell_width
                height=geometry.cell_height
            />
        })
    };
    let summary = words::heads_summary(&map);
    let readout = move || match here.get() {
        Some((layer, head)) => {
            let value = map.get(layer, head).unwrap_or_default();
            format!("layer {layer}, head {head}: {}", labels::score(f64::from(value)))
        }
        None => words::HEADS_HELP.to_owned(),
    };
    view! {
        <figure class="map" data-site="z">
            <h3>
                <code>"z"</code>
                <span class="what">{words::site(Site::Z)}</span>
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
                    on:pointerleave=move |_| here.set(None)
                >
                    <g class="cells">{cells}</g>
                    <g class="axes" aria-hidden="true">{layer_labels}{head_labels}</g>
                    {focus}
                </svg>
            </div>
            <p class="help" id="head-readout" aria-live="polite">{readout}</p>
        </figure>
    }
    .into_any()
}
