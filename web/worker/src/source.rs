//! Weights that stay outside the worker's wasm memory.

use std::ops::Range;

use js_sys::Uint8Array;
use relp_engine::WeightSource;

/// A file in JavaScript's memory; only the tensor that is being loaded is copied in.
pub(crate) struct JsFile(pub(crate) Uint8Array);

impl WeightSource for JsFile {
    fn len(&self) -> usize {
        self.0.length() as usize
    }

    async fn read(&mut self, range: Range<usize>) -> Result<Vec<u8>, String> {
        if range.end > self.len() || range.start > range.end {
            return Err(format!("bytes {range:?} lie outside the file"));
        }
        // Both fit: they are at most the array's length, a u32.
        Ok(self.0.subarray(range.start as u32, range.end as u32).to_vec())
    }
}
