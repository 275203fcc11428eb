//! Weights that stay outside the worker's wasm memory.

use std::ops::Range;

use js_sys::Uint8Array;
use relp_engine::{Hashing, WeightSource};
use relp_hub::Fetch;
use wasm_bindgen::JsCast;
use web_sys::{Blob, SubtleCrypto};

use crate::models::DownloadWatch;
use crate::net::Net;
use crate::opfs::contents;
use crate::shelf::Shelf;
use crate::{js, scope};

/// `model.safetensors`, of which only a piece at a time is copied into wasm memory.
pub(crate) enum Weights {
    /// In JavaScript's memory.
    Array(Uint8Array),
    /// A file that the person has chosen.
    File(Blob),
    /// What this browser keeps, and the network for what it lacks.
    Fetched(Box<Fetch<Net, Shelf, DownloadWatch>>),
}

impl WeightSource for Weights {
    fn len(&self) -> u64 {
        match self {
            Self::Array(bytes) => bytes.length().into(),
            Self::File(file) => file.size() as u64,
            Self::Fetched(fetch) => fetch.length(),
        }
    }

    async fn read(&mut self, range: Range<u64>) -> Result<Vec<u8>, String> {
        if range.end > self.len() || range.start > range.end {
            return Err(format!("bytes {range:?} lie outside the file"));
        }
        match self {
            // Both fit: they are at most the array's length, a u32.
            Self::Array(bytes) => Ok(bytes.subarray(range.start as u32, range.end as u32).to_vec()),
            Self::File(file) => contents(file, range).await.map_err(|error| error.to_string()),
            Self::Fetched(fetch) => fetch.read(range).await.map_err(|error| error.to_string()),
        }
    }

    /// What is in memory as a whole the browser hashes on a thread of its own, before this program would have been compiled
    /// for speed. Pages that came over an insecure connection cannot ask it to.
    fn hash(&self) -> Option<Hashing> {
        let Self::Array(bytes) = self else { return None };
        let subtle = js::get(&js::get(scope().as_ref(), "crypto"), "subtle");
        let subtle: SubtleCrypto = subtle.dyn_into().ok()?;
        let hash = subtle.digest_with_str_and_buffer_source("SHA-256", bytes).ok()?;
        Some(Box::pin(async move {
            let hash = js::done(hash).await.map(|hash| Uint8Array::new(&hash).to_vec());
            hash.ok()
                .and_then(|hash| hash.try_into().ok())
                .ok_or_else(|| "the browser could not hash them".to_owned())
        }))
    }
}
