//! Models from a hub, from this browser's storage, and from the person's own files.

use std::rc::Rc;

use relp_engine::EngineError;
use relp_hub::preflight::{self, Limits, Place};
use relp_hub::{
    AddressError, Cancelled, Fetch, FetchError, Known, Mirrors, ModelFile, ModelId, Part, Progress,
    Repo, Store, Wanted, Watch,
};
use relp_model::{Kind, Precision};
use relp_protocol::{Download, Event, Id, Preflight, Stored, StoredModel};
use wasm_bindgen::JsCast;
use web_sys::{File, StorageEstimate};

use crate::inbox::Inbox;
use crate::js;
use crate::lock::Lock;
use crate::net::{Net, Server};
use crate::opfs::contents;
use crate::post;
use crate::shelf::Shelf;
use crate::source::Weights;

/// Of a program of WebAssembly.
const MOST_MEMORY: u64 = 4 << 30;

/// A model's files, ready to be loaded.
pub(crate) struct Files {
    pub(crate) name: String,
    pub(crate) config: Vec<u8>,
    pub(crate) tokenizer: Vec<u8>,
    pub(crate) weights: Weights,
    /// While they are read, other tabs wait.
    pub(crate) lock: Option<Lock>,
}

/// Tells the page how far a download is, and whether it is still wanted.
#[derive(Clone)]
pub(crate) struct DownloadWatch {
    inbox: Rc<Inbox>,
    id: Id,
}

impl Watch for DownloadWatch {
    async fn pause(&mut self, progress: &Progress) -> Result<(), Cancelled> {
        let download = Download {
            file: progress.file.name().to_owned(),
            done: progress.done_of_all as f64,
            total: progress.total_of_all.map(|total| total as f64),
            rate: progress.rate,
            left: progress.left.map(|left| left.as_secs_f64()),
        };
        post(&Event::Download { id: self.id, download });
        if self.inbox.is_cancelled() { Err(Cancelled) } else { Ok(()) }
    }
}

/// Fetches what is missing of a model; of the weights no more than their header is needed yet.
pub(crate) async fn from_hub(
    inbox: &Rc<Inbox>,
    id: Id,
    name: &str,
    mirrors: &str,
) -> Result<Files, EngineError> {
    let model = ModelId::from_name(name).map_err(|error| fetching(error.into()))?;
    let mirrors = match mirrors.trim() {
        "" => Mirrors::default(),
        named => Mirrors::from_text(named).map_err(|error| fetching(error.into()))?,
    };
    let lock = Some(Lock::hold(&format!("relp {}", model.repo), inbox).await?);
    let of = model.known.map(Known::download);
    let mut before = 0;
    let mut small = Vec::new();
    for file in [ModelFile::Config, ModelFile::Tokenizer] {
        let mut fetch = open(inbox, id, &model, &mirrors, file, Part { before, of }).await?;
        let length = fetch.length();
        before += length;
        small.push(fetch.read(0..length).await.map_err(fetching)?);
    }
    let part = Part { before, of };
    let fetch = open(inbox, id, &model, &mirrors, ModelFile::Weights, part).await?;
    let [config, tokenizer] = small.try_into().unwrap_or_default();
    let title = model.known.map_or_else(|| model.repo.to_string(), |known| known.title.to_owned());
    let weights = Weights::Fetched(Box::new(fetch));
    Ok(Files { name: title, config, tokenizer, weights, lock })
}

async fn open(
    inbox: &Rc<Inbox>,
    id: Id,
    model: &ModelId,
    mirrors: &Mirrors,
    file: ModelFile,
    part: Part,
) -> Result<Fetch<Net, Shelf, DownloadWatch>, EngineError> {
    let net = Net { server: Server::Hub, inbox: inbox.clone() };
    let watch = DownloadWatch { inbox: inbox.clone(), id };
    let wanted = Wanted::of(model, file);
    let fetch = Fetch::open(net, Shelf::open().await, watch, mirrors.clone(), wanted, part).await;
    fetch.map_err(fetching)
}

/// The person's own files, by their names.
pub(crate) async fn from_files(files: &[File]) -> Result<Files, EngineError> {
    let find = |wanted: ModelFile| {
        let found = files.iter().find(|file| file.name() == wanted.name());
        found.ok_or_else(|| {
            EngineError::Source(format!(
                "{} is not among the files; choose a folder that holds config.json, tokenizer.json \
                 and model.safetensors",
                wanted.name()
            ))
        })
    };
    let (config, tokenizer) = (find(ModelFile::Config)?, find(ModelFile::Tokenizer)?);
    let weights = find(ModelFile::Weights)?;
    let read = async |file: &File| {
        let size = file.size() as u64;
        // Neither is ever so large; a file of another kind may be.
        if size > 64 << 20 {
            let name = file.name();
            return Err(EngineError::Source(format!(
                "{name} is far too large to be what it should be"
            )));
        }
        let bytes = contents(file, 0..size).await;
        bytes.map_err(|error| EngineError::Source(error.to_string()))
    };
    // `FOLDER/model.safetensors`, if a folder was chosen.
    let path = js::get(weights, "webkitRelativePath").as_string().unwrap_or_default();
    let folder = path.rsplit('/').nth(1).filter(|name| !name.is_empty()).unwrap_or("own files");
    Ok(Files {
        name: folder.to_owned(),
        config: read(config).await?,
        tokenizer: read(tokenizer).await?,
        weights: Weights::File(weights.clone().unchecked_into()),
        lock: None,
    })
}

