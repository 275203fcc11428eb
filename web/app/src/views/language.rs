//! The choice of the interface's language.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use crate::locale::{Language, choice, t};
use crate::state::State;

#[component]
pub fn LanguageChoice() -> impl IntoView {
    let state = expect_context::<State>();
    let choose = move |event| {
        if let Some(language) = Language::of_tag(&event_target_value(&event)) {
            choice::keep(language);
            state.language.set(language);
            // The list is drawn again with everything else; whoever chose stays there.
            request_animation_frame(|| {
                let list = document().get_element_by_id("language");
                if let Some(list) = list.and_then(|list| list.dyn_into::<HtmlElement>().ok()) {
                    let _there = list.focus();
                }
            });
        }
    };
    let now = state.language.get_untracked();
    let option = |language: Language| {
        view! {
            <option value=language.tag() lang=language.tag() selected=language == now>
                {language.title()}
            </option>
        }
    };
    view! {
        <label class="language">
            <span class="visually-hidden">{t!("language")}</span>
            <select id="language" on:change=choose>
                {Language::ALL.map(option).into_iter().collect_view()}
            </select>
        </label>
    }
}
