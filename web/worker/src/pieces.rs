//! Files where there is no file system: as numbered pieces in the Cache API, or in JavaScript's memory
//! for as long as a model is in use.

use std::collections::BTreeMap;
use std::ops::Range;

use js_sys::{Array, Uint8Array};
use relp_hub::{Entry, Record, Store, StoreError};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Cache, Request, Response};

use crate::js;
use crate::opfs::failed;
use crate::scope;

/// The name of the cache.
const CACHE: &str = "relp-models";

/// Bytes of a piece, which are gathered before they are put away.
const PIECE: usize = 4 << 20;

/// What holds the pieces.
enum Shelf {
    Cache(Cache),
    Memory(BTreeMap<String, Uint8Array>),
}

/// A place that can keep pieces under names.
pub(crate) struct Pieces {
    shelf: Shelf,
    /// The pieces of each entry that was looked at: where each begins, and its length.
    known: BTreeMap<Entry, Vec<(u64, u64)>>,
    /// What came last and does not fill a piece yet.
    rest: Option<(Entry, Vec<u8>)>,
}

impl Pieces {
    /// The Cache API, if the browser has it here.
    pub(crate) async fn cache() -> Option<Self> {
        // Pages that came over an insecure connection have none.
        if js::get(scope().as_ref(), "caches").is_undefined() {
            return None;
        }
        let cache = js::done(scope().caches().ok()?.open(CACHE)).await.ok()?;
        Some(Self::on(Shelf::Cache(cache.unchecked_into())))
    }

    /// Memory.
    pub(crate) fn memory() -> Self {
        Self::on(Shelf::Memory(BTreeMap::new()))
    }

    fn on(shelf: Shelf) -> Self {
        Self { shelf, known: BTreeMap::new(), rest: None }
    }

    async fn get(&self, name: &str) -> Result<Option<Uint8Array>, StoreError> {
        match &self.shelf {
            Shelf::Memory(pieces) => Ok(pieces.get(name).cloned()),
            Shelf::Cache(cache) => {
                let found = js::done(cache.match_with_str(name)).await.map_err(failed)?;
                let Ok(response) = found.dyn_into::<Response>() else { return Ok(None) };
                let buffer = response.array_buffer().map_err(failed)?;
                let buffer = js::done(buffer).await.map_err(failed)?;
                Ok(Some(Uint8Array::new(&buffer)))
            }
        }
    }

    async fn put(&mut self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let array = js::bytes(bytes);
        match &mut self.shelf {
            Shelf::Memory(pieces) => {
                pieces.insert(name.to_owned(), array);
                Ok(())
            }
            Shelf::Cache(cache) => {
                let response = Response::new_with_opt_buffer_source(Some(&array));
                let put = cache.put_with_str(name, &response.map_err(failed)?);
                js::done(put).await.map(drop).map_err(failed)
            }
        }
    }

    async fn drop_piece(&mut self, name: &str) -> Result<(), StoreError> {
        match &mut self.shelf {
            Shelf::Memory(pieces) => {
                pieces.remove(name);
                Ok(())
            }
            Shelf::Cache(cache) => {
                js::done(cache.delete_with_str(name)).await.map(drop).map_err(failed)
            }
        }
    }

    async fn all(&self) -> Result<Vec<String>, StoreError> {
        match &self.shelf {
            Shelf::Memory(pieces) => Ok(pieces.keys().cloned().collect()),
            Shelf::Cache(cache) => {
                let keys = js::done(cache.keys()).await.map_err(failed)?;
                let url = |key: JsValue| key.unchecked_into::<Request>().url();
                Ok(keys.unchecked_into::<Array>().iter().map(url).collect())
            }
        }
    }

    /// The pieces of an entry, in order and without a gap.
    async fn pieces(&mut self, entry: &Entry) -> Result<Vec<(u64, u64)>, StoreError> {
        if let Some(known) = self.known.get(entry) {
            return Ok(known.clone());
        }
        let start = format!("{}/", address(entry));
        let piece = |name: &String| {
            let (from, len) = name.strip_prefix(&start)?.split_once('-')?;
            Some((from.parse().ok()?, len.parse().ok()?))
        };
        let mut found: Vec<(u64, u64)> = self.all().await?.iter().filter_map(piece).collect();
        found.sort_unstable();
        let mut end = 0;
        let follows = |&(from, len): &(u64, u64)| {
            let follows = from == end;
            end += len;
            follows
        };
        let pieces: Vec<(u64, u64)> = found.into_iter().take_while(follows).collect();
        self.known.insert(entry.clone(), pieces.clone());
        Ok(pieces)
    }

