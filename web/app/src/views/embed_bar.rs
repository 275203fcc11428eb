//! What stands over a figure in somebody else's page: what is asked of the reader, and the way to the whole page.

use leptos::prelude::*;

use super::status::Status;
use crate::locale::t;
use crate::models::{self, Wanted};
use crate::session::{Session, link_of};
use crate::state::{Consent, State};
use crate::words;

#[component]
pub fn EmbedBar() -> impl IntoView {
    let state = expect_context::<State>();
    let session = expect_context::<Session>();
    let asked = move || {
        match state.consent.get() {
        Consent::Engine => view! {
            <p>{t!("embed-engine")}</p>
            <button type="button" class="main" id="embed-engine" on:click=move |_| session.start_engine()>
                {t!("embed-start-engine")}
            </button>
        }
        .into_any(),
        Consent::Weights => view! {
            <p id="embed-asks">{move || weights(state)}</p>
            <button type="button" class="main" id="embed-weights" on:click=move |_| session.start_model()>
                {t!("embed-load-weights")}
            </button>
        }
        .into_any(),
        Consent::Given => {
            let device = move || state.device().map(|device| words::device(&device));
            let model = move || state.loaded.get().map(|loaded| loaded.model.name);
            view! { <p><b>{model}</b> " " {device}</p> <Status /> }.into_any()
        }
    }
    };
    let whole = move || {
        let written = link_of(state).write();
        if written.is_empty() { ".".to_owned() } else { format!(".#{written}") }
    };
    view! {
        <header class="embed-bar">
            {asked}
            <a href=whole target="_blank" rel="noopener" id="embed-whole">{t!("embed-whole")}</a>
        </header>
    }
}

/// Which weights it takes, how large they are and where they come from.
fn weights(state: State) -> String {
    let wanted = state.models.wanted.get();
    let known = match wanted {
        Wanted::Known(at) => relp_hub::KNOWN.get(at),
        _ => None,
    };
    match (wanted, known) {
        (_, Some(known)) => {
            t!("embed-weights", model = known.title, size = words::bytes(known.download()))
        }
        (Wanted::Bundled, _) => {
            t!(
                "embed-weights-bundled",
                model = words::MODEL,
                size = words::bytes(models::BUNDLED_BYTES)
            )
        }
        _ => t!("embed-weights-unknown", model = state.models.other.get()),
    }
}
