//! What the worker's script has asked for before this program was there (`crates/xtask/src/boot.rs`).

use js_sys::{Object, Promise, Reflect};
use relp_hub::Ask;
use wasm_bindgen::JsCast;
use web_sys::AbortController;

use crate::net::Server;
use crate::{js, scope};

/// The answer to come, with what stops it, if it was asked for; nobody gets it twice.
pub(crate) fn take(server: Server, ask: &Ask) -> Option<(Promise, AbortController)> {
    if server != Server::Own || ask.from > 0 {
        return None;
    }
    let all = js::get(scope().as_ref(), "relpAhead");
    let one = js::get(&all, &ask.url);
    let answer = js::get(&one, "answer").dyn_into().ok()?;
    let abort = js::get(&one, "abort").dyn_into().ok()?;
    Reflect::delete_property(all.unchecked_ref::<Object>(), &ask.url.as_str().into()).ok()?;
    Some((answer, abort))
}
