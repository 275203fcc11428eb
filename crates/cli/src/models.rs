//! `relp model`: which models there are, and fetching, finding and removing them. Nothing else in this
//! program asks anything of a network; `relp serve` answers in one.

use std::env;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use lexopt::{Arg, Parser};
use pollster::block_on;
use relp_engine::EngineError;
use relp_hub::preflight::{Bytes, Limits, Place, preflight};
use relp_hub::{
    Entry, Fetch, FetchError, KNOWN, Mirrors, ModelFile, ModelId, Part, Record, Repo, Revision,
    Store, Transport, Trust, Wanted, Watch,
};
use relp_model::{Checkpoint, CheckpointError, Config, Precision, Tokenizer};
use serde::Serialize;

use crate::cache::{Cache, Found};
use crate::columns::Columns;
use crate::failure::{Failure, Result};
use crate::model::BUNDLED;
use crate::net::Net;
use crate::output::{Out, note, print};
use crate::progress::Download;

/// What is to be done with models.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    Get(String),
    List,
    Path(String),
    Remove(String),
}

pub(crate) const HELP: &str = "\
relp model get NAME       fetches a model from a hub, checks it and keeps it
relp model list           the models that are known or kept
relp model path NAME      the folder of a model that is kept
relp model remove NAME    deletes what is kept of a model

NAME is gpt2 (also gpt2-small), gpt2-medium, gpt2-large, gpt2-xl or distilgpt2, or OWNER/NAME of any
GPT-2 on the hub. A model that is kept is used by `--model NAME`. Only `relp model get` fetches from
the network, and what it has fetched is never fetched again, also after it was interrupted.

Models are kept in the cache folder of the hub's own client (HF_HUB_CACHE, or hub in HF_HOME, or
~/.cache/huggingface/hub), and what that has fetched is used as well. HF_ENDPOINT names another hub,
or several that are asked in turn, separated by commas. HTTPS_PROXY names a proxy, and
HF_HUB_DOWNLOAD_TIMEOUT the seconds without a byte after which a connection counts as broken (30).
";

/// Reads what follows `relp model`. None is the help.
pub(crate) fn parse(parser: &mut Parser) -> Result<Option<Ask>> {
    let mut words = Vec::new();
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Long("help") | Arg::Short('h') => return Ok(None),
            Arg::Value(word) => words.push(text(word)?),
            Arg::Long(option) => return Err(unexpected(&format!("--{option}"))),
            Arg::Short(option) => return Err(unexpected(&format!("-{option}"))),
        }
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        [] => Ok(None),
        ["list"] => Ok(Some(Ask::List)),
        ["get", name] => Ok(Some(Ask::Get(name.to_owned()))),
        ["path", name] => Ok(Some(Ask::Path(name.to_owned()))),
        ["remove", name] => Ok(Some(Ask::Remove(name.to_owned()))),
        ["get" | "path" | "remove"] => Err(Failure::input(format_args!(
            "`relp model {}` needs the name of a model: `relp model list` shows which there are",
            words[0]
        ))),
        ["list" | "get" | "path" | "remove", ..] => Err(unexpected(words[words.len() - 1])),
        [other, ..] => Err(Failure::input(format_args!(
            "There is no `relp model {other}`; there are get, list, path and remove"
        ))),
    }
}

fn text(word: OsString) -> Result<String> {
    word.into_string().map_err(|_| Failure::input("The name of the model is not UTF-8 text"))
}

fn unexpected(what: &str) -> Failure {
    Failure::input(format_args!(
        "`relp model` does not take `{what}`: `relp model --help` shows what it takes"
    ))
}

pub(crate) fn run(ask: &Ask) -> Result<()> {
    match ask {
        Ask::Get(name) => get(name),
        Ask::List => list(),
        Ask::Path(name) => path(name),
        Ask::Remove(name) => remove(name),
    }
}

/// A model that is kept.
#[derive(Debug, Serialize)]
struct Kept {
    name: String,
    revision: String,
    folder: PathBuf,
    bytes: u64,
    /// Why the weights are taken for the right ones.
    trust: Option<Trust>,
    sha256: Option<String>,
}

