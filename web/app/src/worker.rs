//! The engine's worker, seen from the page.

use js_sys::{Array, Reflect};
use relp_protocol::{Command, Event};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::{BroadcastChannel, ErrorEvent, MessageEvent};

/// Where the page's script leaves the worker that it has started.
const EARLY: &str = "relpEarly";

/// The script of one of the page's workers. The build names it by its content, and says so in the page.
pub fn script(name: &str) -> String {
    let page = leptos::prelude::document().document_element();
    let named = page.and_then(|page| page.get_attribute(&format!("data-{name}")));
    named.unwrap_or_else(|| format!("relp-{name}.js"))
}

/// A running worker; dropping it ends it.
pub struct Worker {
    /// Whether it has begun with [`Command::first`].
    pub has_begun: bool,
    worker: web_sys::Worker,
    threads: Option<Threads>,
    _on_message: Closure<dyn Fn(MessageEvent)>,
    _on_error: Closure<dyn Fn(ErrorEvent)>,
}

/// Where its threads say that they failed.
struct Threads {
    channel: BroadcastChannel,
    _on_message: Closure<dyn Fn(MessageEvent)>,
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.channel.close();
    }
}

impl Worker {
    /// Starts a worker, or takes over the one that the page's script has started. `on_event` hears its events,
    /// `on_crash` why it can do no more.
    ///
    /// # Errors
    /// If the browser starts no worker, in its words.
    pub fn start(
        on_event: impl Fn(Event) + 'static,
        on_crash: impl Fn(String) + 'static,
    ) -> Result<Self, String> {
        let script = script("worker");
        let early = early();
        let has_begun = early.is_some();
        let (worker, heard) = match early {
            Some(early) => early,
            None => {
                let worker = web_sys::Worker::new(&script).map_err(|error| words_of(&error))?;
                (worker, Array::new())
            }
        };
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
        // What it has said so far is heard before what it says next, and not before it is taken over.
        let of = worker.clone();
        spawn_local(async move {
            for event in heard.iter() {
                // A worker that was given up in the meantime is not listened to.
                let is_message = event.is_instance_of::<MessageEvent>();
                let listener = if is_message { of.onmessage() } else { of.onerror() };
                if let Some(listener) = listener {
                    // What it throws is told as that of any other event is.
                    let _heard = listener.call1(&of, &event);
                }
            }
        });
        Ok(Self { has_begun, worker, threads: None, _on_message: on_message, _on_error: on_error })
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
    /// Hears of the worker's threads on a channel, which the worker has named; `on_crash` hears why one failed.
    pub fn listen(&mut self, channel: &str, on_crash: impl Fn(String) + 'static) {
        // A page that may not have a channel has no threads.
        let Ok(channel) = BroadcastChannel::new(channel) else { return };
        let on_message = Closure::<dyn Fn(MessageEvent)>::new(move |message: MessageEvent| {
            on_crash(words_of(&message.data()));
        });
        channel.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        self.threads = Some(Threads { channel, _on_message: on_message });
    }

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

/// The worker that the page's script has started (`crates/xtask/src/boot.rs`), and what it has said so far.
fn early() -> Option<(web_sys::Worker, Array)> {
    let window = leptos::prelude::window();
    let early = Reflect::get(&window, &EARLY.into()).ok()?;
    let part = |name: &str| Reflect::get(&early, &name.into()).ok();
    let (worker, heard) = (part("worker")?.dyn_into().ok()?, part("heard")?.dyn_into().ok()?);
    // The next one is started here.
    Reflect::delete_property(&window, &EARLY.into()).ok()?;
    Some((worker, heard))
}

/// Why the worker failed. An event without a message tells that its script could not be fetched.
pub fn message_of(error: &ErrorEvent, script: &str) -> String {
    let message = Reflect::get(error, &"message".into()).ok();
    let message = message.and_then(|message| message.as_string());
    message.unwrap_or_else(|| format!("{script} cannot be fetched"))
}

/// What the browser says of an error.
pub fn words_of(error: &JsValue) -> String {
    error.as_string().unwrap_or_else(|| format!("{error:?}"))
}
