//! Guided experiments: what is said, predicted and done, step by step.
//!
//! What is right is not written down here: [`outcome`] reads it off the figures that the loaded model
//! gives, so that a lesson says what happened, also when that is not what one expects.

mod outcome;
mod plan;
mod record;

use leptos::prelude::*;
use relp_model::{Direction, Method, Replace, Site};

pub use outcome::{Told, outcome};
pub use plan::{Deed, Kind, Lesson, Setting, Step};
pub use record::Seen;

use crate::comparison::Scores;
use crate::examples::EXAMPLES;
use crate::known::Exact;
use crate::state::{State, settle};

/// The lesson that is going on. Copies are handles to the same one.
#[derive(Clone, Copy)]
pub struct Course {
    /// The lesson, and its step from 0.
    pub at: RwSignal<Option<(Lesson, usize)>>,
    /// What was chosen in each step.
    pub chosen: RwSignal<Vec<Option<usize>>>,
    /// The steps whose prediction has been made.
    pub revealed: RwSignal<Vec<usize>>,
    /// What the model has shown of the lesson's pair so far.
    pub seen: RwSignal<Seen>,
}

impl Course {
    /// No lesson.
    pub fn new() -> Self {
        Self {
            at: RwSignal::new(None),
            chosen: RwSignal::new(Vec::new()),
            revealed: RwSignal::new(Vec::new()),
            seen: RwSignal::new(Seen::default()),
        }
    }

    /// The step that is shown.
    pub fn step(self) -> Option<&'static Step> {
        let (lesson, step) = self.at.get()?;
        lesson.steps().get(step)
    }

    /// What was chosen in a step.
    pub fn chosen_in(self, step: usize) -> Option<usize> {
        self.chosen.with(|chosen| chosen.get(step).copied().flatten())
    }

    /// Whether a step's prediction has been made.
    pub fn is_revealed(self, step: usize) -> bool {
        self.revealed.with(|revealed| revealed.contains(&step))
    }
}

impl Default for Course {
    fn default() -> Self {
        Self::new()
    }
}

/// Whether the answer is hidden, since it has to be predicted first.
pub fn concealed(state: State) -> bool {
    let course = state.course;
    let Some((_, at)) = course.at.get() else { return false };
    course.step().is_some_and(|step| match step.kind {
        Kind::Predict { .. } => !course.is_revealed(at),
        _ => false,
    })
}

/// Begins a lesson.
pub fn begin(state: State, lesson: Lesson) {
    let course = state.course;
    course.chosen.set(vec![None; lesson.steps().len()]);
    course.revealed.set(Vec::new());
    course.seen.set(Seen::default());
    state.pin.set(None);
    state.head.set(None);
    state.look.beside.set(None);
    state.look.percent.set(100);
    go(state, lesson, 0);
}

/// Goes to another step of the lesson. Fields and switches stay as the reader has left them, unless the step
/// has its own; going back has those with which the earlier step began.
pub fn go(state: State, lesson: Lesson, step: usize) {
    let before = state.course.at.get_untracked().map(|(_, step)| step);
    state.course.at.set(Some((lesson, step)));
    let from = if before.is_some_and(|before| before > step) { 0 } else { step };
    let passed = lesson.steps().get(from..=step).unwrap_or_default();
    if let Some(setting) = passed.iter().rev().find_map(|step| step.begin.as_ref()) {
        apply(state, setting);
    }
}

/// Leaves the lesson; fields and switches stay as they are.
pub fn leave(state: State) {
    state.course.at.set(None);
}

fn apply(state: State, setting: &Setting) {
    if let Some(index) = EXAMPLES.iter().position(|example| example.id == setting.example) {
        state.choose_example(index);
    }
    settle(state.method, setting.method);
    settle(state.rules, setting.rules);
    settle(state.direction, Direction::default());
    settle(state.replace, Replace::default());
    settle(state.head_site, Site::Z);
    settle(state.normalise, false);
    settle(state.batch, false);
    settle(state.of_pair, None);
    settle(state.scores, Scores::Method);
}

/// Keeps what the model shows of the lesson's pair.
pub fn watch(state: State) {
    Effect::new(move || {
        let course = state.course;
        let Some((lesson, _)) = course.at.get() else { return };
        let Some(pair) = lesson.pair() else { return };
        let Some(shown) = state.shown.get() else { return };
        if shown.request.pair != pair || !shown.figure.pairs.is_empty() {
            return;
        }
        let exact = match state.exact.get() {
            Exact::Here(exact) => Some(exact),
            _ if shown.figure.method == Method::Ap => Some(shown.figure.clone()),
            _ => None,
        };
        let patterns = state.patterns.get().filter(|_| state.head.get().is_some());
        course.seen.update(|seen| seen.add(shown.figure.clone(), exact, patterns));
    });
}

/// Whether what a step asks for is done.
pub fn is_done(state: State, deed: Deed) -> bool {
    state.course.seen.with(|seen| match deed {
        Deed::Pin => state.pin.get().is_some_and(|cell| seen.carries_half(cell)),
        Deed::ShowErrors => state.scores.get() == Scores::Error,
        Deed::OpenHead => {
            seen.mover().is_some_and(|(head, _)| state.head.get() == Some(head))
                && seen.patterns().is_some()
        }
        Deed::Method(method, rules) => seen.of(method, rules).is_some(),
    })
}
