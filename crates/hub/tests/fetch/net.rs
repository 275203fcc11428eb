//! A network and a clock made of a script.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use pollster::block_on;
use relp_hub::{
    Ask, Body, Cancelled, Entry, Expected, Fetch, FetchError, MemoryStore, Mirrors, ModelFile,
    Part, Progress, Record, Response, Revision, Store, Transport, TransportError, Trust, Unwatched,
    Wanted, Watch,
};
use sha2::{Digest, Sha256};

/// What the server does with the next question; what is left out is as it should be.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: Option<u16>,
    /// The connection breaks after so many bytes of the body.
    pub(crate) cut: Option<usize>,
    pub(crate) no_ranges: bool,
    pub(crate) no_length: bool,
    pub(crate) no_etag: bool,
    pub(crate) wrong_range: bool,
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) linked: Option<String>,
    pub(crate) html: bool,
    pub(crate) retry_after: Option<u64>,
    pub(crate) no_network: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Server {
    pub(crate) file: Vec<u8>,
    pub(crate) etag: String,
    pub(crate) answers: VecDeque<Answer>,
    pub(crate) asked: Vec<Ask>,
    pub(crate) sent: usize,
    pub(crate) clock: Duration,
    pub(crate) waited: Vec<Duration>,
}

/// A network whose servers are all this one.
#[derive(Clone, Debug)]
pub(crate) struct Net(pub(crate) Rc<RefCell<Server>>);

pub(crate) struct Pieces {
    net: Net,
    left: VecDeque<Vec<u8>>,
    then_break: bool,
}

impl Net {
    pub(crate) fn new(file: &[u8]) -> Self {
        let server = Server { file: file.to_vec(), etag: "\"one\"".into(), ..Server::default() };
        Self(Rc::new(RefCell::new(server)))
    }

    pub(crate) fn answers(self, answers: impl IntoIterator<Item = Answer>) -> Self {
        self.0.borrow_mut().answers.extend(answers);
        self
    }

    pub(crate) fn now_serves(&self, file: &[u8], etag: &str) {
        let mut server = self.0.borrow_mut();
        (server.file, server.etag) = (file.to_vec(), etag.into());
    }

    pub(crate) fn sent(&self) -> usize {
        self.0.borrow().sent
    }

    pub(crate) fn asked(&self) -> Vec<(u64, Option<String>)> {
        self.0.borrow().asked.iter().map(|ask| (ask.from, ask.if_range.clone())).collect()
    }

    pub(crate) fn hosts(&self) -> Vec<String> {
        let host = |ask: &Ask| ask.url.split('/').nth(2).unwrap().to_owned();
        self.0.borrow().asked.iter().map(host).collect()
    }

    pub(crate) fn waited(&self) -> Vec<u64> {
        self.0.borrow().waited.iter().map(Duration::as_secs).collect()
    }
}

impl Transport for Net {
    type Body = Pieces;

    async fn open(&mut self, ask: &Ask) -> Result<Response<Pieces>, TransportError> {
        let mut server = self.0.borrow_mut();
        server.asked.push(ask.clone());
        let answer = server.answers.pop_front().unwrap_or_default();
        if answer.no_network {
            return Err(TransportError::Network("the network is down".into()));
        }
        let file = answer.body.clone().unwrap_or_else(|| server.file.clone());
        let ranges = !answer.no_ranges
            && ask.if_range.as_ref().is_none_or(|validator| *validator == server.etag);
        let from = if ranges { ask.from } else { 0 };
        let status = match answer.status {
            Some(status) => status,
            None if from > file.len() as u64 => 416,
            None if from > 0 => 206,
            None => 200,
        };
        let mut rest = file.get(usize::try_from(from).unwrap()..).unwrap_or_default().to_vec();
        let then_break = answer.cut.is_some_and(|cut| cut < rest.len());
        if let Some(cut) = answer.cut {
            rest.truncate(cut);
        }
        Ok(Response {
            status,
            from: if answer.wrong_range { from + 1 } else { from },
            total: (!answer.no_length).then_some(file.len() as u64),
            etag: (!answer.no_etag).then(|| server.etag.clone()),
            linked_etag: answer.linked,
            commit: Some("c0ffee".into()),
            content_type: answer.html.then(|| "text/html; charset=utf-8".into()),
            retry_after: answer.retry_after,
            body: Pieces {
                net: self.clone(),
                left: rest.chunks(7).map(<[u8]>::to_vec).collect(),
                then_break,
            },
        })
    }

