//! A dialog over the page: modal, closed by Escape or its button, and opened anew each time.

use leptos::html;
use leptos::prelude::*;

use crate::locale::t;

/// A dialog that is there while `open`.
#[component]
pub fn Dialog(
    /// Whether it is open.
    open: RwSignal<bool>,
    /// Its id, from which its parts have theirs.
    id: &'static str,
    /// Its title.
    #[prop(into)]
    title: String,
    /// What is in it, drawn when it opens.
    children: ChildrenFn,
) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    Effect::new(move |_| {
        let Some(dialog) = dialog.get() else { return };
        if open.get() && !dialog.open() {
            // What is modal already stays so.
            let _shown = dialog.show_modal();
        } else if !open.get() && dialog.open() {
            dialog.close();
        }
    });
    let named = format!("{id}-title");
    let title_id = named.clone();
    view! {
        <dialog id=id aria-labelledby=named node_ref=dialog on:close=move |_| open.set(false)>
            <div class="title">
                <h2 id=title_id>{title}</h2>
                <button type="button" id=format!("{id}-close") on:click=move |_| open.set(false)>
                    {t!("dialog-close")}
                </button>
            </div>
            {move || open.get().then(|| children())}
        </dialog>
    }
}
