//! What this is, and by what right.

use leptos::prelude::*;

use crate::locale::t;
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
                {t!("about-relp")} " " <a href=words::PAPER rel="noreferrer">"arXiv 2508.21258"</a> ". "
                {move || is_bundled().then(|| view! {
                    {t!("teaching-model")} " " <a href="models/primer/README.md">{t!("footer-its-card")}</a> " "
                    {t!("footer-what-its-card-says")}
                })}
            </p>
            <p>
                {t!("footer-nothing-leaves")} " " {t!("footer-version", version = env!("CARGO_PKG_VERSION"))}
                {move || is_kept().then(|| view! {
                    " " <span id="kept-offline">{t!("footer-kept-offline")}</span>
                })}
            </p>
        </footer>
    }
}
