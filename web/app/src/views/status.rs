//! Progress, cancelling, and failures.

use leptos::prelude::*;

use relp_protocol::Stage;

use crate::locale::t;
use crate::models;
use crate::session::Session;
use crate::state::{Activity, State};
use crate::words;

#[component]
pub fn Status() -> impl IntoView {
    let state = expect_context::<State>();
    let session = expect_context::<Session>();
    let activity = move || {
        match state.activity.get() {
        Activity::Starting => view! { <p id="status">{t!("status-starting")}</p> }.into_any(),
        Activity::NoModel => {
            view! {
                <p id="status">{t!("status-no-model")}</p>
                <button type="button" id="load" on:click=move |_| session.retry()>
                    {move || if state.failure.with(Option::is_some) { t!("status-retry") } else { t!("status-load-model") }}
                </button>
            }
            .into_any()
        }
        Activity::Busy { stage, done, total } => {
            let download = state.models.download.get().filter(|_| stage == Stage::Fetching);
            let text = download
                .map_or_else(|| words::progress(stage, done, total), |d| models::progress(&d));
            // Without a value the bar shows that something is going on.
            let value = (total > 0).then(|| done.to_string());
            view! {
                <p id="status">{text}</p>
                <progress max=total.max(1).to_string() value=value aria-labelledby="status"></progress>
                <button type="button" id="cancel" on:click=move |_| session.cancel()>{t!("status-cancel")}</button>
            }
            .into_any()
        }
        Activity::Idle => {
            let text = move || if state.is_stale() { t!("stale") } else { t!("status-ready") };
            view! { <p id="status">{text}</p> }.into_any()
        }
    }
    };
    view! { <div class="status" aria-live="polite">{activity}</div> }
}

/// What went wrong, until it is mended.
#[component]
pub fn FailureNotice() -> impl IntoView {
    let state = expect_context::<State>();
    let session = expect_context::<Session>();
    let failure = move || {
        let retry = move || state.activity.get() != Activity::NoModel;
        state.failure.get().map(|sentence| {
            view! {
                <div class="failure" role="alert" id="failure">
                    <p>{sentence}</p>
                    {retry().then(|| view! {
                        <button type="button" on:click=move |_| session.retry()>{t!("status-retry")}</button>
                    })}
                </div>
            }
        })
    };
    view! { {failure} }
}
