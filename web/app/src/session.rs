//! The conversation with the engine: what is asked when, and what becomes of the answers.

mod models;

use std::sync::Arc;
use std::time::Duration;

use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;
use relp_model::{Choice, Device, Method, Request};
use relp_protocol::{Command, Event, Failure, Id, ModelSource, Stage};

use crate::state::{Activity, Exact, Shown, State};
use crate::words;
use crate::worker::Worker;

/// How long the fields have to rest before the model reads them.
const REST: Duration = Duration::from_millis(150);

/// The conversation. Copies are handles to the same one.
#[derive(Clone, Copy)]
pub struct Session {
    state: State,
    inner: StoredValue<Inner, LocalStorage>,
}

#[derive(Default)]
struct Inner {
    worker: Option<Worker>,
    last_id: Id,
    /// Unfinished commands of each kind; answers to others are late and dropped.
    loading: Option<(Id, Choice)>,
    previewing: Option<Id>,
    running: Option<(Id, Request)>,
    /// Of the exact answer to the figure that is shown.
    checking: Option<Id>,
    /// The choice that what is loaded answers.
    chosen: Choice,
    /// The model to load after a failure.
    wanted: Option<ModelSource>,
    /// Of the question what a model would take.
    preflight: Option<Id>,
    resting: Option<TimeoutHandle>,
    figures: u32,
}

impl Session {
    /// Starts the engine, loads the bundled model, and from then on answers every change of the
    /// fields and switches.
    pub fn start(state: State) -> Self {
        let session = Self { state, inner: StoredValue::new_local(Inner::default()) };
        session.start_worker();
        // The first run of each effect only learns what to watch.
        Effect::watch(move || state.request(), move |_, _, _| session.wait_for_rest(), false);
        Effect::watch(move || state.choice.get(), move |_, _, _| session.switch(), false);
        session
    }

    /// Fetches and loads the model that is wanted.
    pub fn load(self) {
        self.load_model(self.wanted_model());
    }

    /// Gives up what is going on.
    pub fn cancel(self) {
        self.cancel_run();
        if let Some((id, _)) = self.inner.with_value(|inner| inner.loading) {
            self.send(&Command::Cancel { id });
        }
    }

    /// Gives up the run that is going on.
    fn cancel_run(self) {
        let running = self.inner.with_value(|inner| inner.running.as_ref().map(|(id, _)| *id));
        if let Some(id) = running {
            self.send(&Command::Cancel { id });
        }
    }

    /// Asks for the exact answer to the figure that is shown.
    pub fn check(self) {
        let shown = self.state.shown.get_untracked();
        let Some(Shown { request, figure, .. }) = shown else { return };
        if request.method == Method::Ap {
            self.state.exact.set(Exact::Here(figure));
            return;
        }
        let id = self.next_id();
        self.inner.update_value(|inner| inner.checking = Some(id));
        self.state.exact.set(Exact::Running { done: 0, total: 0 });
        self.send(&Command::Run { id, request: Request { method: Method::Ap, ..request } });
    }

    /// Gives up the exact answer.
    pub fn stop_checking(self) {
        if let Some(id) = self.inner.try_update_value(|inner| inner.checking.take()).flatten() {
            self.state.exact.set(Exact::None);
            self.send(&Command::Cancel { id });
        }
    }

    /// After a failure: starts over with whatever is missing, and keeps the pair.
    pub fn retry(self) {
        self.state.failure.set(None);
        if self.inner.with_value(|inner| inner.worker.is_none()) {
            self.start_worker();
        } else if self.state.loaded.with_untracked(Option::is_none) {
            self.load();
        } else {
            self.preview();
        }
    }

    fn start_worker(self) {
        self.state.activity.set(Activity::Starting);
        let started = Worker::start(move |event| self.hear(event), move |why| self.crashed(&why));
        match started {
            Ok(worker) => self.inner.update_value(|inner| inner.worker = Some(worker)),
            Err(why) => self.crashed(&why),
        }
    }

    /// The worker can do no more. It is not started again by itself, so that a crash that comes
    /// again does not go on for ever.
    fn crashed(self, why: &str) {
        self.inner.update_value(|inner| {
            let (last_id, figures) = (inner.last_id, inner.figures);
            *inner = Inner { last_id, figures, ..Inner::default() };
        });
        self.forget_unfinished_check();
        self.state.loaded.set(None);
        self.state.activity.set(Activity::NoModel);
        self.state.failure.set(Some(words::crashed(why)));
    }

    /// The exact answer will not come any more.
    fn forget_unfinished_check(self) {
        self.state.exact.update(|exact| {
            if matches!(exact, Exact::Running { .. }) {
                *exact = Exact::None;
            }
        });
    }

    /// Fields change letter by letter; the model reads them when they rest.
    fn wait_for_rest(self) {
        self.inner.update_value(|inner| {
            if let Some(resting) = inner.resting.take() {
                resting.clear();
            }
            inner.resting = set_timeout_with_handle(move || self.preview(), REST).ok();
        });
    }

    fn preview(self) {
        if self.state.loaded.with_untracked(Option::is_none) {
            return;
        }
        let id = self.next_id();
        self.inner.update_value(|inner| inner.previewing = Some(id));
        let (pair, metric) = (self.state.pair.get_untracked(), self.state.metric.get_untracked());
        self.send(&Command::Preview { id, pair, metric });
    }

    fn run(self) {
        let request = untrack(|| self.state.request());
        let id = self.next_id();
        // The worker gives up the exact answer to the last question by itself.
        self.inner.update_value(|inner| {
            inner.running = Some((id, request.clone()));
            inner.checking = None;
        });
        self.forget_unfinished_check();
        self.state.failure.set(None);
        self.busy(Stage::Running);
        self.send(&Command::Run { id, request });
    }

