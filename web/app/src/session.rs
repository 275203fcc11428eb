//! The conversation with the engine: what is asked when, and what becomes of the answers.

mod address;
mod asides;
mod assist;
mod embedded;
mod first;
mod history;
mod models;
mod opening;
mod suggest;
mod survey;

use std::sync::Arc;
use std::time::Duration;

use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;
use relp_model::{Choice, Device, Figure, Request, Site};
use relp_protocol::{Command, Event, Failure, Id, ModelSource, Stage};
use wasm_bindgen::JsValue;

use crate::comparison::{self, Scores};
use crate::examples::EXAMPLES;
use crate::figure_file;
use crate::known::{Exact, Known};
use crate::state::{Activity, Consent, One, Origin, Shown, State};
use crate::words;
use crate::worker::Worker;

pub use address::link_of;
pub use embedded::follow_height;

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
    /// Whether the worker has begun by itself, with what nobody has asked for yet.
    begun: bool,
    last_id: Id,
    /// Unfinished commands of each kind; answers to others are late and dropped.
    loading: Option<(Id, Choice)>,
    previewing: Option<Id>,
    running: Option<(Id, Request)>,
    /// Of the exact answer to the figure that is shown.
    checking: Option<Id>,
    /// Of one cell's exact scores.
    one: Option<(Id, (usize, usize))>,
    /// Of the attention patterns of a layer.
    patterns: Option<(Id, usize)>,
    /// Of what could stand in the place of a token.
    similar: Option<Id>,
    /// Of how the model does on an example.
    survey: Option<(Id, usize)>,
    /// Whether the exact answer is to be asked for again when the two are there.
    resume: bool,
    /// Whether the loaded model has not been asked how long the examples are.
    unmeasured: bool,
    /// Previews that only tell how long an example is.
    measuring: Vec<(Id, usize)>,
    /// The choice that what is loaded answers.
    chosen: Choice,
    /// The model to load after a failure.
    wanted: Option<ModelSource>,
    /// The files that the person has chosen last, which a new worker has to be given again.
    files: Option<JsValue>,
    /// Of the question what a model would take.
    preflight: Option<Id>,
    /// Of questions about what this browser keeps.
    keeping: Vec<Id>,
    /// Whether the next run is wanted although its answer is shown, since something else computes.
    anew: bool,
    resting: Option<TimeoutHandle>,
    figures: u32,
}

