//! Models: the bundled one, those that `relp model get` has fetched, and folders in Hugging Face layout.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

use pollster::block_on;
use relp_engine::{Engine, EngineError, Files, WeightSource, piece};
use relp_hub::{ModelFile, ModelId};
use relp_model::{Choice, Config, Fallback, Figure, Kind, Pair, Precision, Request};

use crate::cache::Found;
use crate::failure::{Failure, Result};
use crate::models;
use crate::output::note;
use crate::progress::Progress;

/// The name of the bundled model.
pub(crate) const BUNDLED: &str = "primer";

macro_rules! primer {
    ($file:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/primer/", $file))
    };
}

/// Where a model is.
enum Place {
    Bundled,
    Folder(PathBuf),
    Kept(Found),
}

/// The weights, read piece by piece. A file is not mapped into memory: that needs `unsafe`, since another
/// program may change the file under the mapping, and would save little, since every byte is read
/// once, in order, to be widened, packed or sent to a GPU.
pub(crate) enum Weights {
    Bundled(&'static [u8]),
    File { file: File, len: u64 },
}

impl WeightSource for Weights {
    fn len(&self) -> u64 {
        match self {
            Self::Bundled(bytes) => bytes.len() as u64,
            Self::File { len, .. } => *len,
        }
    }

    async fn read(&mut self, range: Range<u64>) -> Result<Vec<u8>, String> {
        match self {
            Self::Bundled(bytes) => piece(bytes, range),
            Self::File { file, .. } => {
                let mut bytes = vec![0; (range.end - range.start) as usize];
                file.seek(SeekFrom::Start(range.start))
                    .and_then(|_| file.read_exact(&mut bytes))
                    .map_err(|error| error.to_string())?;
                Ok(bytes)
            }
        }
    }
}

/// A model on an executor, and whether the person insists on that executor.
pub(crate) struct Model {
    engine: Engine<Weights>,
    choice: Choice,
    progress: Progress,
    /// What was said of a fallback already.
    told: Option<Fallback>,
}

impl Model {
    /// Loads the model of `--model`.
    pub(crate) fn load(name: Option<&str>, choice: Choice, precision: Precision) -> Result<Self> {
        let place = place(name.unwrap_or(BUNDLED))?;
        let config = place.file("config.json", primer!("config.json"))?;
        let tokenizer = place.file("tokenizer.json", primer!("tokenizer.json"))?;
        let weights = match place.path("model.safetensors")? {
            None => Weights::Bundled(primer!("model.safetensors")),
            Some(path) => {
                let opened = File::open(&path).and_then(|file| Ok((file.metadata()?.len(), file)));
                let (len, file) = opened.map_err(|error| unreadable(&path, &error))?;
                Weights::File { file, len }
            }
        };
        let title = place.title();
        let files = Files { name: &title, config: &config, tokenizer: &tokenizer, precision };
        let mut progress = Progress::new();
        progress.now(format!("Loading {title}"));
        let engine = block_on(Engine::load(files, weights, choice, &mut progress))?;
        place.check(&engine.loaded().model.sha256)?;
        let mut model = Self { engine, choice, progress, told: None };
        model.watch_device()?;
        Ok(model)
    }

    pub(crate) fn engine(&self) -> &Engine<Weights> {
        &self.engine
    }

    /// A figure of a pair. `what` is shown while it takes its time.
    pub(crate) fn attribute(
        &mut self,
        pair: &Pair,
        request: &Request,
        what: String,
    ) -> Result<Figure> {
        self.progress.now(what);
        let run = self.engine.attribute_pair(pair.clone(), request, &mut self.progress);
        let figure = block_on(run)?;
        self.watch_device()?;
        Ok(figure)
    }

    /// The likeliest next tokens.
    pub(crate) fn predict(
        &mut self,
        prompt: &[relp_model::Token],
        top: usize,
    ) -> Result<Vec<relp_model::Prediction>> {
        self.progress.now("Predicting".to_owned());
        let predictions = block_on(self.engine.predict(prompt, top, &mut self.progress))?;
        self.watch_device()?;
        Ok(predictions)
    }

    /// Wipes the progress, before something else is written.
    pub(crate) fn rest(&mut self) {
        self.progress.wipe();
    }

