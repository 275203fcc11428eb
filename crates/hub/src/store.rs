//! What a [`crate::Fetch`] needs of a place to keep files.

use std::future::Future;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{ModelFile, Repo, Revision};

/// The name of a file in a store.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Entry {
    /// Of which model.
    pub repo: Repo,
    /// In which state, by the name that was asked for.
    pub revision: Revision,
    /// Which file.
    pub file: ModelFile,
}

/// Why the bytes of a complete file are taken for the right ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trust {
    /// Their hash is the one that this program knows.
    Known,
    /// Their hash is the one that the hub announced.
    Announced,
    /// They came first. From now on they must stay as they are.
    FirstUse,
}

/// What is known of an entry beside its bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// Where the bytes came from.
    pub url: String,
    /// The server's validator for them.
    pub etag: Option<String>,
    /// The hub's own name for them, which of a large file is its SHA-256.
    pub linked_etag: Option<String>,
    /// The commit that the hub named.
    pub commit: Option<String>,
    /// Bytes of the whole file.
    pub length: Option<u64>,
    /// SHA-256 of the whole file, once it was there.
    pub sha256: Option<String>,
    /// Why they are trusted; none before the file is complete.
    pub trust: Option<Trust>,
    /// Whether all bytes are there and were checked.
    pub complete: bool,
}

impl Record {
    /// What the hash of the bytes has to be, if anything says that: what it was, or else what the hub
    /// announced.
    pub fn expected_sha256(&self) -> Option<String> {
        let is_sha256 =
            |tag: &&String| tag.len() == 64 && tag.bytes().all(|b| b.is_ascii_hexdigit());
        let announced = self.linked_etag.as_ref().filter(is_sha256);
        self.sha256.clone().or_else(|| announced.map(|tag| tag.to_ascii_lowercase()))
    }

    /// Whether bytes can be all those of a complete file.
    pub fn is_of(&self, bytes: &[u8]) -> bool {
        let fits = self.length.is_none_or(|length| length == bytes.len() as u64);
        fits && self
            .expected_sha256()
            .is_none_or(|expected| expected == hex(&Sha256::digest(bytes)))
    }
}

/// A hash as it is written.
pub(crate) fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Why a store cannot do what it is asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// There is no room. The reason, to follow "because".
    #[error("{0}")]
    Full(String),
    /// Anything else. The reason, to follow "because".
    #[error("{0}")]
    Failed(String),
}

/// A place to keep files. An entry is its bytes, which only grow, and its [`Record`].
///
/// Two fetches of one entry at the same time are the store's to prevent, by a lock of the system.
pub trait Store {
    /// The record of an entry.
    ///
    /// # Errors
    /// If the place cannot be read.
    fn record(&mut self, entry: &Entry)
    -> impl Future<Output = Result<Option<Record>, StoreError>>;

    /// Writes the record of an entry: before its first byte, and once it is complete.
    ///
    /// # Errors
    /// If the place cannot be written.
    fn set_record(
        &mut self,
        entry: &Entry,
        record: &Record,
    ) -> impl Future<Output = Result<(), StoreError>>;

    /// How many bytes of an entry are there; 0 if there is no such entry.
    ///
    /// # Errors
    /// If the place cannot be read.
    fn len(&mut self, entry: &Entry) -> impl Future<Output = Result<u64, StoreError>>;

    /// Adds bytes at the end of an entry that has a record.
    ///
    /// # Errors
    /// If the place cannot be written. What is there afterwards is a beginning of what should be.
    fn append(
        &mut self,
        entry: &Entry,
        bytes: &[u8],
    ) -> impl Future<Output = Result<(), StoreError>>;

    /// Bytes of an entry, all of which are there.
    ///
    /// # Errors
    /// If the place cannot be read.
    fn read(
        &mut self,
        entry: &Entry,
        range: Range<u64>,
    ) -> impl Future<Output = Result<Vec<u8>, StoreError>>;

    /// Removes an entry and its record. One that is not there is removed already.
    ///
    /// # Errors
    /// If the place cannot be written.
    fn remove(&mut self, entry: &Entry) -> impl Future<Output = Result<(), StoreError>>;

    /// All entries, in order.
    ///
    /// # Errors
    /// If the place cannot be read.
    fn list(&mut self) -> impl Future<Output = Result<Vec<Entry>, StoreError>>;
}

impl<S: Store> Store for &mut S {
    async fn record(&mut self, entry: &Entry) -> Result<Option<Record>, StoreError> {
        (**self).record(entry).await
    }

    async fn set_record(&mut self, entry: &Entry, record: &Record) -> Result<(), StoreError> {
        (**self).set_record(entry, record).await
    }

    async fn len(&mut self, entry: &Entry) -> Result<u64, StoreError> {
        (**self).len(entry).await
    }

    async fn append(&mut self, entry: &Entry, bytes: &[u8]) -> Result<(), StoreError> {
        (**self).append(entry, bytes).await
    }

    async fn read(&mut self, entry: &Entry, range: Range<u64>) -> Result<Vec<u8>, StoreError> {
        (**self).read(entry, range).await
    }

    async fn remove(&mut self, entry: &Entry) -> Result<(), StoreError> {
        (**self).remove(entry).await
    }

    async fn list(&mut self) -> Result<Vec<Entry>, StoreError> {
        (**self).list().await
    }
}
