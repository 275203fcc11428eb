//! Working on commands, one after the other.

use std::rc::Rc;

use futures_util::future::try_join3;
use relp_engine::{Engine, EngineError, Files};
use relp_model::{Choice, Metric, PairText, Precision};
use relp_protocol::{Command, Event, Failure, Id, ModelSource, Stage};

use crate::control::PageControl;
use crate::download::download;
use crate::inbox::Inbox;
use crate::post;
use crate::source::Weights;
use crate::{js, models, tuning};

/// The one owner of the engine.
pub(crate) struct Worker {
    inbox: Rc<Inbox>,
    engine: Option<Engine<Weights>>,
    #[cfg(feature = "threads")]
    threads: crate::threads::Threads,
}

impl Worker {
    pub(crate) fn new(inbox: Rc<Inbox>) -> Self {
        Self {
            inbox,
            engine: None,
            #[cfg(feature = "threads")]
            threads: crate::threads::Threads::default(),
        }
    }

    /// Works for ever.
    pub(crate) async fn run(mut self) {
        loop {
            let command = self.inbox.next().await;
            let (id, answer) = match command {
                Command::Load { id, model, choice, precision } => {
                    (id, self.load(id, &model, choice, precision).await)
                }
                Command::Remove { id, repo } => (id, remove(id, &repo).await),
                Command::Switch { id, choice } => (id, self.switch(id, choice).await),
                Command::Run { id, request } => {
                    // The CPU may have taken a GPU's place.
                    self.share_out().await;
                    let mut control = self.control(id, Stage::Running);
                    (id, attribute(self.engine.as_mut(), id, &request, &mut control).await)
                }
                Command::Patterns { id, pair, layer } => {
                    let mut control = self.control(id, Stage::Running);
                    let engine = self.engine.as_mut();
                    (id, patterns(engine, id, &pair, layer, &mut control).await)
                }
                Command::Survey { id, pair, metric } => {
                    let mut control = self.control(id, Stage::Running);
                    (id, survey(self.engine.as_mut(), id, &pair, metric, &mut control).await)
                }
                Command::Similar { id, text, bos, position } => {
                    let mut control = self.control(id, Stage::Running);
                    let engine = self.engine.as_mut();
                    (id, similar(engine, id, (&text, bos, position), &mut control).await)
                }
                Command::Preview { id, pair, metric } => {
                    let engine = self.engine.as_ref().ok_or(EngineError::NoModel);
                    let preview = |engine: &Engine<_>| engine.reader().preview(&pair, metric);
                    (id, engine.map(|engine| Event::Preview { id, preview: preview(engine) }))
                }
                // The inbox lets none of them into the queue.
                Command::Cancel { .. } | Command::Preflight { .. } | Command::Stored { .. } => {
                    continue;
                }
            };
            answered(id, answer);
        }
    }

    async fn load(
        &mut self,
        id: Id,
        model: &ModelSource,
        choice: Choice,
        precision: Precision,
    ) -> Result<Event, EngineError> {
        let files = match model {
            ModelSource::Folder { name, url } => self.folder_files(id, name, url).await?,
            ModelSource::Hub { name, mirrors } => {
                models::from_hub(&self.inbox, id, name, mirrors).await?
            }
            ModelSource::Files => models::from_files(&self.inbox.files()).await?,
        };
        let models::Files { name, config, tokenizer, weights, lock: _lock } = files;
        let files = Files { name: &name, config: &config, tokenizer: &tokenizer, precision };
        let mut control = self.control(id, Stage::Loading);
        tuning::recall().await;
        let engine = match Engine::load(files, weights, choice, &mut control).await {
            Ok(engine) => engine,
            Err(error) => {
                // What is no model for this page is of no use when it is asked for again.
                if let (ModelSource::Hub { name, .. }, true) = (model, is_refused(&error)) {
                    models::forget(name).await;
                }
                return Err(error);
            }
        };
        self.inbox.set_reader(engine.reader());
        self.engine = Some(engine);
        if matches!(model, ModelSource::Hub { .. }) {
            models::ask_to_persist().await;
        }
        self.loaded(id).await
    }

