//! The part of the conversation that is about models.

use leptos::prelude::*;
use relp_model::{Choice, Kind};
use relp_protocol::{Command, Event, FIRST_ID, Failure, Id, ModelSource, Stage};
use wasm_bindgen::JsValue;

use super::Session;
use crate::models;
use crate::state::Activity;

impl Session {
    /// Fetches and loads a model; if the engine has stopped, it is started first.
    pub fn load_model(self, model: ModelSource) {
        self.state.failure.set(None);
        self.state.models.problem.set(None);
        self.state.models.download.set(None);
        self.inner.update_value(|inner| inner.wanted = Some(model.clone()));
        if self.inner.with_value(|inner| inner.worker.is_none()) {
            return self.start_worker();
        }
        if model == ModelSource::Files
            && let Err(why) = self.send_files()
        {
            return self.crashed(&why);
        }
        let choice = self.state.choice.get_untracked();
        let precision = self.state.models.precision.get_untracked();
        let begun = self.inner.try_update_value(|inner| std::mem::take(&mut inner.begun));
        let first = Command::Load { id: FIRST_ID, model: model.clone(), choice, precision };
        let is_begun = begun == Some(true) && first == Command::first();
        let id = if is_begun { FIRST_ID } else { self.next_id() };
        self.forget_run();
        self.forget_asides();
        self.inner.update_value(|inner| inner.loading = Some((id, choice)));
        self.busy(Stage::Fetching);
        if !is_begun {
            self.send(&Command::Load { id, model, choice, precision });
        }
    }

    /// Loads the person's own files, an array of `File`.
    pub fn load_files(self, files: JsValue) {
        self.inner.update_value(|inner| inner.files = Some(files));
        self.load_model(ModelSource::Files);
    }

    fn send_files(self) -> Result<(), String> {
        self.inner.with_value(|inner| match (&inner.worker, &inner.files) {
            (Some(worker), Some(files)) => worker.send_files(files),
            _ => Ok(()),
        })
    }

    /// Asks what the chosen model would take, and what this browser keeps.
    pub fn look_at_models(self) {
        let models = self.state.models;
        models.problem.set(None);
        let id = self.ask_what_is_kept();
        self.send(&Command::Stored { id });
        let name = untrack(|| models.wanted.get().hub_name(&models.other.get()));
        models.preflight.set(None);
        self.inner.update_value(|inner| inner.preflight = None);
        if let Some(name) = name {
            // What has answered so far will answer again.
            let kind = match (untrack(|| self.state.device()), self.state.choice.get_untracked()) {
                (Some(device), _) => device.kind,
                (None, Choice::Cpu | Choice::Reference) => Kind::Cpu,
                (None, Choice::Auto | Choice::Gpu) => Kind::Gpu,
            };
            let (id, precision) = (self.next_id(), models.precision.get_untracked());
            self.inner.update_value(|inner| inner.preflight = Some(id));
            self.send(&Command::Preflight { id, name, kind, precision });
        }
    }

    /// The id of a question that what is kept answers.
    fn ask_what_is_kept(self) -> Id {
        let id = self.next_id();
        self.inner.update_value(|inner| inner.keeping.push(id));
        id
    }

    /// Removes a model that this browser keeps.
    pub fn remove_model(self, repo: String) {
        let id = self.ask_what_is_kept();
        self.send(&Command::Remove { id, repo });
    }

    /// The model to load after a failure: the one that was wanted, else the bundled one.
    pub(super) fn wanted_model(self) -> ModelSource {
        let wanted = self.inner.with_value(|inner| inner.wanted.clone());
        wanted.unwrap_or_else(models::bundled)
    }

    pub(super) fn hear_of_models(self, event: Event) {
        let models = self.state.models;
        match event {
            Event::Download { id, download } if self.is_unfinished(id) => {
                let (done, total) = (download.done as u64, download.total.unwrap_or(0.0) as u64);
                self.state.activity.set(Activity::Busy { stage: Stage::Fetching, done, total });
                models.download.set(Some(download));
            }
            Event::Stored { id, stored } => {
                self.forget_question(id);
                models.stored.set(Some(stored));
            }
            Event::Preflight { id, preflight }
                if self.inner.with_value(|inner| inner.preflight == Some(id)) =>
            {
                models.preflight.set(Some(preflight));
            }
            // Late answers, and events that are about something else.
            _ => {}
        }
    }

    /// Whether `id` is of a question about models whose answer is waited for.
    pub(super) fn is_about_models(self, id: Id) -> bool {
        self.inner.with_value(|inner| inner.preflight == Some(id) || inner.keeping.contains(&id))
    }

    /// A question about models came to nothing, which is said beside the choice.
    pub(super) fn models_failed(self, id: Id, failure: Failure) {
        self.forget_question(id);
        if let Failure::Other(sentence) = failure {
            self.state.models.problem.set(Some(sentence));
        }
    }

    fn forget_question(self, id: Id) {
        self.inner.update_value(|inner| {
            inner.preflight.take_if(|preflight| *preflight == id);
            inner.keeping.retain(|other| *other != id);
        });
    }
}
