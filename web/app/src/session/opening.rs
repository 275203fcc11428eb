//! Figures out of files: chosen, or dropped onto the page.

use std::sync::Arc;

use leptos::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::Session;
use crate::figure_file;
use crate::locale::t;
use crate::state::Origin;

impl Session {
    /// Opens the figure in a JSON, SVG, PNG, TikZ or HTML file, or says why not.
    pub async fn open_file(self, file: web_sys::File) {
        let name = file.name();
        let read = if file.size() > figure_file::MOST_BYTES as f64 {
            Err(t!("too-large"))
        } else {
            match JsFuture::from(file.array_buffer()).await {
                Ok(buffer) => figure_file::read(&js_sys::Uint8Array::new(&buffer).to_vec()),
                Err(_) => Err(t!("not-read")),
            }
        };
        match read {
            Ok(figure) => self.open(Arc::new(figure), Origin::File(name)),
            Err(sentence) => self.state.failure.set(Some(sentence)),
        }
    }
}