    async fn wait(&mut self, time: Duration) -> Result<(), Cancelled> {
        let mut server = self.0.borrow_mut();
        server.waited.push(time);
        server.clock += time;
        Ok(())
    }

    fn now(&self) -> Duration {
        self.0.borrow().clock
    }
}

impl Body for Pieces {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, TransportError> {
        let piece = self.left.pop_front();
        let mut server = self.net.0.borrow_mut();
        server.clock += Duration::from_millis(100);
        server.sent += piece.as_ref().map_or(0, Vec::len);
        match piece {
            None if self.then_break => Err(TransportError::Network("the line was cut".into())),
            piece => Ok(piece),
        }
    }
}

/// Gives up once so many bytes are there.
pub(crate) struct GiveUp(pub(crate) u64);

impl Watch for GiveUp {
    async fn pause(&mut self, progress: &Progress) -> Result<(), Cancelled> {
        if progress.done >= self.0 { Err(Cancelled) } else { Ok(()) }
    }
}

pub(crate) fn weights() -> Vec<u8> {
    (0..1000_u32).flat_map(u32::to_le_bytes).collect()
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn wanted(file: ModelFile, expected: Expected) -> Wanted {
    Wanted { repo: "a/b".parse().unwrap(), revision: Revision::main(), file, expected }
}

/// The weights, of which nothing is known beforehand.
pub(crate) fn any() -> Wanted {
    wanted(ModelFile::Weights, Expected::default())
}

/// The weights, of which all is known.
pub(crate) fn exact() -> Wanted {
    let length = Some(weights().len() as u64);
    wanted(ModelFile::Weights, Expected { length, sha256: Some(sha256(&weights())) })
}

pub(crate) fn two() -> Mirrors {
    Mirrors::from_text("https://one.example https://two.example").unwrap()
}

pub(crate) fn one() -> Mirrors {
    Mirrors::from_text("https://one.example").unwrap()
}

pub(crate) fn fetch(
    net: &Net,
    store: &mut MemoryStore,
    wanted: &Wanted,
) -> Result<Record, FetchError> {
    fetch_from(net, store, wanted, one())
}

pub(crate) fn fetch_from(
    net: &Net,
    store: &mut MemoryStore,
    wanted: &Wanted,
    mirrors: Mirrors,
) -> Result<Record, FetchError> {
    let part = Part::default();
    block_on(async {
        let fetch = Fetch::open(net.clone(), store, Unwatched, mirrors, wanted.clone(), part);
        fetch.await?.finish().await
    })
}

pub(crate) fn give_up_at(
    net: &Net,
    store: &mut MemoryStore,
    wanted: &Wanted,
    at: u64,
) -> FetchError {
    let part = Part::default();
    block_on(async {
        let fetch = Fetch::open(net.clone(), store, GiveUp(at), one(), wanted.clone(), part);
        fetch.await?.finish().await
    })
    .unwrap_err()
}

pub(crate) fn stored(store: &mut MemoryStore, entry: &Entry) -> Vec<u8> {
    block_on(async {
        let len = store.len(entry).await.unwrap();
        store.read(entry, 0..len).await.unwrap()
    })
}

pub(crate) fn holds_weights(store: &mut MemoryStore, record: &Record, trust: Trust) {
    assert!(record.complete);
    assert_eq!(record.sha256, Some(sha256(&weights())));
    assert_eq!((record.trust, record.length), (Some(trust), Some(4000)));
    assert_eq!(stored(store, &any().entry()), weights());
}

/// A failure is one sentence and leaves nothing that looks complete.
pub(crate) fn fails(result: Result<Record, FetchError>, store: &mut MemoryStore, parts: &[&str]) {
    let error = result.unwrap_err().to_string();
    for part in parts {
        assert!(error.contains(part), "{part:?} in {error}");
    }
    assert!(error.ends_with('.') && !error.trim_end_matches('.').contains(". "), "{error}");
    for entry in block_on(store.list()).unwrap() {
        let record = block_on(store.record(&entry)).unwrap().unwrap();
        assert!(!record.complete, "{entry:?}");
    }
}

/// Replaces the stored weights by others of the same length.
pub(crate) fn spoil(store: &mut MemoryStore, record: &Record) {
    let entry = any().entry();
    let mut bad = weights();
    bad[0] ^= 1;
    block_on(async {
        store.remove(&entry).await.unwrap();
        store.set_record(&entry, record).await.unwrap();
        store.append(&entry, &bad).await.unwrap();
    });
}
