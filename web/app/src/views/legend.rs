//! The colour scale of the maps.

use leptos::prelude::*;

use crate::labels;
use crate::scale::Scale;

/// The scale with its values, units, direction and rules.
#[component]
pub fn Legend(scale: Memo<Scale>, words: Signal<String>) -> impl IntoView {
    let ticks = move || {
        let tick = |tick: f32| view! { <span>{labels::score(f64::from(tick))}</span> };
        scale.get().ticks().map(tick).into_iter().collect_view()
    };
    view! {
        <div class="legend" id="legend">
            <div class="ramp" aria-hidden="true"><span>"−"</span></div>
            <div class="ticks">{ticks}</div>
            <p>{words}</p>
        </div>
    }
}
