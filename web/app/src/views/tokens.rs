//! A prompt as the model reads it.

use leptos::html::Ol;
use leptos::prelude::*;
use relp_model::{Prompt, Token};
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use super::grid::look_at;
use crate::labels;
use crate::locale::t;
use crate::scale::Scale;
use crate::session::Session;
use crate::state::State;

/// The tokens of one prompt; those that differ from the other prompt's are marked.
#[component]
pub fn Tokens(prompt: Prompt) -> impl IntoView {
    let state = expect_context::<State>();
    let session = expect_context::<Session>();
    let (id, label) = match prompt {
        Prompt::Clean => ("clean-tokens", t!("tokens-of-clean")),
        Prompt::Corrupted => ("corrupted-tokens", t!("tokens-of-corrupted")),
    };
    // One of the tokens is reached by Tab, from which arrow keys walk to the others.
    let at = RwSignal::new(0_usize);
    // Coloured by what is shown, if that is of these tokens.
    let sums = Memo::new(move |_| state.token_sums().filter(|_| !state.is_stale()));
    let tokens = move || {
        let colour = move |position: usize| {
            sums.with(|sums| {
                let sums = sums.as_ref()?;
                let scale = Scale::of(sums);
                let sum = *sums.get(position)?;
                // From where on a dark and a light scheme's other ink is told better from the colour.
                let ink = match scale.position(sum).abs() {
                    strongest if strongest > 0.78 => "strongest",
                    strong if strong > 0.6 => "strong",
                    _ => "pale",
                };
                Some((format!("background: {}", scale.css(sum)), ink))
            })
        };
        state.preview.with(|preview| {
            let (own, other) = match prompt {
                Prompt::Clean => (&preview.clean, &preview.corrupted),
                Prompt::Corrupted => (&preview.corrupted, &preview.clean),
            };
            let differs = |position: usize, token: &Token| other.get(position) != Some(token);
            own.iter()
                .enumerate()
                .map(|(position, token)| {
                    let colour = move || colour(position);
                    let place = Place { prompt, position, at };
                    view_token((state, session), place, token, differs(position, token), colour)
                })
                .collect_view()
        })
    };
    let list = NodeRef::<Ol>::new();
    let walk = move |event: leptos::ev::KeyboardEvent| {
        let Some(list) = list.get_untracked() else { return };
        let last = list.child_element_count().saturating_sub(1);
        let here = at.get_untracked();
        let there = match event.key().as_str() {
            "ArrowRight" => (here + 1).min(last as usize),
            "ArrowLeft" => here.saturating_sub(1),
            "Home" => 0,
            "End" => last as usize,
            _ => return,
        };
        event.prevent_default();
        at.set(there);
        let found = list.query_selector(&format!("[data-position='{there}']")).ok().flatten();
        if let Some(token) = found.and_then(|token| token.dyn_into::<HtmlElement>().ok()) {
            let _there = token.focus();
        }
    };
    view! {
        <ol class="tokens" id=id aria-label=label node_ref=list dir="ltr" on:keydown=walk>{tokens}</ol>
    }
}

/// Where a token stands.
#[derive(Clone, Copy)]
struct Place {
    prompt: Prompt,
    position: usize,
    /// The position that Tab reaches.
    at: RwSignal<usize>,
}

fn view_token<F: Fn() -> Option<(String, &'static str)> + Copy + Send + 'static>(
    (state, session): (State, Session),
    Place { prompt, position, at }: Place,
    token: &Token,
    differs: bool,
    colour: F,
) -> impl IntoView + use<F> {
    let here = move || state.cell.get().or(state.pin.get()).is_some_and(|(_, at)| at == position);
    let enter = look_at(state.cell, move || state.largest_at(position));
    let text = if token.text == "<|endoftext|>" { "BOS".to_owned() } else { token.text.clone() };
    let edit = move |_| {
        if untrack(|| state.with_token(prompt, position, "")).is_some() {
            session.edit_token(prompt, position);
        } else {
            // What is no text of its own is changed where it can be: BOS by its switch, and a part of a
            // character in the prompt.
            let field = if position == 0 && state.pair.with_untracked(|pair| pair.bos) {
                "bos"
            } else if prompt == Prompt::Clean {
                "clean"
            } else {
                "corrupted"
            };
            let field = document().get_element_by_id(field);
            if let Some(field) = field.and_then(|field| field.dyn_into::<HtmlElement>().ok()) {
                let _there = field.focus();
            }
        }
    };
    let title = t!("tokens-place", position = position, id = token.id);
    // A leading space is drawn apart from the word, so that it can be faint.
    let (space, word) = match text.strip_prefix(' ') {
        Some(rest) => (Some("·"), labels::visible(rest)),
        None => (None, labels::visible(&text)),
    };
    view! {
        <li
            class:differs=differs
            class:here=here
            style=move || colour().map(|(style, _)| style)
            data-ink=move || colour().map(|(_, ink)| ink)
            title=title
            on:pointerenter=enter
            on:pointerleave=look_at(state.cell, || None)
        >
            <button
                type="button"
                data-position=position.to_string()
                tabindex=move || if at.get() == position { "0" } else { "-1" }
                on:focus=move |_| at.set(position)
                on:click=edit
            >
            <span class="text">
                {space.map(|space| view! { <span class="space">{space}</span> })}
                {word}
            </span>
            <span class="position">{position}</span>
            {differs.then(|| view! { <span class="visually-hidden">" " {t!("tokens-differs")}</span> })}
            </button>
        </li>
    }
}
