//! Title, model and what computes.

use leptos::prelude::*;

use crate::state::State;
use crate::words;

#[component]
pub fn Header() -> impl IntoView {
    let state = expect_context::<State>();
    let device = move || state.device().map(|device| words::device(&device));
    view! {
        <header>
            <div>
                <h1>{words::TITLE}</h1>
                <p class="introduction">{words::INTRODUCTION}</p>
            </div>
            <dl class="provenance">
                <div>
                    <dt>"Model"</dt>
                    <dd>
                        <a href="models/primer/README.md">{words::MODEL}</a>
                        ", a teaching model"
                    </dd>
                </div>
                <div>
                    <dt>"Computes"</dt>
                    <dd id="device">{move || device().unwrap_or_else(|| "…".to_owned())}</dd>
                </div>
            </dl>
        </header>
    }
}
