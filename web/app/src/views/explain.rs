//! What am I looking at? Two sentences on a panel, and the way to the guide.

use leptos::html;
use leptos::prelude::*;

use crate::locale::t;

/// A question mark that opens its text over the panel it stands in. `at` is a heading of the guide.
#[component]
pub fn Explain(
    /// What the panel shows.
    #[prop(into)]
    text: Signal<String>,
    /// The heading of the guide that says more.
    at: &'static str,
    /// The id of the text, if something refers to it.
    #[prop(optional)]
    id: Option<&'static str>,
) -> impl IntoView {
    let whole = NodeRef::<html::Details>::new();
    let close = move |event: leptos::ev::KeyboardEvent| {
        if event.key() == "Escape"
            && let Some(whole) = whole.get_untracked()
            && whole.open()
        {
            event.stop_propagation();
            whole.set_open(false);
        }
    };
    // Those of one name close each other.
    view! {
        <details class="explain" name="explain" node_ref=whole on:keydown=close data-about=at>
            <summary title=t!("what-is-this")>
                <span aria-hidden="true">"?"</span>
                <span class="visually-hidden">{t!("what-is-this")}</span>
            </summary>
            <div class="explain-text">
                <p id=id>{text}</p>
                <p>
                    <a href=format!("docs/guide.html#{at}") target="_blank" rel="noreferrer">
                        {t!("read-more")}
                    </a>
                </p>
            </div>
        </details>
    }
}
