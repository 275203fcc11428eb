//! Weights that stay outside the worker's wasm memory.

use std::ops::Range;

use js_sys::Uint8Array;
use relp_engine::WeightSource;
use relp_hub::Fetch;
use web_sys::Blob;

use crate::models::DownloadWatch;
use crate::net::Net;
use crate::opfs::contents;
use crate::shelf::Shelf;

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
}
