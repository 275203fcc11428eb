//! Title, model and what computes.

use leptos::prelude::*;
use relp_model::Precision;

use super::files::Files;
use super::history::History;
use super::models::Models;
use super::status::Status;
use crate::state::State;
use crate::words;

#[component]
pub fn Header() -> impl IntoView {
    let state = expect_context::<State>();
    let device = move || state.device().map(|device| words::device(&device));
    let model = move || {
        let loaded = state.loaded.get()?;
        let halves = (loaded.model.weights == Precision::F16).then_some(", weights of 16 bits");
        Some(if loaded.model.name == words::MODEL {
            view! {
                <a href="models/primer/README.md">{words::MODEL}</a>
                ", a teaching model"
                {halves}
            }
            .into_any()
        } else {
            view! { {loaded.model.name} {halves} }.into_any()
        })
    };
    view! {
        <header>
            <div class="about-it">
                <h1>{words::TITLE}</h1>
                <p class="introduction">{words::INTRODUCTION}</p>
            </div>
            <dl class="provenance">
                <div>
                    <dt>"Model"</dt>
                    <dd id="model-in-use">{model}</dd>
                </div>
                <div>
                    <dt>"Computes"</dt>
                    <dd id="device" data-memory=move || state.memory.get().to_string()>{move || device().unwrap_or_else(|| "…".to_owned())}</dd>
                </div>
            </dl>
            <Status />
            <div class="tools">
                <History />
                <Files />
            </div>
            <Models />
        </header>
    }
}
