//! Something that is to be known of the page as a whole, until somebody has read it.

use leptos::prelude::*;

use crate::locale::t;
use crate::state::State;

#[component]
pub fn Notice() -> impl IntoView {
    let state = expect_context::<State>();
    move || {
        state.notice.get().map(|text| {
            view! {
                <div class="banner" id="notice" role="status">
                    <p>{text}</p>
                    <button type="button" id="notice-read" on:click=move |_| state.notice.set(None)>
                        {t!("notice-read")}
                    </button>
                </div>
            }
        })
    }
}
