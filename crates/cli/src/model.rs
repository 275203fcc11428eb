//! Models: the bundled one, and folders in Hugging Face layout.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

use pollster::block_on;
use relp_engine::{Engine, EngineError, Files, WeightSource};
use relp_model::{Choice, Config, Fallback, Figure, Kind, Pair, Precision, Request};

use crate::failure::{Failure, Result};
use crate::output::note;
use crate::progress::Progress;

/// The name of the bundled model.
pub(crate) const BUNDLED: &str = "primer";

macro_rules! primer {
    ($file:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/primer/", $file))
    };
}

/// The weights, read piece by piece.
pub(crate) enum Weights {
    Bundled(&'static [u8]),
    File { file: File, len: usize },
}

impl WeightSource for Weights {
    fn len(&self) -> usize {
        match self {
            Self::Bundled(bytes) => bytes.len(),
            Self::File { len, .. } => *len,
        }
    }

    async fn read(&mut self, range: Range<usize>) -> Result<Vec<u8>, String> {
        match self {
            Self::Bundled(bytes) => match bytes.get(range) {
                Some(bytes) => Ok(bytes.to_vec()),
                None => Err("a range lies outside the file".to_owned()),
            },
            Self::File { file, .. } => {
                let mut bytes = vec![0; range.len()];
                file.seek(SeekFrom::Start(range.start as u64))
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
    pub(crate) fn load(name: Option<&str>, choice: Choice) -> Result<Self> {
        let name = name.unwrap_or(BUNDLED);
        let config = file(name, "config.json", primer!("config.json"))?;
        let tokenizer = file(name, "tokenizer.json", primer!("tokenizer.json"))?;
        let weights = if name == BUNDLED {
            Weights::Bundled(primer!("model.safetensors"))
        } else {
            let path = path(name, "model.safetensors")?;
            let opened = File::open(&path).and_then(|file| Ok((file.metadata()?.len(), file)));
            let (len, file) = opened.map_err(|error| unreadable(&path, &error))?;
            Weights::File { file, len: usize::try_from(len).unwrap_or(usize::MAX) }
        };
        let title = title(name);
        let files = Files {
            name: &title,
            config: &config,
            tokenizer: &tokenizer,
            precision: Precision::F32,
        };
        let mut progress = Progress::new();
        progress.now(format!("Loading {title}"));
        let engine = block_on(Engine::load(files, weights, choice, &mut progress))?;
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
    let json = file(name.unwrap_or(BUNDLED), "config.json", primer!("config.json"))?;
    Ok(Config::from_json(&json).map_err(EngineError::from)?)
}

/// What the model is called in figures.
fn title(name: &str) -> String {
    let path = Path::new(name);
    // `.` and `..` have no name of their own.
    let full = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let last = if name == BUNDLED { Some(name.as_ref()) } else { full.file_name() };
    last.map_or_else(|| name.to_owned(), |last| last.to_string_lossy().into_owned())
}

fn file(name: &str, file: &str, bundled: &'static [u8]) -> Result<Cow<'static, [u8]>> {
    if name == BUNDLED {
        return Ok(Cow::Borrowed(bundled));
    }
    let path = path(name, file)?;
    fs::read(&path).map(Cow::Owned).map_err(|error| unreadable(&path, &error))
}

fn path(name: &str, file: &str) -> Result<PathBuf> {
    let folder = Path::new(name);
    if !folder.is_dir() {
        return Err(Failure::input(format_args!(
            "--model: there is no folder \"{name}\"; give {BUNDLED}, the bundled model, or a folder \
             that holds config.json, tokenizer.json and model.safetensors"
        )));
    }
    let path = folder.join(file);
    if !path.is_file() {
        return Err(Failure::input(format_args!(
            "--model: the folder \"{name}\" has no {file}; download it into the folder, beside the \
             model's other files"
        )));
    }
    Ok(path)
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::failed(format_args!("{} cannot be read: {error}", path.display()))
}
