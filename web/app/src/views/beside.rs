//! A second figure beside the one that is shown, or in turn with it.

use std::sync::Arc;
use std::time::Duration;

use leptos::prelude::*;
use relp_model::{Figure, Method};

use crate::locale::t;
use crate::look::Beside;
use crate::state::State;

/// How long each of two figures is seen in turn: well below three changes a second.
const TURN: Duration = Duration::from_millis(900);

/// What is compared with, and how.
#[component]
pub fn BesideChoice(figure: Arc<Figure>) -> impl IntoView {
    let state = expect_context::<State>();
    let look = state.look;
    let is_exact = matches!(figure.method, Method::Ap | Method::GradXInput);
    let there = Memo::new(move |_| {
        let exact = !is_exact && state.exact.with(|exact| exact.known().is_some());
        (exact, state.comparable_before(&figure).is_some())
    });
    let value = move || look.beside.get().map_or("nothing", Beside::name);
    let choose = move |event| look.beside.set(Beside::of_name(&event_target_value(&event)));
    // The turns stop where people have asked for less motion; the button beside turns by hand.
    let turning = StoredValue::new(None::<IntervalHandle>);
    let stop = move || {
        if let Some(handle) = turning.try_update_value(Option::take).flatten() {
            handle.clear();
        }
    };
    Effect::new(move |_| {
        stop();
        look.other.set(false);
        if look.flicker.get() && look.beside.get().is_some() && !wants_less_motion() {
            let turn = move || look.other.update(|other| *other = !*other);
            turning.set_value(set_interval_with_handle(turn, TURN).ok());
        }
    });
    on_cleanup(stop);
    let turn = move || {
        let shown = look.beside.get().is_some() && look.flicker.get();
        shown.then(|| {
            let says = move || match (look.other.get(), look.beside.get()) {
                (true, Some(beside)) => t!("beside-shown-other", other = title(beside)),
                _ => t!("beside-shown-own"),
            };
            view! {
                <button
                    type="button"
                    id="beside-other"
                    on:click=move |_| look.other.update(|on| *on = !*on)
                >
                    {t!("beside-other")}
                </button>
                <span id="beside-shown">{says}</span>
            }
        })
    };
    view! {
        <div class="beside" role="group" aria-label=t!("beside")>
            <label class="switch">
                {t!("beside")} " "
                <select id="beside" on:change=choose prop:value=value>
                    <option value="nothing">{t!("beside-nothing")}</option>
                    <option value="exact" disabled=move || !there.get().0>{t!("beside-exact")}</option>
                    <option value="before" disabled=move || !there.get().1>{t!("beside-before")}</option>
                </select>
            </label>
            <label class="switch">
                <input
                    type="checkbox"
                    id="flicker"
                    disabled=move || look.beside.get().is_none()
                    prop:checked=move || look.flicker.get()
                    on:change=move |event| look.flicker.set(event_target_checked(&event))
                />
                {t!("beside-flicker")}
            </label>
            {turn}
        </div>
    }
}

/// How a figure that is compared with is called.
pub fn title(beside: Beside) -> String {
    match beside {
        Beside::Exact => t!("beside-exact"),
        Beside::Before => t!("beside-before"),
    }
}

fn wants_less_motion() -> bool {
    let query = window().match_media("(prefers-reduced-motion: reduce)").ok().flatten();
    query.is_some_and(|query| query.matches())
}
