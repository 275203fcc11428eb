//! The engine's worker, seen from the page.

use relp_protocol::{Command, Event};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{ErrorEvent, MessageEvent};

/// The script of one of the page's workers. The build names it by its content, and says so in the page.
pub fn script(name: &str) -> String {
    let page = leptos::prelude::document().document_element();
    let named = page.and_then(|page| page.get_attribute(&format!("data-{name}")));
    named.unwrap_or_else(|| format!("relp-{name}.js"))
}

/// A running worker; dropping it ends it.
pub struct Worker {
    worker: web_sys::Worker,
    _on_message: Closure<dyn Fn(MessageEvent)>,
    _on_error: Closure<dyn Fn(ErrorEvent)>,
}

impl Worker {
    /// Starts a worker. `on_event` hears its events, `on_crash` why it can do no more.
    ///
    /// # Errors
    /// If the browser starts no worker, in its words.
    pub fn start(
        on_event: impl Fn(Event) + 'static,
        on_crash: impl Fn(String) + 'static,
    ) -> Result<Self, String> {
        let script = script("worker");
        let worker = web_sys::Worker::new(&script).map_err(|error| words_of(&error))?;
        let on_message = Closure::<dyn Fn(MessageEvent)>::new(move |message: MessageEvent| {
            // Only the worker can post here, and it is built with this page.
            if let Ok(event) = serde_wasm_bindgen::from_value(message.data()) {
                on_event(event);
            }
        });
        worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        let on_error = Closure::<dyn Fn(ErrorEvent)>::new(move |error: ErrorEvent| {
            error.prevent_default();
            on_crash(message_of(&error, &script));
        });
        worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        Ok(Self { worker, _on_message: on_message, _on_error: on_error })
    }

    /// Sends a command.
    ///
    /// # Errors
    /// If it cannot be sent, in the browser's words.
    pub fn send(&self, command: &Command) -> Result<(), String> {
        let message = serde_wasm_bindgen::to_value(command).map_err(|error| error.to_string())?;
        self.worker.post_message(&message).map_err(|error| words_of(&error))
    }
}

impl Worker {
    /// Sends files, an array of `File`, which the next command is about.
    ///
    /// # Errors
    /// If they cannot be sent, in the browser's words.
    pub fn send_files(&self, files: &JsValue) -> Result<(), String> {
        self.worker.post_message(files).map_err(|error| words_of(&error))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.worker.set_onmessage(None);
        self.worker.set_onerror(None);
        self.worker.terminate();
    }
}

/// Why the worker failed. An event without a message tells that its script could not be fetched.
pub fn message_of(error: &ErrorEvent, script: &str) -> String {
    let message = js_sys::Reflect::get(error, &"message".into()).ok();
    let message = message.and_then(|message| message.as_string());
    message.unwrap_or_else(|| format!("{script} cannot be fetched"))
}

/// What the browser says of an error.
pub fn words_of(error: &JsValue) -> String {
    error.as_string().unwrap_or_else(|| format!("{error:?}"))
}
