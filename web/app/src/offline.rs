//! A service worker that keeps what the page is made of, so that it opens again without a network.

use js_sys::{Array, Function, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};

/// The script that trunk writes beside the page.
const SCRIPT: &str = "keeper.js";

/// What the engine's worker is made of, and the bundled model: these it fetches, not the page.
const OF_WORKER: [&str; 6] = [
    "relp-worker_loader.js",
    "relp-worker.js",
    "relp-worker_bg.wasm",
    "models/primer/config.json",
    "models/primer/tokenizer.json",
    "models/primer/model.safetensors",
];

/// Starts it, where the browser has such workers; over an insecure connection it has not.
pub fn start() {
    spawn_local(async {
        // Without it the page is what it is.
        let _ = keep().await;
    });
}

async fn keep() -> Result<(), JsValue> {
    let window = js_sys::global();
    let container = get(&get(&window, "navigator")?, "serviceWorker")?;
    if container.is_undefined() {
        return Ok(());
    }
    call(&container, "register", &[SCRIPT.into()])?;
    let ready: Promise = get(&container, "ready")?.unchecked_into();
    let registration = JsFuture::from(ready).await?;
    // What came before it was in charge.
    let urls = Array::of1(&get(&get(&window, "location")?, "href")?);
    let entries = call(&get(&window, "performance")?, "getEntriesByType", &["resource".into()])?;
    for entry in Array::from(&entries).iter() {
        urls.push(&get(&entry, "name")?);
    }
    for name in OF_WORKER {
        urls.push(&name.into());
    }
    let active = get(&registration, "active")?;
    call(&active, "postMessage", &[urls.into()]).map(drop)
}

fn get(of: &JsValue, name: &str) -> Result<JsValue, JsValue> {
    Reflect::get(of, &name.into())
}

fn call(of: &JsValue, name: &str, arguments: &[JsValue]) -> Result<JsValue, JsValue> {
    let function: Function = get(of, name)?.dyn_into()?;
    Reflect::apply(&function, of, &arguments.iter().collect::<Array>())
}