impl Session {
    /// Starts the engine, loads the bundled model, and from then on answers every change of the
    /// fields and switches.
    pub fn start(state: State) -> Self {
        let session = Self { state, inner: StoredValue::new_local(Inner::default()) };
        session.follow_address();
        session.show_first();
        if state.consent.get_untracked() == Consent::Given {
            session.start_worker();
        } else {
            session.embed();
        }
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

    /// Gives up the run that is going on, and does not wait for its end.
    fn forget_run(self) {
        self.cancel_run();
        let was_idle = self
            .inner
            .try_update_value(|inner| inner.running.take().is_none() || inner.loading.is_some());
        if was_idle == Some(false) {
            self.state.activity.set(Activity::Idle);
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
            Ok(worker) => self.inner.update_value(|inner| {
                inner.begun = worker.has_begun;
                inner.worker = Some(worker);
            }),
            Err(why) => self.crashed(&why),
        }
    }

    /// The worker can do no more. It is not started again by itself, so that a crash that comes
    /// again does not go on for ever.
    fn crashed(self, why: &str) {
        self.inner.update_value(|inner| {
            let Inner { last_id, figures, wanted, files, .. } = std::mem::take(inner);
            *inner = Inner { last_id, figures, wanted, files, ..Inner::default() };
        });
        self.forget_asides();
        self.state.editing.set(None);
        self.state.loaded.set(None);
        self.state.models.download.set(None);
        self.state.activity.set(Activity::NoModel);
        self.state.failure.set(Some(words::crashed(why)));
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

    /// Whether the figure that comes with the page says already how the fields are read.
    fn is_read(self) -> bool {
        let asked = untrack(|| self.state.request());
        self.state.shown.with_untracked(|shown| {
            let beforehand = shown.as_ref().filter(|s| s.origin == Some(Origin::Beforehand));
            beforehand.is_some_and(|shown| {
                shown.asked == asked && untrack(|| self.state.is_of_loaded(&shown.figure))
            })
        })
    }

    fn run(self) {
        let request = untrack(|| self.state.request());
        let id = self.next_id();
        // The worker gives up what else it runs by itself.
        self.inner.update_value(|inner| inner.running = Some((id, request.clone())));
        self.forget_asides();
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
        self.forget_run();
        self.forget_asides();
        self.inner.update_value(|inner| inner.loading = Some((id, choice)));
        self.busy(Stage::Loading);
        self.send(&Command::Switch { id, choice });
    }

    fn hear(self, event: Event) {
        match event {
            Event::Ready if self.state.consent.get_untracked() == Consent::Given => self.load(),
            Event::Ready => self.state.activity.set(Activity::NoModel),
            Event::Threads { channel } => self.inner.update_value(|inner| {
                if let Some(worker) = &mut inner.worker {
                    worker.listen(&channel, move |why| self.crashed(&why));
                }
            }),
            Event::Progress { id, stage, done, total } => {
                let downloading = self.state.models.download.with_untracked(Option::is_some);
                if stage == Stage::Loading && downloading {
                    // Weights are loaded as they come; what comes is what is told.
                } else if self.is_unfinished(id) {
                    self.state.activity.set(Activity::Busy { stage, done, total });
                } else if self.is_checking(id) {
                    self.state.checked.set((done, total));
                }
            }
            Event::Loaded { id, loaded, memory } => {
                let choice = self.inner.with_value(|inner| inner.loading);
                if self.finish(id) {
                    if let Some((_, choice)) = choice {
                        self.inner.update_value(|inner| {
                            inner.chosen = choice;
                            inner.anew = true;
                        });
                    }
                    self.state.memory.set(memory);
                    self.state.models.download.set(None);
                    self.state.loaded.set(Some(loaded));
                    self.state.activity.set(Activity::Idle);
                    self.inner.update_value(|inner| inner.unmeasured = true);
                    self.forget_surveys();
                    if self.is_read() {
                        self.inner.update_value(|inner| inner.anew = false);
                        self.run();
                    } else {
                        self.preview();
                    }
                    // It may have been chosen otherwise in the meantime.
                    self.switch();
                }
            }
            Event::Preview { id, preview } => {
                if let Some(example) = self.measured(id) {
                    let known = preview.problems.is_empty().then_some(preview.clean.len());
                    self.state.lengths.update(|lengths| {
                        if let Some(length) = lengths.get_mut(example) {
                            *length = known;
                        }
                    });
                } else if self.finish(id) {
                    let is_good = preview.problems.is_empty();
                    self.state.preview.set(preview);
                    self.state.run_problems.set(Vec::new());
                    if is_good && self.is_answered() {
                        self.cancel_run();
                    } else if is_good {
                        // What it has to tell comes before anything else is asked.
                        return self.run();
                    } else {
                        self.cancel_run();
                    }
                    self.measure();
                }
            }
            Event::Part { id, part } => {
                if self.is_checking(id) {
                    let missing = Arc::new(part.missing);
                    let part = Known { figure: Arc::new(part.figure), missing };
                    self.state.exact.update(|exact| exact.add(part));
                }
            }
            Event::Patterns { id, patterns } => self.hear_patterns(id, patterns),
            Event::Similar { id, tokens } => self.hear_similar(id, tokens),
            Event::Survey { id, survey } => self.hear_survey(id, survey),
            Event::Figure { id, figure, device } => {
                let figure: Arc<Figure> = Arc::from(figure);
                let running = self.inner.try_update_value(|inner| {
                    inner.running.take_if(|(running, _)| *running == id).map(|(_, request)| request)
                });
                if self.is_aside(id) {
                    self.computed_on(device);
                    self.hear_exact(id, figure);
                } else if let Some(request) = running.flatten() {
                    self.computed_on(device);
                    self.state.run_problems.set(Vec::new());
                    self.state.activity.set(Activity::Idle);
                    self.show(request.clone(), request, figure, None);
                    self.measure();
                    self.look_at_open_head();
                    self.check();
                    self.survey_if_checked();
                }
            }
            other @ (Event::Download { .. } | Event::Preflight { .. } | Event::Stored { .. }) => {
                self.hear_of_models(other);
            }
            Event::Failed { id, failure } => {
                if self.is_aside(id) {
                    self.aside_failed(id, failure);
                } else if self.survey_failed(id, &failure) || self.similar_failed(id) {
                    // There is nothing to say of it.
                } else if self.is_about_models(id) {
                    self.models_failed(id, failure);
                } else if self.finish(id) {
                    self.failed(failure);
                    self.measure();
                }
            }
        }
    }

    /// Shows a figure.
    fn show(self, request: Request, asked: Request, figure: Arc<Figure>, origin: Option<Origin>) {
        let last = self.state.shown.get_untracked().map(|shown| shown.figure);
        let comparable = |before: &Arc<Figure>| comparison::incomparable(&figure, before).is_none();
        // The same way once more, as on another device, keeps what there was to compare with.
        if let Some(last) = last
            && !(comparable(&last) && comparison::is_same_way(&figure, &last))
        {
            self.state.before.set(Some(last));
        }
        let number = self.inner.try_update_value(|inner| {
            inner.figures += 1;
            inner.figures
        });
        self.state.exact.set(Exact::default());
        self.state.one.set(One::None);
        // Another model may have fewer heads, and maps of another extent have other cells.
        let config = &figure.model.config;
        let outside = |(layer, head)| layer >= config.n_layer || head >= config.n_head;
        if self.state.head.get_untracked().is_some_and(outside) {
            self.state.head.set(None);
        }
        for cell in [self.state.pin, self.state.cell] {
            let outside = |cell| comparison::rows(&figure, None, cell).is_empty();
            if cell.get_untracked().is_some_and(outside) {
                cell.set(None);
            }
        }
        let is_there = |cell: &_| !comparison::rows(&figure, None, *cell).is_empty();
        if !self.state.kept.with_untracked(|kept| kept.iter().all(is_there)) {
            self.state.kept.update(|kept| kept.retain(is_there));
        }
        let pairs = figure.pairs.len();
        if self.state.of_pair.get_untracked().is_some_and(|pair| pair >= pairs) {
            self.state.of_pair.set(None);
        }
        let number = number.unwrap_or_default();
        if origin.is_none() {
            self.remember(number, &figure);
        }
        self.state.shown.set(Some(Shown { request, asked, figure, number, origin }));
    }

    /// Shows a figure that was not computed just now, with its settings, and asks the engine nothing of it.
    pub fn open(self, figure: Arc<Figure>, origin: Origin) {
        self.forget_run();
        self.forget_asides();
        let request = figure_file::request(&figure);
        let state = self.state;
        state.failure.set(None);
        state.run_problems.set(Vec::new());
        state.example.set(None);
        state.batch.set(false);
        state.head.set(None);
        state.scores.set(Scores::Method);
        state.method.set(request.method);
        state.rules.set(request.rules);
        state.direction.set(request.direction);
        state.replace.set(request.replace);
        state.metric.set(request.metric);
        state.normalise.set(request.normalise);
        state.neurons.set(request.sites.contains(&Site::Post));
        if let Some(site) = comparison::heads_of(&figure, state.head_site.get_untracked()) {
            state.head_site.set(site);
        }
        state.pair.set(request.pair.clone());
        let asked = untrack(|| state.request());
        self.show(request, asked, figure, Some(origin));
        self.wait_for_rest();
    }

    /// Computes what the fields and switches ask, also in place of a figure from a file.
    pub fn compute_anew(self) {
        self.state.shown.update(|shown| {
            if let Some(shown) = shown {
                shown.origin = None;
            }
        });
        self.inner.update_value(|inner| inner.anew = true);
        self.preview();
    }

    /// Whether what is shown answers what the fields ask now: if it was read from a file, or asked for
    /// more sites.
    fn is_answered(self) -> bool {
        let asked = untrack(|| self.state.request());
        let anew = self.inner.try_update_value(|inner| std::mem::take(&mut inner.anew));
        let answered = self.state.shown.with_untracked(|shown| {
            let Some(shown) = shown else { return false };
            let narrower = asked.sites.len() < shown.asked.sites.len()
                && asked.sites.iter().all(|site| shown.asked.sites.contains(site))
                && Request { sites: asked.sites.clone(), ..shown.asked.clone() } == asked;
            let is_replaced = shown.origin == Some(Origin::Beforehand);
            !is_replaced && (narrower || shown.origin.is_some() && shown.asked == asked)
        });
        let (is_old, is_of_another) = self.state.shown.with_untracked(|shown| {
            shown.as_ref().map_or((false, false), |shown| {
                let is_of_loaded = untrack(|| self.state.is_of_loaded(&shown.figure));
                (shown.origin.is_some(), !is_of_loaded)
            })
        });
        if !answered || !is_old && (anew == Some(true) || is_of_another) {
            return false;
        }
        self.state.shown.update(|shown| {
            if let Some(shown) = shown {
                shown.asked = asked;
            }
        });
        true
    }

    /// Asks how long the examples are, which tells which of them can be averaged: once a model, and after
    /// what somebody waits for.
    fn measure(self) {
        let due = self.inner.try_update_value(|inner| std::mem::take(&mut inner.unmeasured));
        if due != Some(true) {
            return;
        }
        for (index, example) in EXAMPLES.iter().enumerate() {
            let id = self.next_id();
            self.inner.update_value(|inner| inner.measuring.push((id, index)));
            let metric = self.state.metric.get_untracked();
            self.send(&Command::Preview { id, pair: example.pair(), metric });
        }
    }

    /// The example that a preview was to measure.
    fn measured(self, id: Id) -> Option<usize> {
        let found = self.inner.try_update_value(|inner| {
            let place = inner.measuring.iter().position(|(other, _)| *other == id)?;
            Some(inner.measuring.swap_remove(place).1)
        });
        found.flatten()
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
        self.state.models.download.set(None);
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
