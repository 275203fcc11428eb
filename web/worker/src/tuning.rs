//! What was measured of this browser's GPUs, kept from one visit to the next. A browser that keeps
//! nothing measures again, which takes a tenth of a second: so no failure here is told.

use wasm_bindgen::JsCast;
use web_sys::{Cache, Response};

use crate::{js, scope};

/// The name of the cache.
const CACHE: &str = "relp-gpus";
/// Addresses in a cache have to look like some; nobody is ever asked at this one.
const ADDRESS: &str = "https://gpus.invalid/tuning";

async fn cache() -> Option<Cache> {
    // Pages that came over an insecure connection have none.
    if js::get(scope().as_ref(), "caches").is_undefined() {
        return None;
    }
    let cache = js::done(scope().caches().ok()?.open(CACHE)).await.ok()?;
    Some(cache.unchecked_into())
}

async fn kept(cache: &Cache) -> Option<String> {
    let found = js::done(cache.match_with_str(ADDRESS)).await.ok()?;
    let text = found.dyn_into::<Response>().ok()?.text().ok()?;
    js::done(text).await.ok()?.as_string()
}

/// Takes in what an earlier visit has measured; where there is no WebGPU, nobody waits for it.
pub(crate) async fn recall() {
    let navigator = js::get(scope().as_ref(), "navigator");
    if !js::get(&navigator, "gpu").is_undefined()
        && let Some(cache) = cache().await
        && let Some(lines) = kept(&cache).await
    {
        relp_engine::recall(&lines);
    }
}

/// Keeps what this visit has measured, if it is new.
pub(crate) async fn keep() {
    let lines = relp_engine::remembered();
    if lines.is_empty() {
        return;
    }
    let Some(cache) = cache().await else { return };
    if kept(&cache).await.as_deref() == Some(&lines) {
        return;
    }
    if let Ok(response) = Response::new_with_opt_str(Some(&lines)) {
        // A full disk costs the next visit its tenth of a second.
        let _ = js::done(cache.put_with_str(ADDRESS, &response)).await;
    }
}
