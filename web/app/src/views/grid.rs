//! A map as a grid of cells that pointer and keyboard walk: layers upward, columns to the right.

use leptos::html::Div;
use leptos::prelude::*;

use super::picture::Picture;
use crate::geometry::Geometry;
use crate::look::Seen;

/// A layer and a column.
pub type Place = (usize, usize);

/// What a pointer does that comes to a place, or leaves for none: Shift, held, freezes what is looked at.
pub fn look_at(
    here: RwSignal<Option<Place>>,
    to: impl Fn() -> Option<Place> + 'static,
) -> impl Fn(leptos::ev::PointerEvent) + 'static {
    move |event| {
        if !event.shift_key() {
            here.set(to());
        }
    }
}

/// What a grid draws and tells. Copies are handles to the same.
#[derive(Clone, Copy)]
pub struct Grid {
    /// Where things lie.
    pub geometry: Geometry,
    /// What of it is seen, and in which colours.
    pub seen: Seen,
    /// The scores \[layer, column\], row by row; `None` for what is not known yet.
    pub values: Memo<Vec<Option<f32>>>,
    /// The cell that is looked at.
    pub here: RwSignal<Option<Place>>,
    /// The cell that was chosen.
    pub chosen: RwSignal<Option<Place>>,
    /// What choosing does.
    pub choose: Callback<Place>,
    /// The map in words.
    pub summary: Signal<String>,
}

/// From so many cells on they are drawn as one picture: as many elements would make a browser stall.
const MOST_ELEMENTS: usize = 5_000;

/// The cells with the layers' numbers and the columns' labels. What is wider than its place scrolls below
/// the layers' numbers, which stay.
pub fn view_grid(
    grid: Grid,
    (layers, columns): Place,
    column_labels: AnyView,
) -> impl IntoView + use<> {
    let Grid { geometry, here, chosen, choose, summary, .. } = grid;
    let scroll = NodeRef::<Div>::new();
    let on_key = move |event: leptos::ev::KeyboardEvent| {
        // The first key only shows where one is.
        let from = here.get_untracked().or(chosen.get_untracked());
        let to = match from {
            Some(from) => geometry.neighbour(from, &event.key()),
            None => geometry.neighbour((0, 0), &event.key()).map(|_| (0, 0)),
        };
        if let Some(to) = to {
            event.prevent_default();
            here.set(Some(to));
            if let Some(scroll) = scroll.get_untracked() {
                bring_into_view(geometry, &scroll, to.1);
            }
        } else if matches!(event.key().as_str(), "Enter" | " ") {
            event.prevent_default();
            if let Some(at) = from {
                choose.run(at);
            }
        } else if event.key() == "Escape" {
            here.set(None);
            chosen.set(None);
        }
    };
    let as_picture = layers * columns > MOST_ELEMENTS;
    // A picture has no cells to point at; where the pointer is tells which one it is.
    let pointed = move |event: &leptos::ev::MouseEvent| {
        let svg = event_target::<web_sys::Element>(event).closest("svg").ok().flatten()?;
        let place = svg.get_bounding_client_rect();
        let scale = geometry.width() / place.width().max(1.0);
        let (x, y) = (f64::from(event.client_x()), f64::from(event.client_y()));
        geometry.cell_at((x - place.left()) * scale, (y - place.top()) * scale)
    };
    let on_move = move |event: leptos::ev::PointerEvent| {
        if as_picture && !event.shift_key() {
            here.set(pointed(&event));
        }
    };
    let on_click = move |event: leptos::ev::MouseEvent| {
        if let Some(at) = pointed(&event).filter(|_| as_picture) {
            choose.run(at);
        }
    };
    let (picture, cells) = if as_picture {
        (Some(view! { <Picture grid extent=(layers, columns) /> }), Vec::new())
    } else {
        let places = (0..layers).flat_map(|layer| (0..columns).map(move |column| (layer, column)));
        let cell = |(layer, column)| {
            let index = layer * columns + column;
            let value = move || grid.values.with(|values| values.get(index).copied().flatten());
            view_cell(grid, (layer, column), value)
        };
        (None, places.map(cell).collect())
    };
    let frame = move |class: &'static str, place: RwSignal<Option<Place>>| {
        move || {
            let (layer, column) = place.get()?;
            Some(view! {
                <rect
                    class=class
                    x=geometry.x(column)
                    y=geometry.y(layer)
                    width=geometry.cell_width
                    height=geometry.cell_height
                />
            })
        }
    };
    let (width, height) = (geometry.width(), geometry.height());
    let axis = geometry.axis_width();
    view! {
        <div class="scroll" node_ref=scroll>
            <div class="plot" dir="ltr" style=geometry.extent()>
                {picture}
                <svg
                    class="drawing"
                    width=width
                    height=height
                    viewBox=format!("0 0 {width} {height}")
                    tabindex="0"
                    role="img"
                    aria-label=summary
                    on:keydown=on_key
                    on:pointermove=on_move
                    on:click=on_click
                    on:pointerleave=look_at(here, || None)
                >
                    <g class="cells">{cells}</g>
                    <g class="axes" aria-hidden="true">{column_labels}</g>
                    {frame("chosen", chosen)}
                    {frame("here", here)}
                </svg>
                <svg
                    class="axis"
                    style=format!("width: {:.4}%", 100.0 * axis / width)
                    viewBox=format!("0 0 {axis} {}", geometry.floor())
                    aria-hidden="true"
                >
                    <g class="axes">{layer_labels(geometry, layers)}</g>
                </svg>
            </div>
        </div>
    }
}