    async fn kept(&mut self, entry: &Entry) -> Result<u64, StoreError> {
        Ok(self.pieces(entry).await?.last().map_or(0, |(from, len)| from + len))
    }

    /// Puts away what was gathered.
    async fn flush(&mut self) -> Result<(), StoreError> {
        let Some((entry, bytes)) = self.rest.take() else { return Ok(()) };
        if bytes.is_empty() {
            return Ok(());
        }
        let (from, len) = (self.kept(&entry).await?, bytes.len() as u64);
        self.put(&format!("{}/{from}-{len}", address(&entry)), &bytes).await?;
        self.known.entry(entry).or_default().push((from, len));
        Ok(())
    }
}

impl Store for Pieces {
    async fn record(&mut self, entry: &Entry) -> Result<Option<Record>, StoreError> {
        let bytes = self.get(&format!("{}/record", address(entry))).await?;
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes.to_vec()).ok()))
    }

    async fn set_record(&mut self, entry: &Entry, record: &Record) -> Result<(), StoreError> {
        self.flush().await?;
        let text = serde_json::to_vec(record).map_err(|e| StoreError::Failed(e.to_string()))?;
        self.put(&format!("{}/record", address(entry)), &text).await
    }

    async fn len(&mut self, entry: &Entry) -> Result<u64, StoreError> {
        let rest = self.rest.as_ref().filter(|(of, _)| of == entry);
        let rest = rest.map_or(0, |(_, bytes)| bytes.len() as u64);
        Ok(self.kept(entry).await? + rest)
    }

    async fn append(&mut self, entry: &Entry, bytes: &[u8]) -> Result<(), StoreError> {
        if self.rest.as_ref().is_some_and(|(of, _)| of != entry) {
            self.flush().await?;
        }
        let (_, rest) = self.rest.get_or_insert_with(|| (entry.clone(), Vec::new()));
        rest.extend_from_slice(bytes);
        if rest.len() >= PIECE { self.flush().await } else { Ok(()) }
    }

    async fn read(&mut self, entry: &Entry, range: Range<u64>) -> Result<Vec<u8>, StoreError> {
        if range.end > self.kept(entry).await? {
            self.flush().await?;
        }
        let mut bytes = Vec::with_capacity((range.end - range.start) as usize);
        for (from, len) in self.pieces(entry).await? {
            let part = range.start.max(from)..range.end.min(from + len);
            if part.start >= part.end {
                continue;
            }
            let name = format!("{}/{from}-{len}", address(entry));
            let piece = self.get(&name).await?;
            let piece = piece.filter(|piece| u64::from(piece.length()) == len);
            let gone = || StoreError::Failed("the browser has dropped a part of it".to_owned());
            let piece = piece.ok_or_else(gone)?;
            let (start, end) = ((part.start - from) as u32, (part.end - from) as u32);
            bytes.extend(piece.subarray(start, end).to_vec());
        }
        if bytes.len() as u64 == range.end - range.start {
            Ok(bytes)
        } else {
            Err(StoreError::Failed("a part of it is missing".to_owned()))
        }
    }

    async fn remove(&mut self, entry: &Entry) -> Result<(), StoreError> {
        self.rest.take_if(|(of, _)| of == entry);
        self.known.remove(entry);
        let start = format!("{}/", address(entry));
        for name in self.all().await?.into_iter().filter(|name| name.starts_with(&start)) {
            self.drop_piece(&name).await?;
        }
        Ok(())
    }

    async fn list(&mut self) -> Result<Vec<Entry>, StoreError> {
        let names = self.all().await?;
        let mut entries: Vec<Entry> = names.iter().filter_map(|name| entry_of(name)).collect();
        entries.sort();
        entries.dedup();
        Ok(entries)
    }
}

/// Addresses in a cache have to look like some; nobody is ever asked at these.
const PREFIX: &str = "https://models.invalid/";

fn address(entry: &Entry) -> String {
    let repo = entry.repo.as_str().replace('/', "--");
    format!("{PREFIX}{repo}/{}/{}", entry.revision.as_str(), entry.file.name())
}

fn entry_of(name: &str) -> Option<Entry> {
    let mut parts = name.strip_prefix(PREFIX)?.split('/');
    let repo = parts.next()?.replacen("--", "/", 1).parse().ok()?;
    let revision = parts.next()?.parse().ok()?;
    let file = relp_hub::ModelFile::from_name(parts.next()?)?;
    Some(Entry { repo, revision, file })
}