/// What this browser keeps.
pub(crate) async fn stored() -> Result<Stored, EngineError> {
    let mut shelf = Shelf::open().await;
    let mut models: Vec<StoredModel> = Vec::new();
    let entries = shelf.list().await.map_err(kept)?;
    for entry in entries {
        let bytes = shelf.len(&entry).await.map_err(kept)? as f64;
        let record = shelf.record(&entry).await.map_err(kept)?;
        let complete = record.is_some_and(|record| record.complete);
        let repo = entry.repo.to_string();
        match models.iter_mut().find(|model| model.repo == repo) {
            Some(model) => {
                model.bytes += bytes;
                model.complete &= complete;
            }
            None => {
                let title =
                    Known::find(&repo).map_or(repo.as_str(), |known| known.title).to_owned();
                models.push(StoredModel { repo, title, bytes, complete });
            }
        }
    }
    let estimate = estimate().await;
    let persisted = js::navigator().storage().persisted();
    let persistent = match persisted {
        Ok(promise) => js::done(promise).await.is_ok_and(|persisted| persisted.is_truthy()),
        Err(_) => false,
    };
    Ok(Stored {
        keeping: shelf.keeping(),
        models,
        used: estimate.as_ref().and_then(StorageEstimate::get_usage),
        quota: estimate.as_ref().and_then(StorageEstimate::get_quota),
        persistent,
    })
}

/// Removes all that this browser keeps of a model.
pub(crate) async fn remove(repo: &str) -> Result<(), EngineError> {
    let repo: Repo = repo.parse().map_err(|error: AddressError| fetching(error.into()))?;
    Shelf::open().await.remove_model(&repo).await.map_err(kept)
}

/// Removes a model that was refused. What cannot be removed is refused again.
pub(crate) async fn forget(name: &str) {
    if let Ok(model) = ModelId::from_name(name) {
        let _ = remove(model.repo.as_str()).await;
    }
}

/// What a known model would take here.
pub(crate) async fn preflight(
    name: String,
    kind: Kind,
    precision: Precision,
) -> Result<Preflight, EngineError> {
    let model = ModelId::from_name(&name).map_err(|error| fetching(error.into()))?;
    let Some(known) = model.known else {
        let words =
            format!("{name} is not one of the known models, so its size is not known before.");
        return Ok(Preflight { name, words, fits: true, instead: None, is_stored: false });
    };
    let mut shelf = Shelf::open().await;
    let mut bytes = 0;
    let mut is_stored = true;
    for file in ModelFile::ALL {
        let entry = Wanted::of(&model, file).entry();
        bytes += shelf.len(&entry).await.map_err(kept)?;
        let record = shelf.record(&entry).await.map_err(kept)?;
        is_stored &= record.is_some_and(|record| record.complete);
    }
    let place = if kind == Kind::Gpu { Place::Gpu } else { Place::Cpu };
    let room = estimate()
        .await
        .and_then(|estimate| Some(estimate.get_quota()? - estimate.get_usage().unwrap_or(0.0)));
    let limits = Limits {
        storage: room.map(|room| room.max(0.0) as u64),
        gpu: None,
        memory: Some(MOST_MEMORY),
    };
    let found = preflight::preflight(known, place, precision.bytes(), bytes, limits);
    let instead = found.instead.map(|other| other.repo.to_owned());
    Ok(Preflight { name, words: found.words, fits: found.fits, instead, is_stored })
}

/// Asks the browser to keep what is stored until it is removed here.
pub(crate) async fn ask_to_persist() {
    if let Ok(promise) = js::navigator().storage().persist() {
        // A browser that says no still keeps it for a while.
        let _ = js::done(promise).await;
    }
}

async fn estimate() -> Option<StorageEstimate> {
    let estimate = js::navigator().storage().estimate().ok()?;
    Some(js::done(estimate).await.ok()?.unchecked_into())
}

/// A failed download as the page hears of it.
fn fetching(error: FetchError) -> EngineError {
    match error {
        FetchError::Cancelled => EngineError::Cancelled,
        other => EngineError::Fetch(other.to_string()),
    }
}

#[allow(clippy::needless_pass_by_value, reason = "as `map_err` gives it")]
fn kept(error: relp_hub::StoreError) -> EngineError {
    EngineError::Fetch(format!(
        "The browser's storage cannot be used, because {error}; reload the page and try again."
    ))
}
