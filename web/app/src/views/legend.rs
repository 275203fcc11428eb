//! The colour scale of the maps.

use leptos::prelude::*;

use crate::labels;
use crate::scale::Scale;

/// The scale with its values, units, direction and rules. Of scores that have no sign, its upper half.
#[component]
pub fn Legend(
    scale: Memo<Scale>,
    words: Signal<String>,
    unsigned: Signal<bool>,
    incomplete: Signal<bool>,
) -> impl IntoView {
    let ticks = move || {
        let tick = |tick: f32| view! { <span>{labels::score(f64::from(tick))}</span> };
        let scale = scale.get();
        let ticks =
            if unsigned.get() { scale.ticks_of_sizes().to_vec() } else { scale.ticks().to_vec() };
        ticks.into_iter().map(tick).collect_view()
    };
    view! {
        <div class="legend" id="legend">
            <div class="ramp" class:sizes=unsigned aria-hidden="true">
                <span>{move || if unsigned.get() { "" } else { "−" }}</span>
            </div>
            <div class="ticks">{ticks}</div>
            {move || incomplete.get().then(|| view! {
                <p class="hatched"><span class="hatch" aria-hidden="true"></span>"not computed yet"</p>
            })}
            <p>{words}</p>
        </div>
    }
}
