//! Where models are kept in this browser: the best place there is.

use std::ops::Range;

use relp_hub::{Entry, Record, Repo, Store, StoreError};
use relp_protocol::Keeping;

use crate::opfs::Opfs;
use crate::pieces::Pieces;

/// One of the places.
pub(crate) enum Shelf {
    Files(Opfs),
    Pieces(Pieces, Keeping),
}

impl Shelf {
    /// The Origin Private File System, else the Cache API, else memory, which is empty every time.
    pub(crate) async fn open() -> Self {
        if let Some(files) = Opfs::open().await {
            return Self::Files(files);
        }
        match Pieces::cache().await {
            Some(cache) => Self::Pieces(cache, Keeping::Cache),
            None => Self::Pieces(Pieces::memory(), Keeping::Memory),
        }
    }

    /// Removes all entries of a model.
    pub(crate) async fn remove_model(&mut self, repo: &Repo) -> Result<(), StoreError> {
        match self {
            Self::Files(files) => files.remove_model(repo).await,
            Self::Pieces(pieces, _) => {
                for entry in pieces.list().await?.iter().filter(|entry| entry.repo == *repo) {
                    pieces.remove(entry).await?;
                }
                Ok(())
            }
        }
    }

    /// What it is.
    pub(crate) fn keeping(&self) -> Keeping {
        match self {
            Self::Files(_) => Keeping::Files,
            Self::Pieces(_, keeping) => *keeping,
        }
    }
}

macro_rules! on {
    ($shelf:expr, $store:ident => $call:expr) => {
        match $shelf {
            Shelf::Files($store) => $call.await,
            Shelf::Pieces($store, _) => $call.await,
        }
    };
}

impl Store for Shelf {
    async fn record(&mut self, entry: &Entry) -> Result<Option<Record>, StoreError> {
        on!(self, store => store.record(entry))
    }

    async fn set_record(&mut self, entry: &Entry, record: &Record) -> Result<(), StoreError> {
        on!(self, store => store.set_record(entry, record))
    }

    async fn len(&mut self, entry: &Entry) -> Result<u64, StoreError> {
        on!(self, store => store.len(entry))
    }

    async fn append(&mut self, entry: &Entry, bytes: &[u8]) -> Result<(), StoreError> {
        on!(self, store => store.append(entry, bytes))
    }

    async fn read(&mut self, entry: &Entry, range: Range<u64>) -> Result<Vec<u8>, StoreError> {
        on!(self, store => store.read(entry, range))
    }

    async fn remove(&mut self, entry: &Entry) -> Result<(), StoreError> {
        on!(self, store => store.remove(entry))
    }

    async fn list(&mut self) -> Result<Vec<Entry>, StoreError> {
        on!(self, store => store.list())
    }
}