fn get(name: &str) -> Result<()> {
    let id = id(name)?;
    if env::var("HF_HUB_OFFLINE").is_ok_and(|value| !matches!(value.trim(), "" | "0")) {
        return Err(Failure::input(
            "HF_HUB_OFFLINE forbids the network: unset it to fetch a model",
        ));
    }
    let mirrors = match env::var("HF_ENDPOINT") {
        Ok(endpoints) if !endpoints.trim().is_empty() => Mirrors::from_text(&endpoints)
            .map_err(|error| Failure::input(format_args!("HF_ENDPOINT: {error}")))?,
        _ => Mirrors::default(),
    };
    let mut cache = Cache::locate()?;
    let id = cache.find(&id).map_or(id, |found| found.id);
    let locked = cache.lock(&id.repo, || {
        note(&format!("Another relp is fetching {}; this one waits for it.", id.repo));
    });
    let _lock = locked.map_err(|error| {
        let root = cache.root().display();
        Failure::failed(format_args!("Models cannot be kept in {root}: {error}"))
    })?;
    if let Some(known) = id.known {
        // For a person who watches; a script has no use for it.
        let stored = stored(&mut cache, &id);
        let needs = preflight(known, Place::Cpu, Precision::F32.bytes(), stored, Limits::default());
        Download::say(&needs.words);
    }
    let mut record = block_on(download(&mut cache, &id, &mirrors))?;
    if cache.find(&id).is_none() {
        // The branch moved on between two files: the earlier ones are fetched in their new state.
        record = block_on(download(&mut cache, &id, &mirrors))?;
    }
    let kept = kept(&mut cache, &id, &record)?;
    Out::default().give(&kept, || {
        let how = match record.trust {
            Some(Trust::Known) => "its hash is the one that this program knows",
            Some(Trust::Announced) => "its hash is the one that the hub announced",
            _ => "its hash was recorded, and has to stay the same",
        };
        let Kept { name, folder, bytes, .. } = &kept;
        format!("{name}, {}, is kept in {}; {how}.\n", Bytes(*bytes), folder.display())
    })
}

/// Bytes that are here of a model.
fn stored(cache: &mut Cache, id: &ModelId) -> u64 {
    let entries = ModelFile::ALL.map(|file| Wanted::of(id, file).entry());
    entries.iter().map(|entry| block_on(cache.len(entry)).unwrap_or(0)).sum()
}

/// Fetches what is missing of a model and checks all of it. The weights are fetched only if their
/// header fits the configuration.
async fn download(cache: &mut Cache, id: &ModelId, mirrors: &Mirrors) -> Result<Record> {
    let mut net = Net::new();
    let mut line = Download::new();
    let lengths = ModelFile::ALL.map(|file| id.expected(file).length);
    let all: Option<u64> = lengths.into_iter().sum();
    let mut before = 0;
    let mut small = Vec::new();
    for file in [ModelFile::Config, ModelFile::Tokenizer] {
        let part = Part { before, of: all };
        let wanted = Wanted::of(id, file);
        let entry = wanted.entry();
        let fetch =
            Fetch::open(&mut net, &mut *cache, &mut line, mirrors.clone(), wanted, part).await?;
        let length = fetch.finish().await?.length.unwrap_or(0);
        let bytes = cache.read(&entry, 0..length).await;
        small.push(bytes.map_err(|error| {
            Failure::failed(format_args!("{} cannot be read: {error}", file.name()))
        })?);
        before += length;
    }
    let config = Config::from_json(&small[0]).map_err(EngineError::from)?;
    Tokenizer::from_json(&small[1], config.n_vocab).map_err(EngineError::from)?;
    let part = Part { before, of: all };
    let wanted = Wanted::of(id, ModelFile::Weights);
    let mut fetch =
        Fetch::open(&mut net, &mut *cache, &mut line, mirrors.clone(), wanted, part).await?;
    if let Err(error) = check_header(&mut fetch, &config).await? {
        fetch.discard().await?;
        return Err(EngineError::from(error).into());
    }
    fetch.forget_reads();
    Ok(fetch.finish().await?)
}

/// Whether a `model.safetensors` is the checkpoint of a configuration, by its first bytes.
async fn check_header<T: Transport, S: Store, W: Watch>(
    fetch: &mut Fetch<T, S, W>,
    config: &Config,
) -> Result<Result<(), CheckpointError>, FetchError> {
    let length = fetch.length();
    let first = fetch.read(0..length.min(8)).await?;
    let Ok(first) = <[u8; 8]>::try_from(first) else {
        return Ok(Err(CheckpointError::Header("it is empty".to_owned())));
    };
    let header_len = match Checkpoint::header_len(first) {
        Ok(len) => len,
        Err(error) => return Ok(Err(error)),
    };
    let header = fetch.read(8..length.min(8 + header_len as u64)).await?;
    Ok(Checkpoint::from_header(&header, length, config).map(drop))
}

pub(crate) fn id(name: &str) -> Result<ModelId> {
    if name == BUNDLED {
        return Err(Failure::input(format_args!(
            "{BUNDLED} is part of this program and needs no place of its own"
        )));
    }
    ModelId::from_name(name).map_err(|error| {
        let names = KNOWN.iter().filter_map(|known| known.aliases.first().copied());
        let names = names.collect::<Vec<_>>().join(", ");
        Failure::input(format_args!("{error}; known by a shorter name are {names}"))
    })
}

fn kept(cache: &mut Cache, id: &ModelId, weights: &Record) -> Result<Kept> {
    let found = cache.find(id).ok_or_else(|| {
        Failure::failed(format_args!(
            "{} was fetched and is gone again: did another program delete it?",
            id.repo
        ))
    })?;
    Ok(Kept {
        name: found.id.repo.to_string(),
        revision: found.id.revision.to_string(),
        bytes: stored(cache, &found.id),
        folder: found.folder,
        trust: weights.trust,
        sha256: weights.sha256.clone(),
    })
}