    fn switch(self) {
        let choice = self.state.choice.get_untracked();
        // What is loading is switched when it has come.
        if self.state.loaded.with_untracked(Option::is_none)
            || self.inner.with_value(|inner| inner.loading.is_none() && inner.chosen == choice)
        {
            return;
        }
        let id = self.next_id();
        self.inner.update_value(|inner| {
            inner.loading = Some((id, choice));
            inner.checking = None;
        });
        self.forget_unfinished_check();
        self.busy(Stage::Loading);
        self.send(&Command::Switch { id, choice });
    }

    fn hear(self, event: Event) {
        match event {
            Event::Ready => self.load(),
            Event::Progress { id, stage, done, total } => {
                if self.is_unfinished(id) {
                    self.state.activity.set(Activity::Busy { stage, done, total });
                } else if self.is_checking(id) {
                    self.state.exact.set(Exact::Running { done, total });
                }
            }
            Event::Loaded { id, loaded } => {
                let choice = self.inner.with_value(|inner| inner.loading);
                if self.finish(id) {
                    if let Some((_, choice)) = choice {
                        self.inner.update_value(|inner| inner.chosen = choice);
                    }
                    self.state.loaded.set(Some(loaded));
                    self.state.activity.set(Activity::Idle);
                    self.preview();
                    // It may have been chosen otherwise in the meantime.
                    self.switch();
                }
            }
            Event::Preview { id, preview } => {
                if self.finish(id) {
                    let is_good = preview.problems.is_empty();
                    self.state.preview.set(preview);
                    self.state.run_problems.set(Vec::new());
                    if is_good {
                        self.run();
                    } else {
                        self.cancel_run();
                    }
                }
            }
            Event::Figure { id, figure, device } if self.is_checking(id) => {
                self.inner.update_value(|inner| inner.checking = None);
                self.computed_on(device);
                self.state.exact.set(Exact::Here(Arc::from(figure)));
            }
            Event::Figure { id, figure, device } => {
                let running = self.inner.try_update_value(|inner| {
                    let running = inner.running.take_if(|(running, _)| *running == id);
                    inner.figures += u32::from(running.is_some());
                    running.map(|(_, request)| (request, inner.figures))
                });
                if let Some(Some((request, number))) = running {
                    let figure = Arc::from(figure);
                    self.state.shown.set(Some(Shown { request, figure, number }));
                    self.state.run_problems.set(Vec::new());
                    self.state.activity.set(Activity::Idle);
                    self.computed_on(device);
                    self.state.exact.set(Exact::None);
                    self.check();
                }
            }
            Event::Part { .. } | Event::Patterns { .. } => {}
            other @ (Event::Download { .. } | Event::Preflight { .. } | Event::Stored { .. }) => {
                self.hear_of_models(other);
            }
            Event::Failed { id, failure } => {
                if self.is_checking(id) {
                    self.inner.update_value(|inner| inner.checking = None);
                    self.state.exact.set(Exact::None);
                    if let Failure::Other(sentence) = failure {
                        self.state.failure.set(Some(sentence));
                    }
                } else if self.finish(id) {
                    self.failed(failure);
                }
            }
        }
    }

    /// The device may have changed by failing.
    fn computed_on(self, device: Device) {
        self.state.loaded.update(|loaded| {
            if let Some(loaded) = loaded {
                loaded.device = device;
            }
        });
    }

    fn failed(self, failure: Failure) {
        let has_model = self.state.loaded.with_untracked(Option::is_some);
        let rest = if has_model { Activity::Idle } else { Activity::NoModel };
        self.state.activity.set(rest);
        // What is chosen is what computes, also after a switch that came to nothing.
        if has_model && self.inner.with_value(|inner| inner.loading.is_none()) {
            self.state.choice.set(self.inner.with_value(|inner| inner.chosen));
        }
        match failure {
            Failure::Cancelled => {}
            Failure::Pair(problems) => self.state.run_problems.set(problems),
            Failure::Other(sentence) => self.state.failure.set(Some(sentence)),
        }
    }

    fn busy(self, stage: Stage) {
        self.state.activity.set(Activity::Busy { stage, done: 0, total: 0 });
    }

    fn is_unfinished(self, id: Id) -> bool {
        self.inner.with_value(|inner| {
            let running = inner.running.as_ref().map(|(id, _)| *id);
            let loading = inner.loading.map(|(id, _)| id);
            [loading, inner.previewing, running].contains(&Some(id))
        })
    }

    fn is_checking(self, id: Id) -> bool {
        self.inner.with_value(|inner| inner.checking == Some(id))
    }

    /// Whether `id` was waited for, which it is no longer.
    fn finish(self, id: Id) -> bool {
        let was_unfinished = self.is_unfinished(id);
        self.inner.update_value(|inner| {
            inner.loading.take_if(|(loading, _)| *loading == id);
            inner.previewing.take_if(|previewing| *previewing == id);
            inner.running.take_if(|(running, _)| *running == id);
        });
        was_unfinished
    }

    fn next_id(self) -> Id {
        let next = self.inner.try_update_value(|inner| {
            inner.last_id = inner.last_id.wrapping_add(1);
            inner.last_id
        });
        next.unwrap_or_default()
    }

    fn send(self, command: &Command) {
        let sent = self.inner.with_value(|inner| match &inner.worker {
            Some(worker) => worker.send(command),
            None => Ok(()),
        });
        if let Err(why) = sent {
            self.crashed(&why);
        }
    }
}