/// Scrolls so that a column is seen beside the layers' numbers.
fn bring_into_view(geometry: Geometry, scroll: &web_sys::HtmlDivElement, column: usize) {
    let scale = f64::from(scroll.scroll_width()) / geometry.width();
    let (left, right) = (geometry.x(column) * scale, geometry.x(column + 1) * scale);
    let (from, axis) = (f64::from(scroll.scroll_left()), geometry.axis_width() * scale);
    let seen = f64::from(scroll.client_width());
    if left < from + axis {
        scroll.set_scroll_left((left - axis) as i32);
    } else if right > from + seen {
        scroll.set_scroll_left((right - seen).ceil() as i32);
    }
}

fn view_cell(
    Grid { geometry, seen: Seen { carrying, scale }, here, choose, .. }: Grid,
    (layer, column): Place,
    value: impl Fn() -> Option<f32> + Copy + Send + Sync + 'static,
) -> impl IntoView {
    let (x, y) = (geometry.x(column), geometry.y(layer));
    let minus = move || {
        let value = value().filter(|&value| carrying.get().has(value))?;
        scale.get().shows_minus(value).then(|| {
            let middle = y + geometry.cell_height / 2.0;
            let centre = x + geometry.cell_width / 2.0;
            let strong = scale.get().position(value) < -0.55;
            view! {
                <line class="minus" class:strong=strong x1=centre - 3.0 x2=centre + 3.0 y1=middle y2=middle />
            }
        })
    };
    let style = move || match value() {
        Some(value) if carrying.get().has(value) => format!("fill: {}", scale.get().css(value)),
        Some(_) => "fill: var(--zero)".to_owned(),
        None => "fill: url(#unknown)".to_owned(),
    };
    view! {
        <rect
            x=x
            y=y
            width=geometry.cell_width
            height=geometry.cell_height
            style=style
            data-layer=layer.to_string()
            data-column=column.to_string()
            data-value=move || value().map(|value| value.to_string())
            on:pointerenter=look_at(here, move || Some((layer, column)))
            on:click=move |_| choose.run((layer, column))
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

/// The hatching of cells that are not known yet, once for the whole page.
#[component]
pub fn Hatching() -> impl IntoView {
    view! {
        <svg width="0" height="0" class="hatching" aria-hidden="true">
            <defs>
                <pattern id="unknown" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
                    <line x1="0" y1="0" x2="0" y2="5" />
                </pattern>
            </defs>
        </svg>
    }
}
