//! Loading a model while it is downloaded: a [`Fetch`] as the engine's source of weights.

use std::cell::Cell;
use std::ops::Range;
use std::rc::Rc;
use std::time::Duration;

use pollster::block_on;
use relp_engine::{Engine, EngineError, Files, Uncontrolled, WeightSource};
use relp_hub::{
    Ask, Body, Cancelled, Entry, Expected, Fetch, MemoryStore, Mirrors, ModelFile, Part, Response,
    Revision, Store, Transport, TransportError, Unwatched, Wanted,
};
use relp_model::{Choice, Precision};

use crate::primer::{engine, file, headline, run};

/// A server that sends a file and cuts the first connection.
#[derive(Clone)]
struct Server {
    file: Rc<Vec<u8>>,
    cut: Rc<Cell<Option<usize>>>,
    sent: Rc<Cell<usize>>,
}

struct Pieces {
    server: Server,
    at: usize,
    end: usize,
}

impl Server {
    fn new(file: Vec<u8>, cut: usize) -> Self {
        let (cut, sent) = (Rc::new(Cell::new(Some(cut))), Rc::default());
        Self { file: Rc::new(file), cut, sent }
    }
}

impl Transport for Server {
    type Body = Pieces;

    async fn open(&mut self, ask: &Ask) -> Result<Response<Pieces>, TransportError> {
        let (at, length) = (usize::try_from(ask.from).unwrap(), self.file.len());
        let end = self.cut.take().unwrap_or(length);
        Ok(Response {
            status: if at > 0 { 206 } else { 200 },
            from: ask.from,
            total: Some(length as u64),
            etag: Some("\"one\"".to_owned()),
            linked_etag: None,
            commit: None,
            content_type: None,
            retry_after: None,
            body: Pieces { server: self.clone(), at, end },
        })
    }

    async fn wait(&mut self, _time: Duration) -> Result<(), Cancelled> {
        Ok(())
    }

    fn now(&self) -> Duration {
        Duration::ZERO
    }
}

impl Body for Pieces {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, TransportError> {
        let end = self.end.min(self.at + 10_000);
        let piece = self.server.file[self.at..end].to_vec();
        self.at = end;
        self.server.sent.set(self.server.sent.get() + piece.len());
        Ok((!piece.is_empty()).then_some(piece))
    }
}

/// What the command line and the worker have one of each.
struct Coming<'a>(Fetch<Server, &'a mut MemoryStore, Unwatched>);

impl WeightSource for Coming<'_> {
    fn len(&self) -> u64 {
        self.0.length()
    }

    async fn read(&mut self, range: Range<u64>) -> Result<Vec<u8>, String> {
        self.0.read(range).await.map_err(|error| error.to_string())
    }
}

fn wanted() -> Wanted {
    let repo = "a/primer".parse().unwrap();
    let (revision, file) = (Revision::main(), ModelFile::Weights);
    Wanted { repo, revision, file, expected: Expected::default() }
}

fn load<'a>(
    server: &Server,
    store: &'a mut MemoryStore,
) -> Result<Engine<Coming<'a>>, EngineError> {
    let (config, tokenizer) = (file("config.json"), file("tokenizer.json"));
    let files =
        Files { name: "primer", config: &config, tokenizer: &tokenizer, precision: Precision::F32 };
    block_on(async {
        let (mirrors, part) = (Mirrors::default(), Part::default());
        let fetch = Fetch::open(server.clone(), store, Unwatched, mirrors, wanted(), part).await;
        Engine::load(files, Coming(fetch.unwrap()), Choice::Cpu, &mut Uncontrolled).await
    })
}

#[test]
fn a_model_is_loaded_while_it_comes_and_answers_as_from_a_file() {
    let weights = file("model.safetensors");
    let (server, mut store) = (Server::new(weights.clone(), 1_000_000), MemoryStore::default());
    let expected = run(&mut engine(Choice::Cpu), &headline());
    for _ in 0..2 {
        let mut engine = load(&server, &mut store).unwrap();
        let figure = block_on(engine.attribute(&headline(), &mut Uncontrolled)).unwrap();
        assert_eq!(figure.maps, expected.maps);
        assert_eq!(figure.model.sha256, expected.model.sha256);
        // Another executor reads the weights again, from the store.
        block_on(engine.switch(Choice::Reference, &mut Uncontrolled)).unwrap();
    }
    assert_eq!(server.sent.get(), weights.len(), "nothing was fetched twice");
    let record = block_on(store.record(&wanted().entry())).unwrap().unwrap();
    assert_eq!(record.sha256.as_ref(), Some(&expected.model.sha256));
}

#[test]
fn a_header_that_does_not_fit_is_refused_before_the_tensors_come() {
    let mut weights = file("model.safetensors");
    let at = weights.windows(10).position(|bytes| bytes == b"wte.weight").unwrap();
    weights[at] = b'W';
    let (server, mut store) = (Server::new(weights, usize::MAX), MemoryStore::default());
    server.cut.set(None);
    let error = load(&server, &mut store).err().unwrap();
    assert!(matches!(error, EngineError::Checkpoint(_)), "{error}");
    assert!(server.sent.get() < 50_000, "{}", server.sent.get());
}

#[test]
fn a_model_that_is_wrong_at_its_end_is_not_loaded() {
    let weights = file("model.safetensors");
    let (server, mut store) = (Server::new(weights, 1_000_000), MemoryStore::default());
    drop(load(&server, &mut store).unwrap());
    let entry: Entry = wanted().entry();
    let record = block_on(store.record(&entry)).unwrap().unwrap();
    let mut bytes = block_on(store.read(&entry, 0..record.length.unwrap())).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    block_on(async {
        store.remove(&entry).await.unwrap();
        store.set_record(&entry, &record).await.unwrap();
        store.append(&entry, &bytes).await.unwrap();
    });
    let error = load(&server, &mut store).err().unwrap().to_string();
    assert!(error.contains("damaged"), "{error}");
    // The next try fetches it again.
    assert!(load(&server, &mut store).is_ok());
}
