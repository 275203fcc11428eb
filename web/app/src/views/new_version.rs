//! That there is a new version of the page, which is used when somebody says so.

use leptos::prelude::*;

use crate::locale::t;
use crate::offline::{Kept, Offline};

#[component]
pub fn NewVersion() -> impl IntoView {
    let offline = expect_context::<Offline>();
    move || {
        let sentence = match offline.kept.get() {
            Kept::No | Kept::Whole => return None,
            Kept::NewVersion => t!("new-version-ready"),
            Kept::OthersOpen => t!("new-version-others-open"),
        };
        Some(view! {
            <div class="banner" id="new-version" role="status">
                <p>{sentence}</p>
                <button type="button" on:click=move |_| offline.use_new_version()>{t!("new-version-use")}</button>
            </div>
        })
    }
}
