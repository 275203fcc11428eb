//! Prints figures: a [`PrintJob`] as JSON in, the file's bytes or a sentence out.

use js_sys::{Array, JsString, Uint8Array};
use relp_print::Print;
use relp_protocol::PrintJob;
use wasm_bindgen::prelude::*;
use web_sys::{DedicatedWorkerGlobalScope, MessageEvent};

fn main() {
    console_error_panic_hook::set_once();
    let on_message = Closure::<dyn Fn(MessageEvent)>::new(|message: MessageEvent| {
        // Only the page can post here, and it is built with this worker; anything else is dropped.
        let Some(job) = message.data().as_string() else { return };
        let Ok(job) = serde_json::from_str::<PrintJob>(&job) else { return };
        let answer: JsValue = match print(&job) {
            Ok(bytes) => Uint8Array::from(bytes.as_slice()).into(),
            Err(why) => JsString::from(why).into(),
        };
        let answer = Array::of2(&job.id.into(), &answer);
        if let Err(error) = scope().post_message(&answer) {
            wasm_bindgen::throw_val(error);
        }
    });
    scope().set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    on_message.forget();
    // It is heard from now on.
    if let Err(error) = scope().post_message(&JsValue::NULL) {
        wasm_bindgen::throw_val(error);
    }
}

fn print(job: &PrintJob) -> Result<Vec<u8>, String> {
    let print = Print {
        drawn: &job.drawn,
        source: job.source.as_ref().unwrap_or(&job.drawn),
        less: job.less.as_deref(),
    };
    relp_print::print(&print, &job.style, job.format).map_err(|why| why.to_string())
}

fn scope() -> DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}
