//! What this is, and by what right.

use leptos::prelude::*;

use crate::words;

#[component]
pub fn Footer() -> impl IntoView {
    view! {
        <footer>
            <p>
                {words::ABOUT_RELP} " " <a href=words::PAPER rel="noreferrer">"arXiv 2508.21258"</a> ". "
                {words::TEACHING_MODEL} " " <a href="models/primer/README.md">"Its card"</a>
                " says what it was trained on and what it cannot do."
            </p>
            <p>
                "Nothing you type leaves this browser. Version "
                {env!("CARGO_PKG_VERSION")} ", MIT or Apache-2.0."
            </p>
        </footer>
    }
}
