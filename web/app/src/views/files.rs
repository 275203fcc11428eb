//! Figures out to files and in from them.

use std::sync::Arc;

use leptos::prelude::*;
use relp_model::Figure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use crate::figure_file;
use crate::locale::t;
use crate::session::Session;
use crate::state::{Origin, State};
use crate::words;

/// The buttons.
#[component]
pub fn Files() -> impl IntoView {
    let state = expect_context::<State>();
    let session = expect_context::<Session>();
    let nothing = move || state.shown.with(Option::is_none);
    let save = move |_| {
        let Some(shown) = state.shown.get_untracked() else { return };
        if download(&shown.figure).is_err() {
            state.failure.set(Some(t!("not-saved")));
        }
    };
    let input = NodeRef::<leptos::html::Input>::new();
    let opened = move |_| {
        let Some(input) = input.get_untracked() else { return };
        let file = input.files().and_then(|files| files.get(0));
        let Some(file) = file else { return };
        leptos::task::spawn_local(async move {
            let name = file.name();
            let read = if file.size() > figure_file::MOST_BYTES as f64 {
                Err(t!("too-large"))
            } else {
                match JsFuture::from(file.text()).await.ok().and_then(|text| text.as_string()) {
                    Some(text) => figure_file::read(&text),
                    None => Err(t!("not-read")),
                }
            };
            match read {
                Ok(figure) => session.open(Arc::new(figure), Origin::File(name)),
                Err(sentence) => state.failure.set(Some(sentence)),
            }
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
            <button type="button" id="save" disabled=nothing title=t!("files-save-help") on:click=save>{t!("files-save")}</button>
            <button type="button" id="open" title=t!("files-open-help") on:click=choose>{t!("files-open")}</button>
            <input
                type="file"
                id="file"
                class="visually-hidden"
                accept=".json,application/json"
                tabindex="-1"
                aria-label=t!("files-figure-to-open")
                node_ref=input
                on:change=opened
            />
        </div>
    }
}

/// Lets the browser save a figure.
fn download(figure: &Figure) -> Result<(), JsValue> {
    let parts = js_sys::Array::of1(&figure_file::write(figure).into());
    let kind = web_sys::BlobPropertyBag::new();
    kind.set_type("application/json");
    let blob = web_sys::Blob::new_with_str_sequence_and_options(&parts, &kind)?;
    let url = web_sys::Url::create_object_url_with_blob(&blob)?;
    let link: web_sys::HtmlAnchorElement = document().create_element("a")?.unchecked_into();
    link.set_href(&url);
    link.set_download(&figure_file::name(figure));
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
    view! {
        <div class="opened" id="opened">
            <p>{from} " " {move || state.not_here()}</p>
            <button type="button" id="recompute" on:click=move |_| session.compute_anew()>{t!("opened-compute-it-here")}</button>
        </div>
    }
}
