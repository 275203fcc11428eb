//! A prompt as the model reads it.

use leptos::prelude::*;
use relp_model::{Prompt, Token};

use super::grid::look_at;
use crate::labels;
use crate::scale::Scale;
use crate::state::State;

/// The tokens of one prompt; those that differ from the other prompt's are marked.
#[component]
pub fn Tokens(prompt: Prompt) -> impl IntoView {
    let state = expect_context::<State>();
    let (id, label) = match prompt {
        Prompt::Clean => ("clean-tokens", "Tokens of the clean prompt"),
        Prompt::Corrupted => ("corrupted-tokens", "Tokens of the corrupted prompt"),
    };
    // Coloured by what is shown, if that is of these tokens.
    let sums = Memo::new(move |_| state.token_sums().filter(|_| !state.is_stale()));
    let tokens = move || {
        let colour = move |position: usize| {
            sums.with(|sums| {
                let sums = sums.as_ref()?;
                let scale = Scale::of(sums);
                let sum = *sums.get(position)?;
                let strong = scale.position(sum).abs() > 0.6;
                let ink = if strong { "; color: var(--on-strong)" } else { "" };
                Some(format!("background: {}{ink}", scale.css(sum)))
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
                    let style = move || colour(position);
                    view_token(state, position, token, differs(position, token), style)
                })
                .collect_view()
        })
    };
    view! { <ol class="tokens" id=id aria-label=label>{tokens}</ol> }
}

fn view_token<F: Fn() -> Option<String> + Send + 'static>(
    state: State,
    position: usize,
    token: &Token,
    differs: bool,
    style: F,
) -> impl IntoView + use<F> {
    let here = move || state.cell.get().or(state.pin.get()).is_some_and(|(_, at)| at == position);
    let enter = look_at(state.cell, move || state.largest_at(position));
    let text = if token.text == "<|endoftext|>" { "BOS".to_owned() } else { token.text.clone() };
    let title = format!("position {position}, id {}", token.id);
    // A leading space is drawn apart from the word, so that it can be faint.
    let (space, word) = match text.strip_prefix(' ') {
        Some(rest) => (Some("·"), labels::visible(rest)),
        None => (None, labels::visible(&text)),
    };
    view! {
        <li
            class:differs=differs
            class:here=here
            style=style
            title=title
            on:pointerenter=enter
            on:pointerleave=look_at(state.cell, || None)
        >
            <span class="text">
                {space.map(|space| view! { <span class="space">{space}</span> })}
                {word}
            </span>
            <span class="position">{position}</span>
            {differs.then(|| view! { <span class="visually-hidden">" differs"</span> })}
        </li>
    }
}
