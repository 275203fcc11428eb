//! A map as a grid of cells that pointer and keyboard walk: layers upward, columns to the right.

use leptos::prelude::*;
use relp_model::Map;

use crate::geometry::Geometry;
use crate::scale::Scale;

/// The cells of a map \[layer, column\] with the layers' numbers and the columns' labels; `here` is
/// the cell that is looked at.
pub fn grid(
    map: &Map,
    geometry: Geometry,
    scale: Memo<Scale>,
    here: RwSignal<Option<(usize, usize)>>,
    summary: String,
    column_labels: AnyView,
) -> impl IntoView + use<> {
    let (layers, columns) = (map.layers(), map.positions());
    let on_key = move |event: leptos::ev::KeyboardEvent| {
        // The first key only shows where one is.
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
    let places = (0..layers).flat_map(|layer| (0..columns).map(move |column| (layer, column)));
    let cells: Vec<_> = places
        .filter_map(|place| {
            let value = map.get(place.0, place.1)?;
            Some(view_cell(geometry, scale, here, place, value))
        })
        .collect();
    let focus = move || {
        let (layer, column) = here.get()?;
        Some(view! {
            <rect
                class="here"
                x=geometry.x(column)
                y=geometry.y(layer)
                width=geometry.cell_width
                height=geometry.cell_height
            />
        })
    };
    view! {
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
                <g class="axes" aria-hidden="true">
                    {layer_labels(geometry, layers)}
                    {column_labels}
                </g>
                {focus}
            </svg>
        </div>
    }
}

fn view_cell(
    geometry: Geometry,
    scale: Memo<Scale>,
    here: RwSignal<Option<(usize, usize)>>,
    (layer, column): (usize, usize),
    value: f32,
) -> impl IntoView + use<> {
    let (x, y) = (geometry.x(column), geometry.y(layer));
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
            data-column=column.to_string()
            data-value=value.to_string()
            on:pointerenter=move |_| here.set(Some((layer, column)))
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
