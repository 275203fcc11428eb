//! A store for where nothing can be kept.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::{Entry, Record, Store, StoreError};

/// Entries in memory, gone with the program.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    entries: BTreeMap<Entry, (Record, Vec<u8>)>,
    /// Bytes that may be kept in all.
    most: Option<u64>,
}

impl MemoryStore {
    /// One that refuses to hold more bytes than this.
    pub fn with_most(most: u64) -> Self {
        Self { entries: BTreeMap::new(), most: Some(most) }
    }

    fn held(&self) -> u64 {
        self.entries.values().map(|(_, bytes)| bytes.len() as u64).sum()
    }
}

impl Store for MemoryStore {
    async fn record(&mut self, entry: &Entry) -> Result<Option<Record>, StoreError> {
        Ok(self.entries.get(entry).map(|(record, _)| record.clone()))
    }

    async fn set_record(&mut self, entry: &Entry, record: &Record) -> Result<(), StoreError> {
        self.entries.entry(entry.clone()).or_default().0 = record.clone();
        Ok(())
    }

    async fn len(&mut self, entry: &Entry) -> Result<u64, StoreError> {
        Ok(self.entries.get(entry).map_or(0, |(_, bytes)| bytes.len() as u64))
    }

    async fn append(&mut self, entry: &Entry, bytes: &[u8]) -> Result<(), StoreError> {
        let all = self.held().saturating_add(bytes.len() as u64);
        if let Some(most) = self.most.filter(|&most| all > most) {
            return Err(StoreError::Full(format!("no more than {most} bytes may be kept")));
        }
        match self.entries.get_mut(entry) {
            Some((_, stored)) => stored.extend_from_slice(bytes),
            None => return Err(StoreError::Failed("the entry has no record".to_owned())),
        }
        Ok(())
    }

    async fn read(&mut self, entry: &Entry, range: Range<u64>) -> Result<Vec<u8>, StoreError> {
        let place = |at| usize::try_from(at).ok();
        let found = self.entries.get(entry).and_then(|(_, bytes)| {
            bytes.get(place(range.start)?..place(range.end)?).map(<[u8]>::to_vec)
        });
        found.ok_or_else(|| StoreError::Failed(format!("bytes {range:?} are not there")))
    }

    async fn remove(&mut self, entry: &Entry) -> Result<(), StoreError> {
        self.entries.remove(entry);
        Ok(())
    }

    async fn list(&mut self) -> Result<Vec<Entry>, StoreError> {
        Ok(self.entries.keys().cloned().collect())
    }
}
