//! Models that the page's own server has, as `relp pack` lays them out: `models/here.json` lists them, and
//! `models/hub` is laid out like a hub.

use leptos::prelude::{RwSignal, Set, document, window};
use relp_hub::here::{FOLDER, LIST, read};
use relp_hub::{HUB, Mirrors, Repo};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::Response;

/// Learns what the page's own server has. Nothing that goes wrong is worth a word: then it has none.
pub fn ask(here: RwSignal<Vec<Repo>>) {
    // A page from a file has no server.
    if own().is_some() {
        spawn_local(async move { here.set(found().await.unwrap_or_default()) });
    }
}

/// Whom to ask for a model that is here, as a person would write it: this server, and then the usual hub.
pub fn mirrors() -> Option<String> {
    own().map(|own| format!("{own}, {HUB}"))
}

/// The page's own server as a hub.
fn own() -> Option<String> {
    // A page of one file has no folder of its own, wherever it comes from.
    if document().get_element_by_id("relp-figure").is_some() {
        return None;
    }
    hub(&document().base_uri().ok()??)
}

/// The folder that is laid out like a hub, beside the page of this address.
fn hub(page: &str) -> Option<String> {
    let (folder, _) = page.split(['?', '#']).next()?.rsplit_once('/')?;
    let hub = format!("{folder}/{FOLDER}");
    Mirrors::from_text(&hub).ok().filter(|mirrors| mirrors.count() == 1)?;
    Some(hub)
}

async fn found() -> Option<Vec<Repo>> {
    let response = JsFuture::from(window().fetch_with_str(LIST)).await.ok()?;
    let response: Response = response.dyn_into().ok()?;
    let text = response.ok().then(|| response.text())?.ok()?;
    read(&JsFuture::from(text).await.ok()?.as_string()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_own_server_is_asked_as_a_hub() {
        for (page, expected) in [
            ("http://192.168.1.5:8080/", "http://192.168.1.5:8080/models/hub"),
            ("https://[fd00::7]:8080/?lang=de#x/y", "https://[fd00::7]:8080/models/hub"),
            ("https://a.example/~b/relp/index.html", "https://a.example/~b/relp/models/hub"),
        ] {
            assert_eq!(hub(page).as_deref(), Some(expected));
            let both = Mirrors::from_text(&format!("{expected}, {HUB}"));
            assert_eq!(both.map(|mirrors| mirrors.count()), Ok(2));
        }
        let none = [
            "file:///media/stick/app/index.html",
            "about:blank",
            "",
            "http://a,b/",
            "https://a b/",
        ];
        for page in none {
            assert_eq!(hub(page), None, "{page}");
        }
    }
}
