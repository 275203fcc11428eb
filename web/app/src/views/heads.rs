//! The heads: layers upward, heads to the right, each summed over the positions.

use leptos::prelude::*;
use relp_model::{Figure, Site};

use super::grid::grid;
use crate::comparison;
use crate::geometry::Geometry;
use crate::labels;
use crate::scale::Scale;
use crate::words;

/// The grid of heads, and what the head that is looked at scores.
pub fn heads(figure: &Figure, scale: Memo<Scale>) -> impl IntoView + use<> {
    let Some(map) = figure.maps.get(&Site::Z).map(comparison::by_head) else {
        return ().into_any();
    };
    let count = map.positions();
    let geometry = Geometry::new(map.layers(), count, 2);
    let here = RwSignal::new(None::<(usize, usize)>);
    let label = move |head: usize| {
        let x = geometry.x(head) + geometry.cell_width / 2.0;
        view! { <text x=x y=geometry.floor() + 13.0 class="head">{head}</text> }
    };
    let head_labels = (0..count).step_by(geometry.position_step()).map(label).collect_view();
    let cells =
        grid(&map, geometry, scale, here, words::heads_summary(&map), head_labels.into_any());
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
            {cells}
            <p class="help" id="head-readout" aria-live="polite">{readout}</p>
        </figure>
    }
    .into_any()
}
