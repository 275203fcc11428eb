//! Two tabs that want the same model: one fetches it, the other waits (Web Locks).

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Function, Object, Promise, Reflect};
use relp_engine::EngineError;
use wasm_bindgen::prelude::*;
use web_sys::AbortController;

use crate::inbox::Inbox;
use crate::js;

/// Held until it is dropped.
pub(crate) struct Lock {
    release: Option<Function>,
}

impl Lock {
    /// Waits until no other tab holds a lock of this name. A browser without locks gives one at once.
    pub(crate) async fn hold(name: &str, inbox: &Rc<Inbox>) -> Result<Self, EngineError> {
        let locks = js::get(js::navigator().as_ref(), "locks");
        let Ok(request) = js::get(&locks, "request").dyn_into::<Function>() else {
            return Ok(Self { release: None });
        };
        let release = Rc::new(RefCell::new(None));
        let held = {
            let release = release.clone();
            Promise::new(&mut move |resolve, _| {
                release.replace(Some(resolve));
            })
        };
        // The lock lasts as long as the promise that the callback gives.
        let got = Rc::new(RefCell::new(None));
        let acquired = {
            let got = got.clone();
            Promise::new(&mut move |resolve, _| {
                got.replace(Some(resolve));
            })
        };
        let callback = Closure::<dyn FnMut(JsValue) -> Promise>::new(move |_| {
            if let Some(got) = got.borrow_mut().take() {
                drop(Function::call0(&got, &JsValue::UNDEFINED));
            }
            held.clone()
        });
        let options = Object::new();
        if let Ok(abort) = AbortController::new() {
            // Without a signal it cannot be cancelled, and works all the same.
            drop(Reflect::set(&options, &"signal".into(), &abort.signal()));
            inbox.set_abort(abort);
        }
        let asked = request.call3(&locks, &name.into(), &options, callback.as_ref());
        let lock = Self { release: release.borrow_mut().take() };
        let Ok(asked) = asked else { return Ok(lock) };
        let asked: Promise = asked.unchecked_into();
        let first = js::before(&asked, &acquired).await;
        if inbox.is_cancelled() {
            return Err(EngineError::Cancelled);
        }
        match first {
            // Locks may be refused, as in a private window.
            Some(Err(_) | Ok(_)) | None => {}
        }
        drop(callback);
        Ok(lock)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Some(release) = self.release.take() {
            // It cannot fail: it settles a promise.
            drop(release.call0(&JsValue::UNDEFINED));
        }
    }
}
