//! What this is, and by what right.

use leptos::prelude::*;

use crate::offline::{Kept, Offline};
use crate::state::State;
use crate::words;

#[component]
pub fn Footer() -> impl IntoView {
    let state = expect_context::<State>();
    let offline = expect_context::<Offline>();
    let is_kept = move || offline.kept.get() != Kept::No;
    let is_bundled = move || {
        state.loaded.with(|loaded| loaded.as_ref().is_none_or(|l| l.model.name == words::MODEL))
    };
    view! {
        <footer>
            <p>
                {words::ABOUT_RELP} " " <a href=words::PAPER rel="noreferrer">"arXiv 2508.21258"</a> ". "
                {move || is_bundled().then(|| view! {
                    {words::TEACHING_MODEL} " " <a href="models/primer/README.md">"Its card"</a>
                    " says what it was trained on and what it cannot do."
                })}
            </p>
            <p>
                "Nothing you type leaves this browser. Version "
                {env!("CARGO_PKG_VERSION")} ", MIT or Apache-2.0."
                {move || is_kept().then(|| view! {
                    " " <span id="kept-offline">"This page and the bundled model open without a network now."</span>
                })}
            </p>
        </footer>
    }
}
