//! The tour: an invitation on the first visit, then a stop after the other.

use leptos::html;
use leptos::prelude::*;
use relp_model::Prompt;

use crate::locale::t;
use crate::session::Session;
use crate::state::State;
use crate::tour::{self, Stop};

/// The invitation, which stands where it moves nothing.
#[component]
pub fn TourInvitation() -> impl IntoView {
    let state = expect_context::<State>();
    let invites = Memo::new(move |_| {
        let busy = state.tour.at.get().is_some() || state.course.at.get().is_some();
        state.tour.invites.get() && !busy
    });
    move || {
        invites.get().then(|| {
            view! {
                <div class="tour-invitation" id="tour-invitation" role="group" aria-label=t!("tour-invitation")>
                    <button type="button" class="link" id="tour-start" on:click=move |_| tour::begin(state)>
                        {t!("tour-start")}
                    </button>
                    <button type="button" class="link" id="tour-skip" on:click=move |_| tour::leave(state)>
                        {t!("tour-skip")}
                    </button>
                </div>
            }
        })
    }
}

/// The stop that the tour is at.
#[component]
pub fn TourPanel() -> impl IntoView {
    let state = expect_context::<State>();
    move || state.tour.at.get().map(|stop| view_stop(state, stop))
}

fn view_stop(state: State, stop: Stop) -> impl IntoView {
    let session = expect_context::<Session>();
    let text = match stop {
        Stop::Question => t!("tour-question"),
        Stop::Maps => t!("tour-maps"),
        Stop::Evidence => t!("tour-evidence"),
        Stop::Heads => t!("tour-heads"),
        Stop::Tokens => t!("tour-tokens"),
    };
    let at = Stop::ALL.iter().position(|one| *one == stop).unwrap_or_default();
    let next = Stop::ALL.get(at + 1).copied();
    let done = Memo::new(move |_| tour::is_done(state, stop));
    let heading = NodeRef::<html::P>::new();
    Effect::new(move |_| {
        if let Some(heading) = heading.get() {
            let _there = heading.focus();
        }
        bring_into_view(stop);
    });
    let go_on = move |_| match next {
        Some(next) => tour::go(state, next),
        None => tour::leave(state),
    };
    let help = move |_| match stop {
        Stop::Maps => session.pin_largest(),
        Stop::Heads => session.open_largest_head(),
        Stop::Tokens => {
            // The first token of the prompt that differs from the other prompt.
            let place = state.preview.with_untracked(|preview| {
                let both = preview.clean.iter().zip(&preview.corrupted);
                both.enumerate()
                    .find(|(_, (clean, corrupted))| clean != corrupted)
                    .map(|(at, _)| at)
            });
            session.edit_token(Prompt::Clean, place.unwrap_or(1));
        }
        Stop::Question | Stop::Evidence => {}
    };
    let deed = move || match done.get() {
        None => ().into_any(),
        Some(true) => view! { <span class="done">{t!("lesson-done")}</span> }.into_any(),
        Some(false) => view! {
            <button type="button" id="tour-assist" on:click=help>{t!("lesson-assist")}</button>
        }
        .into_any(),
    };
    view! {
        <aside class="tour" id="tour" data-stop=stop.name() aria-label=t!("tour")>
            <p tabindex="-1" node_ref=heading>
                <span class="help">{format!("{} / {} ", at + 1, Stop::ALL.len())}</span>
                {text}
            </p>
            <div class="row" aria-live="polite">
                {deed}
                <button
                    type="button"
                    class="main"
                    id="tour-next"
                    disabled=move || done.get() == Some(false)
                    on:click=go_on
                >
                    {if next.is_some() { t!("lesson-next") } else { t!("lesson-finish") }}
                </button>
                <button type="button" class="link" id="tour-end" on:click=move |_| tour::leave(state)>
                    {t!("tour-end")}
                </button>
            </div>
        </aside>
    }
}

/// On a small screen what is spoken of may be elsewhere.
fn bring_into_view(stop: Stop) {
    let selector = match stop {
        Stop::Question => ".question",
        Stop::Maps => ".maps",
        Stop::Evidence => "#agreement",
        Stop::Heads => "#heads",
        Stop::Tokens => "#clean-tokens",
    };
    if let Some(found) = document().query_selector(selector).ok().flatten() {
        let options = web_sys::ScrollIntoViewOptions::new();
        options.set_block(web_sys::ScrollLogicalPosition::Nearest);
        found.scroll_into_view_with_scroll_into_view_options(&options);
    }
}
