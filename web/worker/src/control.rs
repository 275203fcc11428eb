//! Progress to the page, and room for its messages.

use std::rc::Rc;

use js_sys::{Function, Promise};
use relp_engine::{Cancelled, Control};
use relp_model::Part;
use relp_protocol::{Event, Id, Stage};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::MessageChannel;

use crate::inbox::Inbox;
use crate::post;

/// Reports the progress of one command and learns whether it is still wanted.
pub(crate) struct PageControl {
    pub(crate) inbox: Rc<Inbox>,
    pub(crate) id: Id,
    pub(crate) stage: Stage,
}

impl Control for PageControl {
    async fn pause(&mut self, done: u64, total: u64) -> Result<(), Cancelled> {
        post(&Event::Progress { id: self.id, stage: self.stage, done, total });
        let_messages_in().await;
        if self.inbox.is_cancelled() { Err(Cancelled) } else { Ok(()) }
    }

    fn part(&mut self, part: Part) {
        post(&Event::Part { id: self.id, part: Box::new(part) });
    }
}

/// Lets the messages that have arrived be handled. A message to oneself comes back after them, and
/// unlike a timer it is not held back.
async fn let_messages_in() {
    let promise = Promise::new(&mut |resolve: Function, _| match MessageChannel::new() {
        Ok(channel) => {
            channel.port1().set_onmessage(Some(&resolve));
            // Posting `undefined` cannot fail.
            let _ = channel.port2().post_message(&JsValue::UNDEFINED);
        }
        Err(_) => drop(resolve.call0(&JsValue::UNDEFINED)),
    });
    // The promise is never rejected.
    let _ = JsFuture::from(promise).await;
}
