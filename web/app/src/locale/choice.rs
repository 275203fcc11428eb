//! Which language a person reads.

use leptos::prelude::*;

use super::{Language, t};

/// Where a choice is kept.
const KEY: &str = "relp-language";

/// The language that was chosen once, else the first that the browser's person reads.
pub fn wanted() -> Language {
    let window = window();
    let kept = window.local_storage().ok().flatten();
    let kept = kept.and_then(|storage| storage.get_item(KEY).ok().flatten());
    let read = window.navigator().languages();
    let read = read.iter().filter_map(|tag| Language::of_tag(&tag.as_string()?)).next();
    kept.and_then(|tag| Language::of_tag(&tag)).or(read).unwrap_or_default()
}

/// Keeps a choice. A browser that keeps nothing asks the next time.
pub fn keep(language: Language) {
    if let Ok(Some(storage)) = window().local_storage() {
        let _kept = storage.set_item(KEY, language.tag());
    }
}

/// Tells the browser and its readers aloud what language the page is in, and how it is written.
pub fn declare(language: Language) {
    if let Some(root) = document().document_element() {
        let _told = root.set_attribute("lang", language.tag());
        let _told = root.set_attribute("dir", &t!("writing-direction"));
    }
}
