//! The part of the conversation that is about models.

use leptos::prelude::*;
use relp_protocol::{Command, Event, ModelSource, Stage};
use wasm_bindgen::JsValue;

use super::Session;
use crate::models;
use crate::state::Activity;

impl Session {
    /// Fetches and loads a model.
    pub fn load_model(self, model: ModelSource) {
        self.state.failure.set(None);
        self.state.models.problem.set(None);
        self.state.models.download.set(None);
        let (id, choice) = (self.next_id(), self.state.choice.get_untracked());
        let precision = self.state.models.precision.get_untracked();
        self.inner.update_value(|inner| {
            inner.loading = Some((id, choice));
            inner.wanted = Some(model.clone());
        });
        self.forget_asides();
        self.busy(Stage::Fetching);
        self.send(&Command::Load { id, model, choice, precision });
    }

    /// Loads the person's own files, an array of `File`.
    pub fn load_files(self, files: &JsValue) {
        let sent = self.inner.with_value(|inner| match &inner.worker {
            Some(worker) => worker.send_files(files),
            None => Ok(()),
        });
        match sent {
            Ok(()) => self.load_model(ModelSource::Files),
            Err(why) => self.crashed(&why),
        }
    }

    /// Asks what the chosen model would take, and what this browser keeps.
    pub fn look_at_models(self) {
        let models = self.state.models;
        let id = self.next_id();
        self.send(&Command::Stored { id });
        let name = untrack(|| models.wanted.get().hub_name(&models.other.get()));
        models.preflight.set(None);
        if let Some(name) = name {
            let (id, choice) = (self.next_id(), self.state.choice.get_untracked());
            let precision = models.precision.get_untracked();
            self.inner.update_value(|inner| inner.preflight = Some(id));
            self.send(&Command::Preflight { id, name, choice, precision });
        }
    }

    /// Removes a model that this browser keeps.
    pub fn remove_model(self, repo: String) {
        let id = self.next_id();
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
                let (done, total) =
                    (download.done as usize, download.total.unwrap_or(0.0) as usize);
                self.state.activity.set(Activity::Busy { stage: Stage::Fetching, done, total });
                models.download.set(Some(download));
            }
            Event::Stored { stored, .. } => models.stored.set(Some(stored)),
            Event::Preflight { id, preflight }
                if self.inner.with_value(|inner| inner.preflight == Some(id)) =>
            {
                models.preflight.set(Some(preflight));
            }
            // Late answers, and events that are about something else.
            _ => {}
        }
    }
}