    /// Another executor than the one that was asked for is a failure; another than the best is
    /// worth a note.
    fn watch_device(&mut self) -> Result<()> {
        let device = self.engine.loaded().device;
        if self.choice == Choice::Gpu && device.kind != Kind::Gpu {
            let why = device.fallback.map_or_else(String::new, |why| why.to_string());
            return Err(Failure::failed(format_args!(
                "The GPU cannot be used, so --executor gpu is not possible. {why}"
            )));
        }
        if device.fallback != self.told {
            if let Some(fallback @ Fallback::Failed(_)) = &device.fallback {
                self.progress.wipe();
                note(&fallback.to_string());
            }
            self.told = device.fallback;
        }
        Ok(())
    }
}

/// The sizes of the model of `--model`, without its weights.
pub(crate) fn config(name: Option<&str>) -> Result<Config> {
    let json = place(name.unwrap_or(BUNDLED))?.file("config.json", primer!("config.json"))?;
    Ok(Config::from_json(&json).map_err(EngineError::from)?)
}

/// The model of `--model`. Nothing is fetched for it.
fn place(name: &str) -> Result<Place> {
    if name == BUNDLED {
        return Ok(Place::Bundled);
    }
    if Path::new(name).is_dir() {
        return Ok(Place::Folder(name.into()));
    }
    match ModelId::from_name(name) {
        Ok(id) if id.known.is_some() => models::find(name).map(Place::Kept),
        Ok(_) => models::find(name).map(Place::Kept).map_err(|_| {
            Failure::input(format_args!(
                "--model: there is no folder \"{name}\", and no model of this name is kept here: \
                 `relp model get {name}` fetches it, if a hub has it"
            ))
        }),
        Err(_) => Err(Failure::input(format_args!(
            "--model: there is no folder \"{name}\"; give {BUNDLED}, the bundled model, gpt2 or another \
             that `relp model list` names, or a folder that holds config.json, tokenizer.json and \
             model.safetensors"
        ))),
    }
}

impl Place {
    /// What the model is called in figures.
    fn title(&self) -> String {
        match self {
            Self::Bundled => BUNDLED.to_owned(),
            Self::Kept(found) => found.id.repo.name().to_owned(),
            Self::Folder(folder) => {
                // `.` and `..` have no name of their own.
                let full = fs::canonicalize(folder).unwrap_or_else(|_| folder.clone());
                full.file_name().unwrap_or(folder.as_os_str()).to_string_lossy().into_owned()
            }
        }
    }

    /// A file of the model; none if it is part of the program.
    fn path(&self, file: &str) -> Result<Option<PathBuf>> {
        let folder = match self {
            Self::Bundled => return Ok(None),
            Self::Folder(folder) => folder,
            Self::Kept(found) => &found.folder,
        };
        let path = folder.join(file);
        if !path.is_file() {
            return Err(Failure::input(format_args!(
                "--model: the folder \"{}\" has no {file}; download it into the folder, beside the \
                 model's other files",
                folder.display()
            )));
        }
        Ok(Some(path))
    }

    fn file(&self, file: &str, bundled: &'static [u8]) -> Result<Cow<'static, [u8]>> {
        match self.path(file)? {
            None => Ok(Cow::Borrowed(bundled)),
            Some(path) => {
                let bytes = fs::read(&path).map_err(|error| unreadable(&path, &error))?;
                if let (Self::Kept(found), Some(name)) = (self, ModelFile::from_name(file)) {
                    let record = models::record(found, name);
                    if record.is_some_and(|record| !record.is_of(&bytes)) {
                        return Err(damaged(found, file));
                    }
                }
                Ok(Cow::Owned(bytes))
            }
        }
    }

    /// Whether weights of this hash are the ones that were fetched.
    fn check(&self, sha256: &str) -> Result<()> {
        let Self::Kept(found) = self else { return Ok(()) };
        let recorded = models::record(found, ModelFile::Weights);
        let recorded = recorded.and_then(|record| record.expected_sha256());
        let expected = recorded.or_else(|| found.id.expected(ModelFile::Weights).sha256);
        match expected {
            Some(expected) if expected != sha256 => Err(damaged(found, "model.safetensors")),
            _ => Ok(()),
        }
    }
}

fn damaged(found: &Found, file: &str) -> Failure {
    Failure::failed(format_args!(
        "The stored {file} of {0} is damaged, so it is not used: `relp model get {0}` fetches it again",
        found.id.repo
    ))
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::failed(format_args!("{} cannot be read: {error}", path.display()))
}
