//! A prompt as the model reads it.

use leptos::prelude::*;
use relp_model::{Prompt, Token};

use crate::labels;
use crate::state::State;

/// The tokens of one prompt; those that differ from the other prompt's are marked.
#[component]
pub fn Tokens(prompt: Prompt) -> impl IntoView {
    let state = expect_context::<State>();
    let (id, label) = match prompt {
        Prompt::Clean => ("clean-tokens", "Tokens of the clean prompt"),
        Prompt::Corrupted => ("corrupted-tokens", "Tokens of the corrupted prompt"),
    };
    let tokens = move || {
        state.preview.with(|preview| {
            let (own, other) = match prompt {
                Prompt::Clean => (&preview.clean, &preview.corrupted),
                Prompt::Corrupted => (&preview.corrupted, &preview.clean),
            };
            let differs = |position: usize, token: &Token| other.get(position) != Some(token);
            own.iter()
                .enumerate()
                .map(|(position, token)| view_token(position, token, differs(position, token)))
                .collect_view()
        })
    };
    view! { <ol class="tokens" id=id aria-label=label>{tokens}</ol> }
}

fn view_token(position: usize, token: &Token, differs: bool) -> impl IntoView + use<> {
    let text = if token.text == "<|endoftext|>" { "BOS".to_owned() } else { token.text.clone() };
    let title = format!("position {position}, id {}", token.id);
    // A leading space is drawn apart from the word, so that it can be faint.
    let (space, word) = match text.strip_prefix(' ') {
        Some(rest) => (Some("·"), labels::visible(rest)),
        None => (None, labels::visible(&text)),
    };
    view! {
        <li class:differs=differs title=title>
            <span class="text">
                {space.map(|space| view! { <span class="space">{space}</span> })}
                {word}
            </span>
            <span class="position">{position}</span>
            {differs.then(|| view! { <span class="visually-hidden">" differs"</span> })}
        </li>
    }
}
