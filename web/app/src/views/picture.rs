//! The cells of a map too large for an element each, as one picture.

use leptos::html::Canvas;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};

use super::grid::{Grid, Place};
use crate::look::Seen;
use crate::scale::Scale;
use crate::state::State;

/// Pixels of the picture for one of the drawing, so that cells are crisp when the page is magnified.
const DENSITY: f64 = 2.0;

/// The cells below a drawing that has none of its own.
#[component]
pub fn Picture(grid: Grid, extent: Place) -> impl IntoView {
    let state = expect_context::<State>();
    let canvas = NodeRef::<Canvas>::new();
    let geometry = grid.geometry;
    let scheme = scheme_changes();
    Effect::new(move |_| {
        let Some(canvas) = canvas.get() else { return };
        state.look.swapped.track();
        scheme.track();
        let Seen { carrying, scale } = grid.seen;
        let (values, carrying, scale) = (grid.values.get(), carrying.get(), scale.get());
        // Colours are read off the page, where a change of them has to have arrived.
        request_animation_frame(move || {
            let shown = |value: &Option<f32>| value.map(|x| if carrying.has(x) { x } else { 0.0 });
            let values: Vec<Option<f32>> = values.iter().map(shown).collect();
            paint(&canvas, grid, extent, &values, scale);
        });
    });
    let share = |part: f64, of: f64| format!("{:.4}%", 100.0 * part / of);
    let (width, height) = (geometry.width(), geometry.height());
    let (left, top) = (geometry.x(0), geometry.y(extent.0.saturating_sub(1)));
    let style = format!(
        "left: {}; top: {}; width: {}; height: {}",
        share(left, width),
        share(top, height),
        share(geometry.x(extent.1) - left, width),
        share(geometry.floor() - top, height),
    );
    view! { <canvas node_ref=canvas class="picture" style=style aria-hidden="true"></canvas> }
}

fn paint(
    canvas: &HtmlCanvasElement,
    grid: Grid,
    (layers, columns): Place,
    values: &[Option<f32>],
    scale: Scale,
) {
    let geometry = grid.geometry;
    let (left, top) = (geometry.x(0), geometry.y(layers.saturating_sub(1)));
    canvas.set_width((DENSITY * (geometry.x(columns) - left)).round() as u32);
    canvas.set_height((DENSITY * (geometry.floor() - top)).round() as u32);
    let context = canvas.get_context("2d").ok().flatten();
    let Some(context) = context.and_then(|one| one.dyn_into::<CanvasRenderingContext2d>().ok())
    else {
        return;
    };
    let style = window().get_computed_style(canvas).ok().flatten();
    let property = |name: &str| {
        let style = style.as_ref();
        style.and_then(|style| style.get_property_value(name).ok()).unwrap_or_default()
    };
    let [positive, negative, zero, paper, unknown] =
        ["--positive", "--negative", "--zero", "--paper", "--line"].map(property);
    context.set_fill_style_str(&paper);
    context.fill_rect(0.0, 0.0, f64::from(canvas.width()), f64::from(canvas.height()));
    let (width, height) = (geometry.cell_width, geometry.cell_height);
    for (index, value) in values.iter().enumerate() {
        let (x, y) = (geometry.x(index % columns.max(1)), geometry.y(index / columns.max(1)));
        let at = [x - left + 0.5, y - top + 0.5, width - 1.0, height - 1.0].map(|x| DENSITY * x);
        match value {
            Some(value) => {
                let colour = scale.css_of(*value, [&positive, &negative, &zero]);
                context.set_fill_style_str(&colour);
            }
            None => context.set_fill_style_str(&unknown),
        }
        context.fill_rect(at[0], at[1], at[2], at[3]);
    }
}

/// Changes when the page's colours do, by the system's light or dark.
fn scheme_changes() -> RwSignal<u32> {
    let changes = RwSignal::new(0);
    let query = window().match_media("(prefers-color-scheme: dark)").ok().flatten();
    if let Some(query) = query {
        let changed = Closure::<dyn Fn()>::new(move || {
            // The figure may be gone by then.
            if let Some(mut count) = changes.try_write() {
                *count += 1;
            }
        });
        let added =
            query.add_event_listener_with_callback("change", changed.as_ref().unchecked_ref());
        // It lives as long as the figure.
        let kept = StoredValue::new_local((query, changed));
        on_cleanup(move || {
            kept.with_value(|(query, changed)| {
                let changed = changed.as_ref().unchecked_ref();
                let _gone = query.remove_event_listener_with_callback("change", changed);
            });
        });
        debug_assert!(added.is_ok());
    }
    changes
}
