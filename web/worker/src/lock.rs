//! Two tabs that want the same model: one fetches it, the other waits (Web Locks).

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
        // The lock lasts as long as the promise that the callback gives.
        let (held, release) = js::promise();
        let (acquired, acquire) = js::promise();
        let callback = Closure::<dyn FnMut(JsValue) -> Promise>::new(move |_| {
            if let Some(acquire) = &acquire {
                js::settle(acquire);
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
        let lock = Self { release };
        // Locks may be refused, as in a private window; then there is nothing to wait for.
        if let Ok(asked) = asked {
            js::before(asked.unchecked_into(), acquired).await;
        }
        if inbox.is_cancelled() { Err(EngineError::Cancelled) } else { Ok(lock) }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Some(release) = &self.release {
            js::settle(release);
        }
    }
}
