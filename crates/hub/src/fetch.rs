//! One file, from a hub into a store.

use std::mem;
use std::ops::Range;

use serde::de::IgnoredAny;
use sha2::{Digest, Sha256};

use crate::address::origin;
use crate::fault::Remedy;
use crate::known::Expected;
use crate::progress::Meter;
use crate::store::hex;
use crate::{
    Ask, Body, Entry, Fault, FetchError, Mirrors, ModelFile, ModelId, Part, Record, Repo, Response,
    Revision, Store, StoreError, Transport, TransportError, Trust, Watch,
};

/// How often one server is asked in a row before it is given up.
const TRIES: u32 = 3;

/// So many new bytes show that a server is worth as many tries again.
const GOOD_WILL: u64 = 1 << 20;

/// So many bytes are looked at to tell a web page from a file.
const START: usize = 64;

/// Bytes read at once where only the hash needs them.
const PIECE: u64 = 1 << 20;

/// A file of a model, and what it has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Of which model.
    pub repo: Repo,
    /// In which state.
    pub revision: Revision,
    /// Which file.
    pub file: ModelFile,
    /// What is known of it.
    pub expected: Expected,
}

impl Wanted {
    /// A file of a model.
    pub fn of(model: &ModelId, file: ModelFile) -> Self {
        let ModelId { repo, revision, .. } = model.clone();
        Self { repo, revision, file, expected: model.expected(file) }
    }

    /// Its name in a store.
    pub fn entry(&self) -> Entry {
        Entry { repo: self.repo.clone(), revision: self.revision.clone(), file: self.file }
    }
}

/// A file that comes from the store as far as it is there, and from the network from there on; what
/// comes is kept on the way.
///
/// A person who wants the file calls [`Fetch::finish`]. An engine that loads it calls
/// [`Fetch::read`], so that loading and downloading overlap; the last byte is handed out only if
/// the whole file is what it should be.
pub struct Fetch<T: Transport, S, W> {
    transport: T,
    store: S,
    watch: W,
    mirrors: Mirrors,
    wanted: Wanted,
    entry: Entry,
    record: Record,
    /// Bytes in the store.
    stored: u64,
    /// Bytes at the start of the body that the store has already.
    skip: u64,
    body: Option<T::Body>,
    /// The first bytes that came, which show a web page.
    start: Vec<u8>,
    /// The hash of the first `hashed` bytes.
    hash: Sha256,
    hashed: u64,
    /// Bytes that have been handed out.
    given: u64,
    is_checked: bool,
    tries: Tries,
    meter: Meter,
}

/// What was tried so far.
#[derive(Debug, Default)]
struct Tries {
    mirror: usize,
    /// In a row, at this mirror.
    failures: u32,
    /// Whether this mirror has sent a whole file that was wrong.
    was_wrong: bool,
    /// The most bytes that were there when the failures were forgotten.
    best: u64,
    /// The mirrors given up, and why.
    faults: Vec<(String, Fault)>,
}

impl<T: Transport, S: Store, W: Watch> Fetch<T, S, W> {
    /// Looks into the store, and asks a server if the length of the file is not known yet.
    ///
    /// # Errors
    /// If the store cannot be used, or no server gives the file.
    pub async fn open(
        transport: T,
        store: S,
        watch: W,
        mirrors: Mirrors,
        wanted: Wanted,
        part: Part,
    ) -> Result<Self, FetchError> {
        let (entry, meter) = (wanted.entry(), Meter::new(wanted.file, part, transport.now()));
        let mut fetch = Self {
            transport,
            store,
            watch,
            mirrors,
            wanted,
            entry,
            record: Record::default(),
            stored: 0,
            skip: 0,
            body: None,
            start: Vec::new(),
            hash: Sha256::new(),
            hashed: 0,
            given: 0,
            is_checked: false,
            tries: Tries::default(),
            meter,
        };
        fetch.look_into_store().await?;
        fetch.learn_length().await?;
        Ok(fetch)
    }

