//! The way from the figure down to what is open, each step of which leads back.

use leptos::prelude::*;

use crate::locale::t;
use crate::session::Session;
use crate::state::State;

/// Figure, pinned cell, open head, neurons; there only if something is open.
#[component]
pub fn Path(number: u32) -> impl IntoView {
    let state = expect_context::<State>();
    let session = expect_context::<Session>();
    let to_figure = move |_| {
        state.pin.set(None);
        state.head.set(None);
        state.neurons.set(false);
    };
    let content = move || {
        let (pin, head, neurons) = (state.pin.get(), state.head.get(), state.neurons.get());
        if pin.is_none() && head.is_none() && !neurons {
            return None;
        }
        let cell = pin.map(|(layer, position)| {
            let name = t!("path-cell", layer = layer, position = position);
            let to_cell = move |_| {
                state.head.set(None);
                state.neurons.set(false);
                session.pin((layer, position));
            };
            view! {
                <li>
                    <button type="button" class="link" id="path-cell" on:click=to_cell>{name}</button>
                </li>
            }
        });
        let head = head.map(|(layer, head)| {
            let name = t!("path-head", layer = layer, head = head);
            view! { <li aria-current="location">{name}</li> }
        });
        let neurons =
            neurons.then(|| view! { <li aria-current="location">{t!("path-neurons")}</li> });
        Some(view! {
            <nav class="path" id="path" aria-label=t!("path")>
                <ol>
                    <li>
                        <button type="button" class="link" id="path-figure" on:click=to_figure>
                            {t!("path-figure", number = number)}
                        </button>
                    </li>
                    {cell}
                    {head}
                    {neurons}
                </ol>
            </nav>
        })
    };
    view! { {content} }
}
