//! The printer: a worker that starts when the first figure is exported.

use leptos::prelude::*;
use relp_protocol::PrintJob;
use wasm_bindgen::prelude::*;
use web_sys::{ErrorEvent, MessageEvent};

use crate::locale::t;
use crate::worker::{message_of, script, words_of};

/// What is done with a printed figure.
type Done = Box<dyn FnOnce(Result<js_sys::Uint8Array, String>)>;

/// The printer. Copies are handles to the same one.
#[derive(Clone, Copy)]
pub struct Printer {
    inner: StoredValue<Inner, LocalStorage>,
}

#[derive(Default)]
struct Inner {
    worker: Option<web_sys::Worker>,
    /// It hears nothing before it has said that it does.
    ready: bool,
    last_id: u32,
    /// The jobs that are not answered, the older first; a job that waits for the worker has its text.
    waiting: Vec<(u32, Option<String>, Done)>,
}

impl Printer {
    /// A printer that has not started.
    pub fn new() -> Self {
        Self { inner: StoredValue::new_local(Inner::default()) }
    }

    /// Prints a figure. The job's id is the printer's to give.
    pub fn print(
        self,
        job: PrintJob,
        done: impl FnOnce(Result<js_sys::Uint8Array, String>) + 'static,
    ) {
        let id = self.inner.try_update_value(|inner| {
            inner.last_id = inner.last_id.wrapping_add(1);
            inner.last_id
        });
        let id = id.unwrap_or_default();
        let text = serde_json::to_string(&PrintJob { id, ..job }).unwrap_or_default();
        self.inner.update_value(|inner| inner.waiting.push((id, Some(text), Box::new(done))));
        if self.inner.with_value(|inner| inner.worker.is_none())
            && let Err(why) = self.start()
        {
            return self.failed(&why);
        }
        self.send();
    }

    fn start(self) -> Result<(), String> {
        let script = script("printer");
        let worker = web_sys::Worker::new(&script).map_err(|error| words_of(&error))?;
        let on_message = Closure::<dyn Fn(MessageEvent)>::new(move |message: MessageEvent| {
            let Ok(answer) = message.data().dyn_into::<js_sys::Array>() else {
                self.inner.update_value(|inner| inner.ready = true);
                return self.send();
            };
            let id = answer.get(0).as_f64().unwrap_or_default() as u32;
            let found = self.inner.try_update_value(|inner| {
                let at = inner.waiting.iter().position(|(other, ..)| *other == id)?;
                Some(inner.waiting.remove(at).2)
            });
            if let Some(done) = found.flatten() {
                done(
                    answer
                        .get(1)
                        .dyn_into::<js_sys::Uint8Array>()
                        .map_err(|why| why.as_string().unwrap_or_default()),
                );
            }
        });
        worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        let on_error = Closure::<dyn Fn(ErrorEvent)>::new(move |error: ErrorEvent| {
            error.prevent_default();
            self.failed(&message_of(&error, &script));
        });
        worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        // They live as long as the page, which has one printer.
        on_message.forget();
        on_error.forget();
        self.inner.update_value(|inner| inner.worker = Some(worker));
        Ok(())
    }

    fn send(self) {
        self.inner.update_value(|inner| {
            let Some(worker) = inner.worker.as_ref().filter(|_| inner.ready) else { return };
            for (_, text, _) in &mut inner.waiting {
                if let Some(text) = text.take() {
                    // A string can always be sent.
                    let _sent = worker.post_message(&text.into());
                }
            }
        });
    }

    /// It can do no more; the next job starts another one.
    fn failed(self, why: &str) {
        let waiting = self.inner.try_update_value(|inner| {
            if let Some(worker) = inner.worker.take() {
                worker.terminate();
            }
            inner.ready = false;
            std::mem::take(&mut inner.waiting)
        });
        for (.., done) in waiting.unwrap_or_default() {
            done(Err(t!("export-failed", why = why)));
        }
    }
}

impl Default for Printer {
    fn default() -> Self {
        Self::new()
    }
}
