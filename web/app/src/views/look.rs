//! The switches of how figures are looked at.

use leptos::prelude::*;
use relp_model::Site;

use crate::labels;
use crate::locale::t;
use crate::look::{Look, Seen};
use crate::state::State;

/// How many percent the slider's left end is.
const LEAST: u32 = 50;

#[component]
pub fn LookControls() -> impl IntoView {
    let look = expect_context::<State>().look;
    let percent = move || look.percent.get();
    let slide = move |event| {
        if let Ok(percent) = event_target_value(&event).parse::<u32>() {
            look.percent.set(percent.clamp(LEAST, 100));
        }
    };
    let switch = move |id: &'static str, title: String, signal: RwSignal<bool>| {
        view! {
            <label class="switch">
                <input
                    type="checkbox"
                    id=id
                    prop:checked=move || signal.get()
                    on:change=move |event| signal.set(event_target_checked(&event))
                />
                {title}
            </label>
        }
    };
    let choose = move |event| {
        if let Ok(site) = event_target_value(&event).parse::<Site>() {
            look.tokens_by.set(site);
        }
    };
    let option = move |site: Site| {
        let chosen = move || look.tokens_by.get() == site;
        view! { <option value=site.name() selected=chosen>{site.name()}</option> }
    };
    view! {
        <div class="look" role="group" aria-label=t!("look-label")>
            <label class="switch carrying">
                <input
                    type="range"
                    id="percent"
                    min=LEAST.to_string()
                    max="100"
                    step="1"
                    prop:value=move || percent().to_string()
                    on:input=slide
                />
                <span title=t!("look-carrying-help")>
                    {t!("look-carrying")} " " <b>{percent} " %"</b>
                </span>
            </label>
            {switch("own-scales", t!("look-own-scales"), look.own_scales)}
            {switch("swap-colours", t!("look-swap-colours"), look.swapped)}
            <label class="switch">
                {t!("look-tokens-by")} " "
                <select id="tokens-by" on:change=choose prop:value=move || look.tokens_by.get().name()>
                    {Site::PAPER.map(option).into_iter().collect_view()}
                </select>
            </label>
        </div>
    }
}

/// How many cells of a map are seen if not all are, and its limit if it has a scale of its own.
pub fn seen_notes(look: Look, Seen { carrying, scale }: Seen) -> impl IntoView {
    let count = move || {
        let carrying = carrying.get();
        (look.percent.get() < 100)
            .then(|| t!("look-cells-seen", cells = carrying.cells, of = carrying.of))
    };
    let limit = move || {
        let limit = labels::score(f64::from(scale.get().limit));
        look.own_scales.get().then(|| t!("look-limit", limit = limit.trim_start_matches('+')))
    };
    view! {
        <span class="count">{count}</span>
        <span class="limit">{limit}</span>
    }
}
