//! How the loaded model does on the built-in tasks, measured while nothing else is computed.

use leptos::prelude::*;
use relp_model::{Method, Survey};
use relp_protocol::{Command, Failure, Id};

use super::Session;
use crate::examples::{EXAMPLES, Surveyed};
use crate::known::Exact;

impl Session {
    /// Asks about the next pair that somebody wants to know of, if nothing else is going on: first the
    /// chosen example's task, then, if the list of tasks is open, the others.
    pub fn survey(self) {
        let state = self.state;
        let is_busy = self.inner.with_value(|inner| {
            let aside = inner.checking.is_some() || inner.one.is_some() || inner.patterns.is_some();
            aside || inner.running.is_some() || inner.loading.is_some() || inner.survey.is_some()
        });
        // The exact answer is what people wait for.
        let waits = state.exact.with_untracked(|exact| matches!(exact, Exact::Running(_)));
        if is_busy || waits || state.loaded.with_untracked(Option::is_none) {
            return;
        }
        let task = state.example.get_untracked().and_then(|chosen| EXAMPLES.get(chosen));
        let task = task.map(|example| example.task.as_str());
        let all = state.tasks_open.get_untracked();
        let next = state.surveys.with_untracked(|surveys| {
            let unknown = |index: &usize| matches!(surveys.get(*index), Some(Surveyed::Unknown));
            let of_task = |index: &usize| {
                EXAMPLES.get(*index).is_some_and(|example| Some(example.task.as_str()) == task)
            };
            let every = 0..EXAMPLES.len();
            let first = every.clone().find(|index| unknown(index) && of_task(index));
            first.or_else(|| every.into_iter().find(|index| all && unknown(index)))
        });
        let Some((index, example)) = next.and_then(|index| Some((index, EXAMPLES.get(index)?)))
        else {
            return;
        };
        let id = self.next_id();
        self.inner.update_value(|inner| inner.survey = Some((id, index)));
        self.send(&Command::Survey { id, pair: example.pair(), metric: example.metric });
    }

    pub(super) fn hear_survey(self, id: Id, survey: Survey) {
        if let Some(index) = self.surveyed(id) {
            self.know(index, Surveyed::Here(survey));
        }
        self.survey();
    }

    /// Whether `id` was of a survey, which came to nothing.
    pub(super) fn survey_failed(self, id: Id, failure: &Failure) -> bool {
        let Some(index) = self.surveyed(id) else { return false };
        match failure {
            // It gave way; the next pause asks again.
            Failure::Cancelled => {}
            Failure::Pair(_) | Failure::Other(_) => {
                self.know(index, Surveyed::NotAskable);
                self.survey();
            }
        }
        true
    }

    /// Of another model nothing is known.
    pub(super) fn forget_surveys(self) {
        self.inner.update_value(|inner| inner.survey = None);
        self.state.surveys.set(vec![Surveyed::Unknown; EXAMPLES.len()]);
    }

    /// Surveys once the exact answer is there, or where there is none.
    pub(super) fn survey_if_checked(self) {
        let has_none = self.state.shown.with_untracked(|shown| {
            shown.as_ref().is_some_and(|shown| shown.figure.method == Method::GradXInput)
        });
        let done = self.state.exact.with_untracked(|exact| matches!(exact, Exact::Here(_)));
        if has_none || done {
            self.survey();
        }
    }

    fn surveyed(self, id: Id) -> Option<usize> {
        let taken =
            self.inner.try_update_value(|inner| inner.survey.take_if(|(survey, _)| *survey == id));
        taken.flatten().map(|(_, index)| index)
    }

    fn know(self, index: usize, surveyed: Surveyed) {
        self.state.surveys.update(|surveys| {
            if let Some(known) = surveys.get_mut(index) {
                *known = surveyed;
            }
        });
    }
}