/// A line of the list.
#[derive(Debug, Serialize)]
struct Line {
    name: String,
    /// kept, incomplete or absent.
    state: &'static str,
    /// Bytes that are here.
    bytes: u64,
    /// Bytes to be downloaded, about, if that is known.
    download: Option<u64>,
    folder: Option<PathBuf>,
}

fn list() -> Result<()> {
    let mut cache = Cache::locate()?;
    let mut lines: Vec<Line> = Vec::new();
    let mut seen: Vec<Repo> = Vec::new();
    for known in &KNOWN {
        let id = ModelId::from_name(known.repo).map_err(FetchError::from)?;
        let found = cache.find(&id);
        let id = found.as_ref().map_or(id, |found| found.id.clone());
        let bytes = stored(&mut cache, &id);
        let download = match &found {
            Some(_) => Some(0),
            None => Some(known.download().saturating_sub(bytes)),
        };
        seen.extend([id.repo.clone()]);
        lines.push(Line {
            name: id.repo.to_string(),
            state: state(found.is_some(), bytes),
            bytes,
            download,
            folder: found.map(|found| found.folder),
        });
    }
    for repo in cache.repos() {
        if seen.contains(&repo) {
            continue;
        }
        let id = ModelId { repo, revision: Revision::main(), known: None };
        let found = cache.find(&id);
        let bytes = stored(&mut cache, &id);
        if found.as_ref().is_some_and(|found| !is_gpt2(found)) || bytes == 0 {
            continue;
        }
        lines.push(Line {
            name: id.repo.to_string(),
            state: state(found.is_some(), bytes),
            bytes,
            download: found.is_some().then_some(0),
            folder: found.map(|found| found.folder),
        });
    }
    Out::default().give(&lines, || table(&lines, &cache))
}

fn state(is_kept: bool, bytes: u64) -> &'static str {
    match (is_kept, bytes) {
        (true, _) => "kept",
        (false, 0) => "absent",
        (false, _) => "incomplete",
    }
}

/// The hub's own client keeps models of every kind here.
fn is_gpt2(found: &Found) -> bool {
    let json = fs::read(found.folder.join(ModelFile::Config.name()));
    json.is_ok_and(|json| Config::from_json(&json).is_ok())
}

fn table(lines: &[Line], cache: &Cache) -> String {
    let mut columns = Columns::new(2, ["model", "state", "here", "to download"]);
    for line in lines {
        let download =
            line.download.map_or_else(|| "?".to_owned(), |bytes| Bytes(bytes).to_string());
        columns.row(vec![
            line.name.clone(),
            line.state.to_owned(),
            Bytes(line.bytes).to_string(),
            download,
        ]);
    }
    let mut text = String::new();
    columns.write(&mut text);
    let _infallible = writeln!(text, "\nModels are kept in {}.", cache.root().display());
    text
}

fn path(name: &str) -> Result<()> {
    let found = find(name)?;
    print(&format!("{}\n", found.folder.display()))
}

/// A model that is kept, by its name.
pub(crate) fn find(name: &str) -> Result<Found> {
    let id = id(name)?;
    Cache::locate()?.find(&id).ok_or_else(|| absent(name, &id))
}

fn absent(name: &str, id: &ModelId) -> Failure {
    let title = id.known.map_or(id.repo.as_str(), |known| known.title);
    let size = id.known.map(|known| format!(" ({})", Bytes(known.download()))).unwrap_or_default();
    Failure::input(format_args!(
        "{title} is not kept here: `relp model get {name}` fetches it{size}"
    ))
}

/// What is recorded of a file of a model that is kept.
pub(crate) fn record(found: &Found, file: ModelFile) -> Option<Record> {
    let mut cache = Cache::locate().ok()?;
    block_on(cache.record(&Wanted::of(&found.id, file).entry())).ok().flatten()
}

fn remove(name: &str) -> Result<()> {
    let id = id(name)?;
    let mut cache = Cache::locate()?;
    let id = cache.find(&id).map_or(id, |found| found.id);
    let entries: Vec<Entry> =
        ModelFile::ALL.iter().map(|&file| Wanted::of(&id, file).entry()).collect();
    let bytes = stored(&mut cache, &id);
    if bytes == 0 {
        return Err(Failure::input(format_args!(
            "Nothing of {} is kept here, so nothing was removed",
            id.repo
        )));
    }
    let root = cache.root().display().to_string();
    let unwritable = |why: String| Failure::failed(format_args!("{root} cannot be written: {why}"));
    let locked = cache.lock(&id.repo, || {
        note(&format!("Another relp is fetching {}; this one waits for it.", id.repo));
    });
    let _lock = locked.map_err(|error| unwritable(error.to_string()))?;
    for entry in &entries {
        block_on(cache.remove(entry)).map_err(|error| unwritable(error.to_string()))?;
    }
    #[derive(Serialize)]
    struct Removed {
        name: String,
        bytes: u64,
    }
    let removed = Removed { name: id.repo.to_string(), bytes };
    Out::default().give(&removed, || format!("{} was removed ({}).\n", removed.name, Bytes(bytes)))
}
