//! The figure as a link, a command, a script and a citation.

use leptos::html;
use leptos::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::dialog::Dialog;
use crate::figure_file;
use crate::locale::t;
use crate::session::link_of;
use crate::share;
use crate::state::State;

#[component]
pub fn Share() -> impl IntoView {
    let state = expect_context::<State>();
    let open = RwSignal::new(false);
    let content = move || {
        let link = untrack(|| link_of(state));
        let request = untrack(|| state.request());
        let here = window().location();
        let base = here.href().unwrap_or_default();
        let base = base.split(['#', '?']).next().unwrap_or_default().to_owned();
        let folder = base.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned() + "/";
        let written = link.write();
        let embed = share::embed(&base, &written);
        let frame = share::frame(&embed);
        let file = state.shown.with_untracked(|shown| {
            shown.as_ref().map(|shown| figure_file::name(&shown.figure, "json"))
        });
        let element = share::element(&folder, &file.unwrap_or_else(|| "figure.json".to_owned()));
        let address = if written.is_empty() { base } else { format!("{base}#{written}") };
        let model = link.model.as_deref();
        view! {
            <Copied id="share-link" title=t!("share-link") text=address />
            <Copied id="share-embed" title=t!("share-embed") text=embed />
            <Copied id="share-element" title=t!("share-element") text=element />
            <Copied id="share-frame" title=t!("share-frame") text=frame />
            <p class="help">
                {t!("share-embedding")} " " <a href="docs/embedding.html">{t!("share-embedding-more")}</a>
            </p>
            <Copied id="share-command" title=t!("share-command") text=share::command(&request, model) />
            <Copied id="share-python" title=t!("share-python") text=share::python(&request, model) />
            <Copied id="share-citation" title=t!("share-citation") text=share::CITATION.to_owned() />
        }
    };
    view! {
        <button type="button" id="share" aria-haspopup="dialog" on:click=move |_| open.set(true)>
            {t!("share")}
        </button>
        <Dialog open id="share-dialog" title=t!("share-title")>{content()}</Dialog>
    }
}

/// A text to be copied.
#[component]
fn Copied(
    /// Its id.
    id: &'static str,
    /// What it is.
    title: String,
    /// The text.
    text: String,
) -> impl IntoView {
    let field = NodeRef::<html::Textarea>::new();
    let said = RwSignal::new(String::new());
    let copied = text.clone();
    let copy = move |_| {
        let copied = copied.clone();
        // Where the clipboard is not allowed, the text is selected for the person to copy.
        leptos::task::spawn_local(async move {
            let clipboard = window().navigator().clipboard();
            let done = JsFuture::from(clipboard.write_text(&copied)).await.is_ok();
            if !done && let Some(field) = field.get_untracked() {
                field.select();
            }
            said.set(if done { t!("share-copied") } else { t!("share-selected") });
        });
    };
    let lines = text.lines().count().clamp(1, 6).to_string();
    view! {
        <div class="copied">
            <label class="name" for=id>{title}</label>
            <textarea id=id readonly=true rows=lines dir="ltr" spellcheck="false" node_ref=field prop:value=text></textarea>
            <div class="row">
                <button type="button" data-copies=id on:click=copy>{t!("share-copy")}</button>
                <span class="help" role="status">{said}</span>
            </div>
        </div>
    }
}
