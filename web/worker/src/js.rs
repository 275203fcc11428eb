//! Small things that JavaScript has no types for.

use js_sys::{Array, Function, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::WorkerNavigator;

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

/// Comes after so many milliseconds.
pub(crate) fn after(milliseconds: i32) -> Promise {
    Promise::new(&mut |resolve: Function, _| {
        // Without a timer there is no waiting.
        let set =
            scope().set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, milliseconds);
        if set.is_err() {
            drop(resolve.call0(&JsValue::UNDEFINED));
        }
    })
}

/// The first of two promises to come; `None` if it is the second.
pub(crate) async fn before(wanted: &Promise, other: &Promise) -> Option<Result<JsValue, JsValue>> {
    let mark = JsValue::symbol(None);
    let give_mark = Closure::<dyn FnMut(JsValue) -> JsValue>::new({
        let mark = mark.clone();
        move |_| mark.clone()
    });
    let other = other.then_map_mark(&give_mark);
    let both = Array::of2(wanted, &other);
    let first = done(Promise::race(&both)).await;
    if first.as_ref().is_ok_and(|value| *value == mark) { None } else { Some(first) }
}

trait ThenMark {
    fn then_map_mark(&self, f: &Closure<dyn FnMut(JsValue) -> JsValue>) -> Promise;
}

impl ThenMark for Promise {
    fn then_map_mark(&self, f: &Closure<dyn FnMut(JsValue) -> JsValue>) -> Promise {
        let then = get(self, "then").unchecked_into::<Function>();
        then.call1(self, f.as_ref()).map_or_else(|_| self.clone(), JsCast::unchecked_into)
    }
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
