//! A token that is edited in place: what could stand there, and a field for something else.

use leptos::html::Input;
use leptos::prelude::*;
use relp_model::{Prompt, Token};
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use crate::editing::Editing;
use crate::labels;
use crate::locale::t;
use crate::session::Session;
use crate::state::State;

/// The choice of another token, below the prompt whose token is edited.
#[component]
pub fn TokenEdit(prompt: Prompt) -> impl IntoView {
    let state = expect_context::<State>();
    let session = expect_context::<Session>();
    let place = Memo::new(move |_| {
        let editing = state.editing.get().filter(|editing| editing.prompt == prompt);
        editing.map(|editing| editing.position)
    });
    let content =
        move || place.get().map(|position| view_editing(state, session, prompt, position));
    view! { {content} }
}

fn view_editing(
    state: State,
    session: Session,
    prompt: Prompt,
    position: usize,
) -> impl IntoView + use<> {
    let token = state.preview.with_untracked(|preview| {
        let tokens = match prompt {
            Prompt::Clean => &preview.clean,
            Prompt::Corrupted => &preview.corrupted,
        };
        tokens.get(position).cloned()
    });
    let own = token.map(|token| token.text).unwrap_or_default();
    let field = NodeRef::<Input>::new();
    // Whoever edits by keyboard goes on there.
    Effect::new(move |_| {
        if let Some(field) = field.get() {
            let _there = field.focus();
        }
    });
    let back = move || {
        session.stop_editing();
        focus_token(prompt, position);
    };
    let replace = move |text: &str| {
        session.replace_token(text);
        focus_token(prompt, position);
    };
    let on_key = move |event: leptos::ev::KeyboardEvent| match event.key().as_str() {
        "Escape" => back(),
        "Enter" => {
            event.prevent_default();
            if let Some(field) = field.get_untracked() {
                replace(&field.value());
            }
        }
        _ => {}
    };
    let similar = move || {
        let Some(Editing { similar, .. }) = state.editing.get() else { return ().into_any() };
        match similar {
            None => view! { <p class="help">{t!("similar-wait")}</p> }.into_any(),
            Some(tokens) if tokens.is_empty() => {
                view! { <p class="help">{t!("similar-none")}</p> }.into_any()
            }
            Some(tokens) => {
                let one = |token: Token| {
                    let text = token.text.clone();
                    view! {
                        <li>
                            <button type="button" class="similar" on:click=move |_| replace(&text)>
                                {labels::visible(&token.text)}
                            </button>
                        </li>
                    }
                };
                view! { <ul class="similar-tokens">{tokens.into_iter().map(one).collect_view()}</ul> }
                    .into_any()
            }
        }
    };
    let title = t!("token-edit", token = labels::visible(&own), position = position);
    let name = title.clone();
    view! {
        <div class="token-edit" id="token-edit" role="group" aria-label=name>
            <p class="name">{title}</p>
            <div aria-live="polite">{similar}</div>
            <div class="row">
                <input
                    node_ref=field
                    id="token-text"
                    spellcheck="false"
                    autocomplete="off"
                    aria-label=t!("token-text")
                    prop:value=own
                    on:keydown=on_key
                />
                <button
                    type="button"
                    id="token-apply"
                    on:click=move |_| {
                        if let Some(field) = field.get_untracked() {
                            replace(&field.value());
                        }
                    }
                >
                    {t!("token-apply")}
                </button>
                <button type="button" id="token-leave" on:click=move |_| back()>{t!("token-leave")}</button>
            </div>
        </div>
    }
}

/// Puts the focus back onto a token, once it is drawn again.
fn focus_token(prompt: Prompt, position: usize) {
    let list = match prompt {
        Prompt::Clean => "clean-tokens",
        Prompt::Corrupted => "corrupted-tokens",
    };
    request_animation_frame(move || {
        let selector = format!("#{list} [data-position=\"{position}\"]");
        let found = document().query_selector(&selector).ok().flatten();
        if let Some(token) = found.and_then(|token| token.dyn_into::<HtmlElement>().ok()) {
            let _there = token.focus();
        }
    });
}
