//! That there is a new version of the page, which is used when somebody says so.

use leptos::prelude::*;

use crate::offline::{Kept, Offline};

#[component]
pub fn NewVersion() -> impl IntoView {
    let offline = expect_context::<Offline>();
    move || {
        let sentence = match offline.kept.get() {
            Kept::No | Kept::Whole => return None,
            Kept::NewVersion => {
                "A new version of this page is ready; using it loads the page anew."
            }
            Kept::OthersOpen => {
                "The new version of this page can be used when its other tabs are closed."
            }
        };
        Some(view! {
            <div class="new-version" id="new-version" role="status">
                <p>{sentence}</p>
                <button type="button" on:click=move |_| offline.use_new_version()>"Use it now"</button>
            </div>
        })
    }
}
