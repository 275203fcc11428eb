//! Where a model comes from.

use std::future::Future;
use std::ops::Range;
use std::pin::Pin;

use relp_model::Precision;

/// The two small files of a model, its name, and how to keep it.
#[derive(Clone, Copy, Debug)]
pub struct Files<'a> {
    /// What people call the model.
    pub name: &'a str,
    /// `config.json`.
    pub config: &'a [u8],
    /// `tokenizer.json`.
    pub tokenizer: &'a [u8],
    /// How exactly the weights are to be kept.
    pub precision: Precision,
}

/// A SHA-256 that comes, or a sentence that says why it does not.
pub type Hashing = Pin<Box<dyn Future<Output = Result<[u8; 32], String>>>>;

/// `model.safetensors`, read piece by piece, so that it never has to be in memory as a whole.
pub trait WeightSource {
    /// Bytes of the file.
    fn len(&self) -> u64;

    /// Whether the file has no bytes.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes of a range that lies within the file.
    ///
    /// # Errors
    /// A sentence that says why they cannot be had.
    fn read(&mut self, range: Range<u64>) -> impl Future<Output = Result<Vec<u8>, String>>;

    /// The SHA-256 of the file, where something else than this program finds it out meanwhile; most have none, and what is
    /// read is hashed.
    fn hash(&self) -> Option<Hashing> {
        None
    }
}

/// The bytes of a range of a file that is in memory.
///
/// # Errors
/// If the range lies outside it.
pub fn piece(file: &[u8], range: Range<u64>) -> Result<Vec<u8>, String> {
    let within = usize::try_from(range.start).ok().zip(usize::try_from(range.end).ok());
    match within.and_then(|(start, end)| file.get(start..end)) {
        Some(bytes) => Ok(bytes.to_vec()),
        None => Err(format!("bytes {range:?} lie outside the file")),
    }
}

/// A file that is in memory already.
#[derive(Clone, Debug)]
pub struct InMemory(pub Vec<u8>);

impl WeightSource for InMemory {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    async fn read(&mut self, range: Range<u64>) -> Result<Vec<u8>, String> {
        piece(&self.0, range)
    }
}
