//! Small things that JavaScript has no types for.

use futures_util::future::{Either, select};
use js_sys::{Function, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{WorkerGlobalScope, WorkerNavigator};

use crate::scope;

/// What a promise comes to.
pub(crate) async fn done(promise: Promise) -> Result<JsValue, JsValue> {
    JsFuture::from(promise).await
}

/// A property; `undefined` where there is none.
pub(crate) fn get(of: &JsValue, name: &str) -> JsValue {
    Reflect::get(of, &name.into()).unwrap_or(JsValue::UNDEFINED)
}

/// What the browser offers workers.
pub(crate) fn navigator() -> WorkerNavigator {
    scope().navigator()
}

/// The browser's words for what went wrong, to follow "because".
pub(crate) fn reason(error: &JsValue) -> String {
    match error.dyn_ref::<js_sys::Error>() {
        Some(error) => format!("the browser says \"{}\"", String::from(error.message())),
        // A `DOMException` of another realm, or what was thrown as it is.
        None => match get(error, "message").as_string() {
            Some(message) => format!("the browser says \"{message}\""),
            None => "the browser gives no reason".to_owned(),
        },
    }
}

/// The name of an exception, such as `QuotaExceededError`.
pub(crate) fn name(error: &JsValue) -> String {
    get(error, "name").as_string().unwrap_or_default()
}

/// A promise that comes after a time, or when this is dropped: one that never comes would keep whoever
/// waits for it in memory.
pub(crate) struct Timer {
    end: Promise,
    ring: Option<Function>,
    id: Option<i32>,
}

impl Timer {
    /// Without a timer there is no waiting.
    pub(crate) fn new(milliseconds: i32) -> Self {
        let (end, ring) = promise();
        let set = WorkerGlobalScope::set_timeout_with_callback_and_timeout_and_arguments_0;
        let id = ring.as_ref().and_then(|ring| set(&scope(), ring, milliseconds).ok());
        if id.is_none() {
            ring.iter().for_each(settle);
        }
        Self { end, ring, id }
    }

    pub(crate) fn end(&self) -> Promise {
        self.end.clone()
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            scope().clear_timeout_with_handle(id);
        }
        self.ring.iter().for_each(settle);
    }
}

/// What a promise comes to, unless the other one is settled before.
pub(crate) async fn before(wanted: Promise, other: Promise) -> Option<Result<JsValue, JsValue>> {
    match select(JsFuture::from(wanted), JsFuture::from(other)).await {
        Either::Left((outcome, _)) => Some(outcome),
        Either::Right(_) => None,
    }
}

/// A promise, and what settles it; `None` only if the browser breaks its own rules.
pub(crate) fn promise() -> (Promise, Option<Function>) {
    let mut settle = None;
    let promise = Promise::new(&mut |resolve, _| settle = Some(resolve));
    (promise, settle)
}

/// Settles a promise.
pub(crate) fn settle(function: &Function) {
    // A promise's own function throws nothing.
    drop(function.call0(&JsValue::UNDEFINED));
}

/// Every name that an asynchronous iterator gives.
pub(crate) async fn names(iterator: js_sys::AsyncIterator) -> Result<Vec<String>, JsValue> {
    let mut names = Vec::new();
    loop {
        let next = done(iterator.next()?).await?;
        if get(&next, "done").is_truthy() {
            return Ok(names);
        }
        names.extend(get(&next, "value").as_string());
    }
}

/// Bytes, copied out of wasm memory.
pub(crate) fn bytes(bytes: &[u8]) -> Uint8Array {
    Uint8Array::from(bytes)
}
