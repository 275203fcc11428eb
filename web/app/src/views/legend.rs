//! The colour scale of the maps.

use leptos::prelude::*;

use crate::labels;
use crate::scale::Scale;

/// The scale with its values, units, direction and rules.
#[component]
pub fn Legend(scale: Scale, words: String) -> impl IntoView {
    let ticks = scale.ticks().map(|tick| view! { <span>{labels::score(f64::from(tick))}</span> });
    view! {
        <div class="legend" id="legend">
            <div class="ramp" aria-hidden="true"><span>"−"</span></div>
            <div class="ticks">{ticks.into_iter().collect_view()}</div>
            <p>{words}</p>
        </div>
    }
}
