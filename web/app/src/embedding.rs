//! The page in a frame of somebody else's page: how it was asked for, and the messages between the two.
//!
//! `?embed` shows the page without what stands around a figure; `?embed=ORIGIN` names the page that it is in,
//! which is then listened to and told what was computed; with `&live` the engine is started at once. Messages
//! are objects with `format: "relp-embed/1"` and a `kind` (`docs/embedding.md`).

use js_sys::{Object, Reflect};
use leptos::prelude::window;
use wasm_bindgen::JsValue;
use web_sys::MessageEvent;

/// What every message says that it is.
const FORMAT: &str = "relp-embed/1";

/// How the page was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Embedding {
    /// The origin of the page that it is in, if that was named.
    origin: Option<String>,
    /// Whether somebody has asked for the engine already.
    pub live: bool,
}

/// What the page around it is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// It listens.
    Ready,
    /// It is so many pixels high.
    Height(f64),
    /// This figure was computed; its JSON.
    Result(String),
    /// This went wrong, in a sentence.
    Error(String),
}

impl Embedding {
    /// What the address's query says; `None` is the page by itself.
    pub fn read(query: &str) -> Option<Self> {
        let query = query.strip_prefix('?').unwrap_or(query);
        let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
        let find = |name: &str| pairs.iter().find(|(found, _)| found == name);
        let (_, origin) = find("embed")?;
        let origin = is_origin(origin).then(|| origin.to_string());
        Some(Self { origin, live: find("live").is_some() })
    }

    /// That of this page.
    pub fn here() -> Option<Self> {
        Self::read(&window().location().search().unwrap_or_default())
    }

    /// The figure that a message wants to have shown, if it is one from the page around.
    pub fn wanted(&self, message: &MessageEvent) -> Option<String> {
        let around = window().parent().ok().flatten()?;
        let around = JsValue::from(around);
        let is_from_it = message.source().is_some_and(|source| JsValue::from(source) == around);
        if !is_from_it
            || around == JsValue::from(window())
            || self.origin.as_deref() != Some(&message.origin())
        {
            return None;
        }
        let data = message.data();
        let part = |name: &str| Reflect::get(&data, &name.into()).ok()?.as_string();
        let is_it = part("format")? == FORMAT && part("kind")? == "show";
        is_it.then(|| part("figure")).flatten()
    }

    /// Tells the page around. Of what was asked and computed it is told only if it was named.
    pub fn tell(&self, told: &Told) {
        let own = JsValue::from(window());
        let around = window().parent().ok().flatten();
        let Some(around) = around.filter(|around| *AsRef::<JsValue>::as_ref(around) != own) else {
            return;
        };
        let is_of_no_matter = matches!(told, Told::Ready | Told::Height(_));
        let to = match &self.origin {
            Some(origin) => origin.as_str(),
            None if is_of_no_matter => "*",
            None => return,
        };
        let message = Object::new();
        let put = |name: &str, value: JsValue| {
            // A new object takes everything.
            let _put = Reflect::set(&message, &name.into(), &value);
        };
        put("format", FORMAT.into());
        match told {
            Told::Ready => put("kind", "ready".into()),
            Told::Height(height) => {
                put("kind", "height".into());
                put("height", (*height).into());
            }
            Told::Result(figure) => {
                put("kind", "result".into());
                put("figure", figure.as_str().into());
            }
            Told::Error(sentence) => {
                put("kind", "error".into());
                put("message", sentence.as_str().into());
            }
        }
        // Where the page around is another one than was named, the browser does not deliver it.
        let _told = around.post_message(&message, to);
    }
}

/// Whether a text is the origin of a page from a server.
fn is_origin(text: &str) -> bool {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
    host.is_some_and(|host| !host.is_empty() && host.len() < 300 && host.chars().all(plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_says_how_the_page_was_asked_for() {
        let read = |query: &str| Embedding::read(query).map(|found| (found.origin, found.live));
        assert_eq!(read(""), None);
        assert_eq!(read("?other=1"), None);
        assert_eq!(read("?embed"), Some((None, false)));
        let origin = "https://author.example".to_owned();
        assert_eq!(read("?embed=https%3A%2F%2Fauthor.example&live"), Some((Some(origin), true)));
        for bad in ["*", "null", "javascript:alert(1)", "https://", "https://a/b", "https://a b"] {
            let query =
                form_urlencoded::Serializer::new("?".to_owned()).append_pair("embed", bad).finish();
            assert_eq!(read(&query), Some((None, false)), "{bad}");
        }
    }
}
