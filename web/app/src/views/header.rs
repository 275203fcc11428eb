//! Title, model and what computes.

use leptos::prelude::*;
use relp_model::Precision;

use super::files::Files;
use super::language::LanguageChoice;
use super::lesson::LessonMenu;
use super::models::Models;
use super::status::Status;
use super::tour::TourInvitation;
use crate::locale::t;
use crate::state::State;
use crate::words;

#[component]
pub fn Header() -> impl IntoView {
    let state = expect_context::<State>();
    let device = move || state.device().map(|device| words::device(&device));
    let why = move || {
        let fallback = state.device().and_then(|device| device.fallback);
        fallback.map(|fallback| words::fallback(&fallback))
    };
    let model = move || {
        let loaded = state.loaded.get()?;
        let is_halved = loaded.model.weights == Precision::F16;
        let halves = is_halved.then(|| format!(", {}", t!("header-weights-of-16-bits")));
        Some(if loaded.model.name == words::MODEL {
            view! {
                <a href="models/primer/README.md">{words::MODEL}</a>
                ", " {t!("header-teaching-model")}
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
                <h1>{t!("title")}</h1>
                <TourInvitation />
                <p class="introduction">{t!("introduction")}</p>
            </div>
            <dl class="provenance">
                <div>
                    <dt>{t!("header-model")}</dt>
                    <dd id="model-in-use">{model}</dd>
                </div>
                <div>
                    <dt>{t!("header-computes")}</dt>
                    <dd id="device" title=why data-memory=move || state.memory.get().to_string()>{move || device().unwrap_or_else(|| "…".to_owned())}</dd>
                </div>
            </dl>
            <Status />
            <div class="tools">
                <LessonMenu />
                <Files />
                <LanguageChoice />
            </div>
            <Models />
        </header>
    }
}
