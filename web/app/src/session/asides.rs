//! What is asked beside the figure: the exact answer, one cell of it, and attention patterns.
//!
//! The worker works on one command at a time, so the long exact sweep gives way to the short ones and is
//! asked for again after them.

use std::sync::Arc;

use leptos::prelude::*;
use relp_model::{Cell, Figure, Method, Neuron, PairText, Patterns, Request, Site};
use relp_protocol::{Command, Failure, Id};

use super::Session;
use crate::known::Exact;
use crate::state::{One, Shown};

impl Session {
    /// Asks for the exact answer to the figure that is shown.
    pub fn check(self) {
        let Some(Shown { request, figure, .. }) = self.state.shown.get_untracked() else {
            return;
        };
        match figure.method {
            Method::Ap => return self.state.exact.set(Exact::Here(figure)),
            // It estimates no patching.
            Method::GradXInput => return,
            _ if untrack(|| self.state.not_here()).is_some() => return,
            _ => {}
        }
        self.state.exact.update(|exact| *exact = Exact::Running(exact.known()));
        let waits = self.inner.with_value(|inner| {
            inner.one.is_some() || inner.patterns.is_some() || inner.similar.is_some()
        });
        if waits {
            return self.inner.update_value(|inner| inner.resume = true);
        }
        let id = self.next_id();
        self.inner.update_value(|inner| inner.checking = Some(id));
        self.state.checked.set((0, 0));
        self.send(&Command::Run { id, request: exact_request(&request, &figure) });
    }

    /// Gives up the exact answer.
    pub fn stop_checking(self) {
        self.inner.update_value(|inner| inner.resume = false);
        self.pause_checking(false);
        self.state.exact.update(Exact::stop);
    }

    /// Stops the sweep that is under way, perhaps to go on later.
    pub(super) fn pause_checking(self, resume: bool) {
        if let Some(id) = self.inner.try_update_value(|inner| inner.checking.take()).flatten() {
            self.inner.update_value(|inner| inner.resume = resume);
            self.send(&Command::Cancel { id });
        }
    }

    /// Pins a cell. If its exact scores are not there yet, they are computed at once.
    pub fn pin(self, cell: (usize, usize)) {
        self.state.pin.set(Some(cell));
        let Some(Shown { request, figure, .. }) = self.state.shown.get_untracked() else { return };
        let known = untrack(|| self.state.exact_of(cell));
        let (layer, position) = cell;
        let there = known.is_some_and(|known| {
            let sites = figure.maps.keys();
            sites.copied().all(|site| known.has(site, layer, position))
        });
        let has_exact = !matches!(figure.method, Method::Ap | Method::GradXInput);
        let is_busy = self.inner.with_value(|inner| inner.running.is_some());
        if there || !has_exact || is_busy || untrack(|| self.state.not_here()).is_some() {
            return;
        }
        self.pause_checking(true);
        let id = self.next_id();
        self.inner.update_value(|inner| inner.one = Some((id, cell)));
        self.state.one.set(One::Running);
        let exact = exact_request(&request, &figure);
        let request = Request { cell: Some(Cell { layer, position }), ..exact };
        self.send(&Command::Run { id, request });
    }

    /// Opens a head, and asks for its attention patterns.
    pub fn open_head(self, head: (usize, usize)) {
        self.state.head_opened.set(true);
        self.state.head.set(Some(head));
        self.look_at_open_head();
    }

    /// Asks for the patterns of the head that is open, if there is one.
    pub fn look_at_open_head(self) {
        let Some((layer, _)) = self.state.head.get_untracked() else { return };
        self.state.patterns.set(None);
        let Some(Shown { request, .. }) = self.state.shown.get_untracked() else { return };
        if untrack(|| self.state.not_here()).is_some() {
            return;
        }
        self.pause_checking(true);
        let id = self.next_id();
        self.inner.update_value(|inner| inner.patterns = Some((id, layer)));
        let at = self.state.of_pair.get_untracked().unwrap_or(0);
        let pair: PairText = request.batch.get(at).unwrap_or(&request.pair).clone();
        self.send(&Command::Patterns { id, pair, layer });
    }