    /// Bytes of the file.
    pub fn length(&self) -> u64 {
        self.record.length.unwrap_or(self.stored)
    }

    /// Bytes that need no network any more.
    pub fn stored(&self) -> u64 {
        self.stored
    }

    /// Bytes of the file, from the store or from the network. With the last byte the whole file is
    /// checked.
    ///
    /// # Errors
    /// If they cannot be had, or the file is not what it should be; then nothing that was read before
    /// may be used.
    pub async fn read(&mut self, range: Range<u64>) -> Result<Vec<u8>, FetchError> {
        loop {
            self.learn_length().await?;
            if range.start > range.end || range.end > self.length() {
                let error = StoreError::Failed(format!("bytes {range:?} lie outside of it"));
                return Err(self.of_store(error));
            }
            self.advance_to(range.end).await?;
            let read = self.store.read(&self.entry, range.clone()).await;
            let bytes = read.map_err(|error| self.of_store(error))?;
            if (range.start..range.end).contains(&self.hashed) {
                // It fits: it is less than the length of `bytes`.
                self.hash.update(&bytes[(self.hashed - range.start) as usize..]);
                self.hashed = range.end;
            }
            // If it was wrong and nothing was handed out before, it is fetched anew.
            if range.end < self.length() || self.check().await? {
                self.given = self.given.max(range.end);
                return Ok(bytes);
            }
        }
    }

    /// Brings the rest and checks the whole. A file that is wrong is fetched once more.
    ///
    /// # Errors
    /// If it cannot be had or kept.
    pub async fn finish(mut self) -> Result<Record, FetchError> {
        loop {
            self.advance_to(u64::MAX).await?;
            if self.check().await? {
                return Ok(self.record);
            }
        }
    }

    /// Says that nothing that was read so far is in use: if the file turns out to be another one, it may
    /// be fetched anew.
    pub fn forget_reads(&mut self) {
        self.given = 0;
    }

