//! Figures out to files and in from them.

use leptos::prelude::*;
use relp_model::Figure;
use wasm_bindgen::{JsCast, JsValue};

use super::export::Export;
use super::share::Share;
use crate::locale::t;
use crate::session::Session;
use crate::state::{Consent, Origin, State};
use crate::words;

/// The buttons.
#[component]
pub fn Files() -> impl IntoView {
    let session = expect_context::<Session>();
    let input = NodeRef::<leptos::html::Input>::new();
    let opened = move |_| {
        let Some(input) = input.get_untracked() else { return };
        let file = input.files().and_then(|files| files.get(0));
        let Some(file) = file else { return };
        leptos::task::spawn_local(async move {
            session.open_file(file).await;
            // The same file can be chosen again.
            input.set_value("");
        });
    };
    let choose = move |_| {
        if let Some(input) = input.get_untracked() {
            input.click();
        }
    };
    view! {
        <div class="files">
            <Share />
            <Export />
            <button type="button" id="open" title=t!("files-open-help") on:click=choose>{t!("files-open")}</button>
            <input
                type="file"
                id="file"
                class="visually-hidden"
                accept=".json,.svg,.png,.tex,.html,application/json,image/svg+xml,image/png"
                tabindex="-1"
                aria-label=t!("files-figure-to-open")
                node_ref=input
                on:change=opened
            />
        </div>
    }
}

/// Lets the browser save a file.
///
/// # Errors
/// The browser's, if it refuses.
pub fn download(content: &JsValue, name: &str, media_type: &str) -> Result<(), JsValue> {
    let parts = js_sys::Array::of1(content);
    let kind = web_sys::BlobPropertyBag::new();
    kind.set_type(media_type);
    let blob = web_sys::Blob::new_with_u8_array_sequence_and_options(&parts, &kind)?;
    let url = web_sys::Url::create_object_url_with_blob(&blob)?;
    let link: web_sys::HtmlAnchorElement = document().create_element("a")?.unchecked_into();
    link.set_href(&url);
    link.set_download(name);
    link.click();
    // The download has begun, or the browser has refused it.
    set_timeout(
        move || drop(web_sys::Url::revoke_object_url(&url)),
        std::time::Duration::from_secs(10),
    );
    Ok(())
}

/// What is shown of a figure that was not computed just now.
pub fn opened(origin: &Origin, figure: &Figure) -> impl IntoView + use<> {
    let state = expect_context::<State>();
    let session = expect_context::<Session>();
    let from = words::opened(origin, figure);
    let is_first = *origin == Origin::Beforehand;
    let asks = move || state.consent.get() != Consent::Given;
    move || {
        // In somebody else's page, the engine is not on its way before its reader has said so.
        (!(is_first && asks())).then(|| {
            let again = move || {
                (!asks()).then(|| {
                    view! {
                        <button type="button" id="recompute" on:click=move |_| session.compute_anew()>
                            {t!("opened-compute-it-here")}
                        </button>
                    }
                })
            };
            view! {
                <div class="opened" id="opened">
                    <p>{from.clone()} " " {move || state.not_here()}</p>
                    {again}
                </div>
            }
        })
    }
}