    pub(super) fn hear_patterns(self, id: Id, patterns: Patterns) {
        let wanted = self.inner.try_update_value(|inner| {
            inner.patterns.take_if(|(patterns, _)| *patterns == id).is_some()
        });
        if wanted == Some(true) {
            self.state.patterns.set(Some(Arc::new(patterns)));
            self.resume_checking();
        }
    }

    /// An exact figure: of everything, or of one cell.
    pub(super) fn hear_exact(self, id: Id, figure: Arc<Figure>) {
        let one = self.inner.try_update_value(|inner| inner.one.take_if(|(one, _)| *one == id));
        if let Some(Some((_, cell))) = one {
            self.state.one.set(One::Here(cell, figure));
            self.resume_checking();
        } else {
            self.inner.update_value(|inner| inner.checking = None);
            self.state.exact.set(Exact::Here(figure));
            self.survey();
        }
    }

    pub(super) fn aside_failed(self, id: Id, failure: Failure) {
        self.inner.update_value(|inner| {
            inner.one.take_if(|(one, _)| *one == id);
            inner.patterns.take_if(|(patterns, _)| *patterns == id);
        });
        if self.is_checking(id) {
            self.inner.update_value(|inner| inner.checking = None);
            self.state.exact.update(Exact::stop);
        }
        if self.state.one.with_untracked(|one| *one == One::Running)
            && self.inner.with_value(|inner| inner.one.is_none())
        {
            self.state.one.set(One::None);
        }
        let sentence = match failure {
            Failure::Other(sentence) => Some(sentence),
            Failure::Pair(problems) => problems.first().map(ToString::to_string),
            Failure::Cancelled => None,
        };
        if sentence.is_some() {
            self.state.failure.set(sentence);
        }
        self.resume_checking();
    }

    /// Goes on with the exact answer, if it gave way and nothing stands in its way any more.
    pub(super) fn resume_checking(self) {
        let now = self.inner.try_update_value(|inner| {
            let free = inner.one.is_none() && inner.patterns.is_none() && inner.running.is_none();
            free && inner.similar.is_none() && std::mem::take(&mut inner.resume)
        });
        if now == Some(true) {
            self.check();
        } else {
            self.survey_if_checked();
        }
    }

    /// Gives all of them up.
    pub(super) fn forget_asides(self) {
        let under_way = self.inner.try_update_value(|inner| {
            inner.resume = false;
            let one = inner.one.take().map(|(id, _)| id);
            let patterns = inner.patterns.take().map(|(id, _)| id);
            [inner.checking.take(), one, patterns]
        });
        for id in under_way.into_iter().flatten().flatten() {
            self.send(&Command::Cancel { id });
        }
        self.state.exact.update(Exact::stop);
        self.state.one.update(|one| {
            if *one == One::Running {
                *one = One::None;
            }
        });
    }

    pub(super) fn is_checking(self, id: Id) -> bool {
        self.inner.with_value(|inner| inner.checking == Some(id))
    }

    pub(super) fn is_aside(self, id: Id) -> bool {
        self.inner.with_value(|inner| {
            inner.checking == Some(id)
                || inner.one.is_some_and(|(one, _)| one == id)
                || inner.patterns.is_some_and(|(patterns, _)| patterns == id)
        })
    }
}

/// The request of the exact answer to a figure: of the neurons that the figure names.
fn exact_request(request: &Request, figure: &Figure) -> Request {
    let neurons = figure.maps.get(&Site::Post).and_then(|map| map.neurons.clone());
    let neurons: Vec<Neuron> = neurons.unwrap_or_default();
    Request { method: Method::Ap, neurons, ..request.clone() }
}
