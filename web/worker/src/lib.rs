//! The engine in a web worker: commands in, events out, one command at a time.

mod ahead;
mod control;
mod download;
mod inbox;
mod js;
mod lock;
mod models;
mod net;
mod opfs;
mod pieces;
mod shelf;
mod source;
#[cfg(feature = "threads")]
mod threads;
mod tuning;
mod work;

use std::rc::Rc;

use js_sys::Array;
use relp_protocol::{Command, Event, FIRST};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::{DedicatedWorkerGlobalScope, MessageEvent};

#[cfg(feature = "threads")]
pub use crate::threads::lend;

use crate::inbox::Inbox;
use crate::work::Worker;

/// Begins to listen to the page.
pub fn start() {
    console_error_panic_hook::set_once();
    let inbox = Rc::new(Inbox::default());
    let received = inbox.clone();
    let on_message = Closure::<dyn Fn(MessageEvent)>::new(move |message: MessageEvent| {
        // Files cannot be written down, so they come by themselves.
        if let Ok(files) = message.data().dyn_into::<Array>() {
            return received
                .set_files(files.iter().filter_map(|file| file.dyn_into().ok()).collect());
        }
        // Only the page can post here, and it is built with this worker; anything else is dropped.
        if let Ok(command) = serde_wasm_bindgen::from_value::<Command>(message.data()) {
            received.receive(command);
        }
    });
    scope().set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    on_message.forget();
    post(&Event::Ready);
    if scope().name() == FIRST {
        inbox.receive(Command::first());
    }
    spawn_local(Worker::new(inbox).run());
}

/// Sends an event to the page.
fn post(event: &Event) {
    let sent = serde_wasm_bindgen::to_value(event)
        .map_err(JsValue::from)
        .and_then(|value| scope().post_message(&value));
    if let Err(error) = sent {
        wasm_bindgen::throw_val(error);
    }
}

fn scope() -> DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}
