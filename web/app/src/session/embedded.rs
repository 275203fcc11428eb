//! The page in a frame: what it asks its reader, and what it says to the page around.

use std::sync::Arc;

use leptos::prelude::*;
use relp_hub::KNOWN;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;
use web_sys::MessageEvent;

use super::Session;
use crate::embedding::Told;
use crate::figure_file;
use crate::locale::t;
use crate::models::Wanted;
use crate::state::{Consent, Origin};

impl Session {
    /// Listens to the page around and keeps it informed.
    pub(super) fn embed(self) {
        let state = self.state;
        let Some(embedding) = state.embedding.get_value() else { return };
        let told = embedding.clone();
        Effect::new(move |_| {
            let computed = state.shown.get().filter(|shown| shown.origin.is_none());
            if let Some(shown) = computed
                && let Ok(json) = serde_json::to_string(&*shown.figure)
            {
                told.tell(&Told::Result(json));
            }
        });
        let told = embedding.clone();
        Effect::new(move |_| {
            if let Some(sentence) = state.failure.get() {
                told.tell(&Told::Error(sentence));
            }
        });
        let listened = embedding.clone();
        let hear = Closure::<dyn Fn(MessageEvent)>::new(move |message: MessageEvent| {
            if let Some(figure) = listened.wanted(&message) {
                self.show_sent(&figure);
            }
        });
        // It lives as long as the page.
        let _listening =
            window().add_event_listener_with_callback("message", hear.as_ref().unchecked_ref());
        hear.forget();
        embedding.tell(&Told::Ready);
        if embedding.live {
            self.start_engine();
        }
    }

    /// Shows a figure that the page around has sent, or says why not.
    fn show_sent(self, figure: &str) {
        if figure.len() > figure_file::MOST_BYTES {
            return self.state.failure.set(Some(t!("too-large")));
        }
        match figure_file::read(figure.as_bytes()) {
            Ok(figure) => {
                let name = figure.model.name.as_str();
                let is_it = |known: &relp_hub::Known| {
                    known.title == name || known.repo == name || known.aliases.contains(&name)
                };
                if let Some(at) = KNOWN.iter().position(is_it) {
                    self.state.models.wanted.set(Wanted::Known(at));
                }
                self.open(Arc::new(figure), Origin::Around);
            }
            Err(sentence) => self.state.failure.set(Some(sentence)),
        }
    }

    /// The reader wants the engine.
    pub fn start_engine(self) {
        self.state.consent.set(Consent::Weights);
        self.start_worker();
    }

    /// The reader wants the weights too.
    pub fn start_model(self) {
        self.state.consent.set(Consent::Given);
        if let Some(source) = untrack(|| self.state.models.source()) {
            self.state.linked_model.set(None);
            self.load_model(source);
        }
    }
}

/// Tells the page around how high this one is, whenever that changes.
pub fn follow_height(embedding: crate::embedding::Embedding, app: &web_sys::Element) {
    let measured = app.clone();
    let changed = Closure::<dyn Fn()>::new(move || {
        embedding.tell(&Told::Height(measured.get_bounding_client_rect().height()));
    });
    if let Ok(observer) = web_sys::ResizeObserver::new(changed.as_ref().unchecked_ref()) {
        observer.observe(app);
        // It goes on for as long as the page is there.
        std::mem::forget(observer);
    }
    changed.forget();
}
