//! Threads for the CPU executor: workers of this worker's own, which run its program in its memory and lend themselves
//! (`crates/cpu/src/lent.rs`). What they do first is in their script (`crates/xtask/src/boot.rs`).

use std::cell::Cell;

use futures_util::future::try_join_all;
use js_sys::{Object, Reflect};
use relp_model::{Kind, Loaded};
use relp_protocol::{Event, THREAD};
use wasm_bindgen::prelude::*;
use web_sys::{Worker, WorkerOptions};

use crate::{js, post, scope};

/// With fewer weights in its blocks, a model gains less by threads than they cost (benches/README.md).
const WORTH_THREADS: usize = 1 << 23;

/// A browser has more to do than this, and what more of them gain was not measured.
const MOST: usize = 8;

/// Lends the calling thread to the worker that has started it.
#[wasm_bindgen]
pub fn lend() {
    relp_engine::lend();
}

/// Whether threads have been started.
#[derive(Default)]
pub(crate) struct Threads {
    asked: Cell<bool>,
}

impl Threads {
    /// Starts them, once, if what was loaded gains by them. Where the browser starts none, this thread computes alone.
    pub(crate) async fn start_for(&self, loaded: &Loaded) {
        let config = &loaded.model.config;
        let weights = config.n_layer * config.d_model * (4 * config.d_model + 2 * config.d_mlp);
        let cores = js::navigator().hardware_concurrency() as usize;
        let lent = cores.min(MOST).saturating_sub(1);
        if loaded.device.kind != Kind::Cpu || weights < WORTH_THREADS || lent == 0 {
            return;
        }
        if self.asked.replace(true) {
            return;
        }
        let workers: Vec<Worker> = (0..lent).map_while(|_| worker().ok()).collect();
        // Of this worker and no other.
        let channel = format!("relp-threads-{}", js_sys::Math::random());
        let all_ready = try_join_all(workers.iter().map(|worker| ready(worker, &channel)));
        if workers.len() == lent && all_ready.await.is_ok() {
            post(&Event::Threads { channel });
            // Rayon waits for all of them, and listens to nobody. It fails only if it was done before.
            let _ = relp_engine::share(lent);
        } else {
            workers.iter().for_each(Worker::terminate);
        }
    }
}

/// Another worker with this one's script.
fn worker() -> Result<Worker, JsValue> {
    let options = WorkerOptions::new();
    options.set_name(THREAD);
    Worker::new_with_options(&scope().location().href(), &options)
}

/// Gives a worker this program, its memory, and the channel on which it says that it failed, and waits until it runs.
async fn ready(worker: &Worker, channel: &str) -> Result<(), JsValue> {
    let (ready, settle) = js::promise();
    let settle = settle.ok_or(JsValue::UNDEFINED)?;
    worker.set_onmessage(Some(&settle));
    worker.set_onerror(Some(&settle));
    let parts = Object::new();
    Reflect::set(&parts, &"module".into(), &wasm_bindgen::module())?;
    Reflect::set(&parts, &"memory".into(), &wasm_bindgen::memory())?;
    Reflect::set(&parts, &"channel".into(), &channel.into())?;
    worker.post_message(&parts)?;
    let event = js::done(ready).await?;
    worker.set_onmessage(None);
    worker.set_onerror(None);
    if js::get(&event, "type") == "message" { Ok(()) } else { Err(event) }
}
