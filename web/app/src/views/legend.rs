//! The colour scale of the maps.

use leptos::prelude::*;

use crate::labels;
use crate::locale::t;
use crate::scale::Scale;
use crate::state::State;

/// The scale with its values, units, direction and rules. Of scores that have no sign, its upper half.
#[component]
pub fn Legend(
    scale: Memo<Scale>,
    words: Signal<String>,
    unsigned: Signal<bool>,
    incomplete: Signal<bool>,
) -> impl IntoView {
    let look = expect_context::<State>().look;
    let ticks = move || {
        let scale = scale.get();
        let ticks =
            if unsigned.get() { scale.ticks_of_sizes().to_vec() } else { scale.ticks().to_vec() };
        let words = |tick: f32| match (look.own_scales.get(), scale.position(tick)) {
            (false, _) => labels::score(f64::from(tick)),
            // The ends are each map's own.
            (true, at) if at <= -1.0 => t!("legend-minus-largest"),
            (true, at) if at >= 1.0 => t!("legend-plus-largest"),
            (true, 0.0) => "0".to_owned(),
            (true, _) => String::new(),
        };
        let tick = |tick: f32| view! { <span>{words(tick)}</span> };
        ticks.into_iter().map(tick).collect_view()
    };
    view! {
        <div class="legend" id="legend">
            <div class="ramp" class:sizes=unsigned aria-hidden="true">
                <span>{move || if unsigned.get() { "" } else { "−" }}</span>
            </div>
            <div class="ticks">{ticks}</div>
            {move || incomplete.get().then(|| view! {
                <p class="hatched"><span class="hatch" aria-hidden="true"></span>{t!("legend-not-computed")}</p>
            })}
            <p>{words}</p>
        </div>
    }
}