    async fn folder_files(
        &self,
        id: Id,
        name: &str,
        url: &str,
    ) -> Result<models::Files, EngineError> {
        let fetch = async |name: &str| {
            download(&mut self.control(id, Stage::Fetching), format!("{url}{name}")).await
        };
        // Together, so that none waits for the way of another.
        let all =
            try_join3(fetch("config.json"), fetch("tokenizer.json"), fetch("model.safetensors"));
        let (config, tokenizer, weights) = all.await?;
        Ok(models::Files {
            name: name.to_owned(),
            config: config.to_vec(),
            tokenizer: tokenizer.to_vec(),
            weights: Weights::Array(weights),
            lock: None,
        })
    }

    async fn switch(&mut self, id: Id, choice: Choice) -> Result<Event, EngineError> {
        let mut control = self.control(id, Stage::Loading);
        let engine = self.engine.as_mut().ok_or(EngineError::NoModel)?;
        tuning::recall().await;
        engine.switch(choice, &mut control).await?;
        self.loaded(id).await
    }

    /// What is in use now, with all that it computes with.
    async fn loaded(&self, id: Id) -> Result<Event, EngineError> {
        let engine = self.engine.as_ref().ok_or(EngineError::NoModel)?;
        tuning::keep().await;
        self.share_out().await;
        Ok(Event::Loaded { id, loaded: engine.loaded(), memory: memory() })
    }

    /// Shares the CPU's work out to threads, where it is worth it and not done.
    async fn share_out(&self) {
        #[cfg(feature = "threads")]
        if let Some(engine) = &self.engine {
            self.threads.start_for(&engine.loaded()).await;
        }
    }

    fn control(&self, id: Id, stage: Stage) -> PageControl {
        PageControl { inbox: self.inbox.clone(), id, stage }
    }
}

async fn attribute(
    engine: Option<&mut Engine<Weights>>,
    id: Id,
    request: &relp_model::Request,
    control: &mut PageControl,
) -> Result<Event, EngineError> {
    let engine = engine.ok_or(EngineError::NoModel)?;
    let figure = engine.attribute(request, control).await?;
    Ok(Event::Figure { id, figure: Box::new(figure), device: engine.loaded().device })
}

async fn patterns(
    engine: Option<&mut Engine<Weights>>,
    id: Id,
    pair: &PairText,
    layer: usize,
    control: &mut PageControl,
) -> Result<Event, EngineError> {
    let engine = engine.ok_or(EngineError::NoModel)?;
    let patterns = engine.patterns(pair, layer, control).await?;
    Ok(Event::Patterns { id, patterns })
}

async fn survey(
    engine: Option<&mut Engine<Weights>>,
    id: Id,
    pair: &PairText,
    metric: Metric,
    control: &mut PageControl,
) -> Result<Event, EngineError> {
    let engine = engine.ok_or(EngineError::NoModel)?;
    let survey = engine.survey(pair, metric, control).await?;
    Ok(Event::Survey { id, survey })
}

/// How many tokens are suggested in the place of another.
const SUGGESTED: usize = 12;

async fn similar(
    engine: Option<&mut Engine<Weights>>,
    id: Id,
    (text, bos, position): (&str, bool, usize),
    control: &mut PageControl,
) -> Result<Event, EngineError> {
    let engine = engine.ok_or(EngineError::NoModel)?;
    let tokens = engine.similar(text, bos, position, SUGGESTED, control).await?;
    Ok(Event::Similar { id, tokens })
}

async fn remove(id: Id, repo: &str) -> Result<Event, EngineError> {
    models::remove(repo).await?;
    Ok(Event::Stored { id, stored: models::stored().await? })
}

/// Bytes of this worker's wasm memory.
fn memory() -> usize {
    let buffer = js::get(&wasm_bindgen::memory(), "buffer");
    js::get(&buffer, "byteLength").as_f64().map_or(0, |bytes| bytes as usize)
}

/// Whether the files themselves are at fault.
fn is_refused(error: &EngineError) -> bool {
    use EngineError::{Checkpoint, Config, Tokenizer};
    matches!(error, Checkpoint(_) | Config(_) | Tokenizer(_))
}

/// Sends an answer.
pub(crate) fn answered(id: Id, answer: Result<Event, EngineError>) {
    post(&answer.unwrap_or_else(|error| Event::Failed { id, failure: failure(error) }));
}

fn failure(error: EngineError) -> Failure {
    match error {
        EngineError::Cancelled => Failure::Cancelled,
        EngineError::Pair(problems) => Failure::Pair(problems),
        other => Failure::Other(other.to_string()),
    }
}