    /// Removes what is stored of the file, because it is of no use.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn discard(mut self) -> Result<(), FetchError> {
        self.body = None;
        self.store.remove(&self.entry).await.map_err(|error| self.of_store(error))
    }

    async fn learn_length(&mut self) -> Result<(), FetchError> {
        if self.record.length.is_none() {
            self.connect().await?;
        }
        if self.record.length.is_none() {
            // The server does not say, so the end of the file has to.
            self.advance_to(u64::MAX).await?;
        }
        Ok(())
    }

    async fn look_into_store(&mut self) -> Result<(), FetchError> {
        let record = self.store.record(&self.entry).await;
        let record = record.map_err(|error| self.of_store(error))?;
        let stored = self.store.len(&self.entry).await;
        self.stored = stored.map_err(|error| self.of_store(error))?;
        let Some(record) = record else {
            return if self.stored == 0 { Ok(()) } else { self.start_anew().await };
        };
        self.record = record;
        let Expected { length, sha256 } = &self.wanted.expected;
        let is_expected = length.is_none_or(|length| self.record.length == Some(length))
            && sha256.as_ref().zip(self.record.sha256.as_ref()).is_none_or(|(a, b)| a == b);
        let fits = match self.record.length {
            Some(length) if self.record.complete => self.stored == length,
            Some(length) => self.stored <= length,
            None => !self.record.complete,
        };
        if fits && is_expected { Ok(()) } else { self.start_anew().await }
    }

    /// Forgets the bytes that are there. Their hash is kept: if the server has the same file still, it
    /// has to be this.
    async fn start_anew(&mut self) -> Result<(), FetchError> {
        if self.given > 0 {
            let _gone = self.store.remove(&self.entry).await;
            return Err(FetchError::Changed { file: self.wanted.file.name(), repo: self.repo() });
        }
        let removed = self.store.remove(&self.entry).await;
        removed.map_err(|error| self.of_store(error))?;
        let Record { url, etag, sha256, .. } = mem::take(&mut self.record);
        self.record = Record { url, etag, sha256, ..Record::default() };
        (self.stored, self.skip, self.hashed) = (0, 0, 0);
        self.hash = Sha256::new();
        self.body = None;
        self.start.clear();
        self.is_checked = false;
        Ok(())
    }

    /// Downloads until so many bytes are there, or all.
    async fn advance_to(&mut self, end: u64) -> Result<(), FetchError> {
        while self.stored < end && self.record.length != Some(self.stored) {
            let progress =
                self.meter.progress(self.stored, self.record.length, self.transport.now());
            self.watch.pause(&progress).await?;
            let Some(body) = &mut self.body else {
                self.connect().await?;
                continue;
            };
            match body.next().await {
                Ok(Some(bytes)) => self.take(&bytes).await?,
                Ok(None) => self.end().await?,
                Err(TransportError::Cancelled) => return Err(FetchError::Cancelled),
                Err(TransportError::Network(why)) => self.after(Fault::Network(why)).await?,
            }
        }
        if self.record.length == Some(self.stored) {
            self.body = None;
        }
        Ok(())
    }

    /// Asks until a server gives the file from where it is missing.
    async fn connect(&mut self) -> Result<(), FetchError> {
        while self.body.is_none() {
            let Wanted { repo, revision, file, .. } = &self.wanted;
            let url = self.mirrors.address(self.tries.mirror, repo, revision, *file);
            let is_here = origin(&url) == origin(&self.record.url);
            // A weak validator does not promise the same bytes.
            let strong = self.record.etag.clone().filter(|etag| !etag.starts_with("W/"));
            let if_range = strong.filter(|_| self.stored > 0 && is_here);
            let ask = Ask { url, from: self.stored, if_range };
            match self.transport.open(&ask).await {
                Ok(response) => self.accept(ask, response).await?,
                Err(TransportError::Cancelled) => return Err(FetchError::Cancelled),
                Err(TransportError::Network(why)) => self.after(Fault::Network(why)).await?,
            }
        }
        Ok(())
    }

    /// Takes an answer as the source of what is missing, if it is one.
    async fn accept(&mut self, ask: Ask, response: Response<T::Body>) -> Result<(), FetchError> {
        let is_page = |kind: &str| kind.trim_start().to_ascii_lowercase().starts_with("text/html");
        let fault = match response.status {
            200 | 206 if response.content_type.as_deref().is_some_and(is_page) => Fault::WebPage,
            200 => return self.adopt(ask, response).await,
            206 if response.from == self.stored => return self.adopt(ask, response).await,
            206 => Fault::Range { expected: self.stored, found: response.from },
            // What is there is more than the server has.
            416 if self.stored > 0 => return self.start_anew().await,
            status => Fault::Status { status, retry_after: response.retry_after },
        };
        self.after(fault).await
    }

    async fn adopt(&mut self, ask: Ask, response: Response<T::Body>) -> Result<(), FetchError> {
        let most = self.wanted.file.most_bytes();
        let expected = self.wanted.expected.length;
        match (response.total, expected) {
            (Some(found), Some(expected)) if found != expected => {
                return self.after(Fault::Length { expected, found }).await;
            }
            (Some(found), _) if found > most => return self.after(Fault::TooLong { most }).await,
            _ => {}
        }
        if self.stored > 0 && !self.is_same(&ask, &response) {
            self.start_anew().await?;
            if response.from > 0 {
                // This is the end of another file than the one whose beginning was there.
                return Ok(());
            }
        }
        let is_other = self.record.etag != response.etag || self.record.url.is_empty();
        let pinned = self.record.sha256.take().filter(|_| !is_other);
        self.record = Record {
            url: ask.url,
            etag: response.etag,
            linked_etag: response.linked_etag.or(self.record.linked_etag.take()),
            commit: response.commit.or(self.record.commit.take()),
            length: response.total.or(self.record.length),
            sha256: pinned,
            trust: None,
            complete: false,
        };
        self.write_record().await?;
        self.skip = self.stored.saturating_sub(response.from);
        self.body = Some(response.body);
        Ok(())
    }

    /// Whether an answer is of the file whose beginning is there, as far as that can be seen.
    fn is_same(&self, ask: &Ask, response: &Response<T::Body>) -> bool {
        let lengths = self.record.length.zip(response.total);
        if lengths.is_some_and(|(known, found)| known != found) {
            return false;
        }
        let linked = self.record.linked_etag.as_ref().zip(response.linked_etag.as_ref());
        if let Some((known, found)) = linked {
            return known == found;
        }
        let is_here = origin(&ask.url) == origin(&self.record.url);
        let tags = self.record.etag.as_ref().zip(response.etag.as_ref());
        match tags.filter(|_| is_here) {
            Some((known, found)) => known == found,
            // In the end the hash tells, if it is known.
            None => self.wanted.expected.sha256.is_some(),
        }
    }

    /// Keeps bytes that came.
    async fn take(&mut self, bytes: &[u8]) -> Result<(), FetchError> {
        let skipped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(bytes.len());
        self.skip -= skipped as u64;
        let bytes = &bytes[skipped..];
        if bytes.is_empty() {
            return Ok(());
        }
        if self.stored == self.start.len() as u64 && self.start.len() < START {
            self.start.extend(bytes.iter().take(START - self.start.len()));
        }
        let all = self.stored + bytes.len() as u64;
        let most = self.wanted.file.most_bytes();
        let fault = match self.record.length {
            _ if is_page(&self.start) => Some(Fault::WebPage),
            Some(expected) if all > expected => Some(Fault::Length { expected, found: all }),
            _ if all > most => Some(Fault::TooLong { most }),
            _ => None,
        };
        if let Some(fault) = fault {
            self.start_anew().await?;
            return self.after(fault).await;
        }
        let kept = self.store.append(&self.entry, bytes).await;
        kept.map_err(|error| self.of_store(error))?;
        if self.hashed == self.stored {
            self.hash.update(bytes);
            self.hashed = all;
        }
        self.stored = all;
        self.meter.count(bytes.len(), self.transport.now());
        if self.stored >= self.tries.best.saturating_add(GOOD_WILL) {
            self.tries.best = self.stored;
            self.tries.failures = 0;
        }
        Ok(())
    }

    /// The body came to its end before the file did.
    async fn end(&mut self) -> Result<(), FetchError> {
        self.body = None;
        if let Some(length) = self.record.length {
            return self.after(Fault::Cut { got: self.stored, length }).await;
        }
        match self.wanted.expected.length {
            Some(expected) if expected != self.stored => {
                let fault = Fault::Length { expected, found: self.stored };
                self.start_anew().await?;
                self.after(fault).await
            }
            _ => {
                self.record.length = Some(self.stored);
                self.write_record().await
            }
        }
    }

    /// Does what can be done about a fault: wait, or turn to the next mirror.
    async fn after(&mut self, fault: Fault) -> Result<(), FetchError> {
        self.body = None;
        if let Remedy::Again(wait) = fault.remedy(self.tries.failures) {
            self.tries.failures += 1;
            if self.tries.failures < TRIES {
                return Ok(self.transport.wait(wait).await?);
            }
        }
        self.give_up_mirror(fault)
    }

    fn give_up_mirror(&mut self, fault: Fault) -> Result<(), FetchError> {
        let tries = &mut self.tries;
        let Wanted { repo, revision, file, .. } = &self.wanted;
        let url = self.mirrors.address(tries.mirror, repo, revision, *file);
        tries.faults.push((origin(&url).to_owned(), fault));
        (tries.failures, tries.was_wrong) = (0, false);
        tries.mirror += 1;
        if tries.mirror < self.mirrors.count() {
            return Ok(());
        }
        // Who asks again begins with the first mirror.
        let faults = mem::take(tries).faults;
        Err(FetchError::Unreachable { file: file.name(), repo: repo.to_string(), faults })
    }

    /// Checks the whole file, all of which is there. False if it was wrong and is to be fetched anew.
    async fn check(&mut self) -> Result<bool, FetchError> {
        if self.is_checked {
            return Ok(true);
        }
        while self.hashed < self.stored {
            let end = self.stored.min(self.hashed + PIECE);
            let read = self.store.read(&self.entry, self.hashed..end).await;
            self.hash.update(read.map_err(|error| self.of_store(error))?);
            self.hashed = end;
            let progress =
                self.meter.progress(self.stored, self.record.length, self.transport.now());
            self.watch.pause(&progress).await?;
        }
        let found = hex(&mem::take(&mut self.hash).finalize());
        let (trust, expected) = self.expected_hash();
        if expected.as_ref().is_some_and(|expected| *expected != found) {
            return self.wrong(expected.unwrap_or_default(), found).await;
        }
        if self.wanted.file.is_json() && !self.record.complete {
            let read = self.store.read(&self.entry, 0..self.stored).await;
            let text = read.map_err(|error| self.of_store(error))?;
            if serde_json::from_slice::<IgnoredAny>(&text).is_err() {
                self.start_anew().await?;
                self.record.sha256 = None;
                self.after(Fault::NotJson).await?;
                return Ok(false);
            }
        }
        self.is_checked = true;
        let trust = self.record.trust.filter(|_| self.record.complete).unwrap_or(trust);
        if !self.record.complete || self.record.sha256.is_none() {
            self.record.sha256 = Some(found);
            self.record.trust = Some(trust);
            self.record.complete = true;
            self.write_record().await?;
        }
        Ok(true)
    }

    /// What the hash has to be, if anything says that, and what does.
    fn expected_hash(&self) -> (Trust, Option<String>) {
        if let Some(known) = &self.wanted.expected.sha256 {
            return (Trust::Known, Some(known.clone()));
        }
        let announced = Record { sha256: None, ..self.record.clone() }.expected_sha256();
        if announced.is_some() {
            return (Trust::Announced, announced);
        }
        (Trust::FirstUse, self.record.sha256.clone())
    }

    /// The whole file is not what it should be.
    async fn wrong(&mut self, expected: String, found: String) -> Result<bool, FetchError> {
        let was_complete = self.record.complete;
        if self.given > 0 {
            let _gone = self.store.remove(&self.entry).await;
            let (file, repo) = (self.wanted.file.name(), self.repo());
            if was_complete {
                return Err(FetchError::Damaged { file, repo });
            }
            let server = origin(&self.record.url).to_owned();
            let faults = vec![(server, Fault::Hash { expected, found })];
            return Err(FetchError::Unreachable { file, repo, faults });
        }
        self.start_anew().await?;
        // A kept file that went bad is no fault of a server's, and bytes that changed on the way may
        // come right the next time.
        if !was_complete && mem::replace(&mut self.tries.was_wrong, true) {
            self.give_up_mirror(Fault::Hash { expected, found })?;
        }
        Ok(false)
    }

    async fn write_record(&mut self) -> Result<(), FetchError> {
        let written = self.store.set_record(&self.entry, &self.record).await;
        written.map_err(|error| self.of_store(error))
    }

    fn repo(&self) -> String {
        self.wanted.repo.to_string()
    }

    fn of_store(&self, error: StoreError) -> FetchError {
        FetchError::Store { file: self.wanted.file.name(), repo: self.repo(), error }
    }
}

/// Whether bytes are the beginning of a web page, which no file of a model is.
fn is_page(bytes: &[u8]) -> bool {
    let start: String = bytes.iter().map(|&byte| char::from(byte)).collect();
    let start = start.trim_start().to_ascii_lowercase();
    ["<!doctype", "<html", "<head", "<?xml"].iter().any(|page| start.starts_with(page))
}
