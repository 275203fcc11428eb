//! What the page shows, as signals.

use std::sync::Arc;

use leptos::prelude::*;
use relp_model::{
    Choice, Device, Direction, Figure, Loaded, Method, Metric, PairText, Preview, Problem, Replace,
    Request, Rules, Site,
};
use relp_protocol::Stage;

use crate::examples::EXAMPLES;
use crate::models::Models;

/// The sites that the page asks for: a map of layers and positions each, and the heads.
pub const SITES: [Site; 4] = [Site::ResidPre, Site::Z, Site::AttnOut, Site::MlpOut];

/// Everything that the page shows. Copies are handles to the same signals.
#[derive(Clone, Copy)]
pub struct State {
    /// The prompts, answer and foil as they stand in the fields.
    pub pair: RwSignal<PairText>,
    /// The example that the pair is, if it is one.
    pub example: RwSignal<Option<usize>>,
    /// The method.
    pub method: RwSignal<Method>,
    /// The rules of RelP.
    pub rules: RwSignal<Rules>,
    /// The direction.
    pub direction: RwSignal<Direction>,
    /// What is put in the place of a component.
    pub replace: RwSignal<Replace>,
    /// The metric.
    pub metric: RwSignal<Metric>,
    /// Whether scores are normalised.
    pub normalise: RwSignal<bool>,
    /// Which executor is wanted.
    pub choice: RwSignal<Choice>,

    /// The choice of a model.
    pub models: Models,
    /// What is going on.
    pub activity: RwSignal<Activity>,
    /// What is loaded, onto what.
    pub loaded: RwSignal<Option<Loaded>>,
    /// The pair as the model sees it.
    pub preview: RwSignal<Preview>,
    /// Problems that only a run can find.
    pub run_problems: RwSignal<Vec<Problem>>,
    /// A failure, in a sentence.
    pub failure: RwSignal<Option<String>>,
    /// The last good figure.
    pub shown: RwSignal<Option<Shown>>,
    /// The exact answer to the same question.
    pub exact: RwSignal<Exact>,
    /// Which scores the maps show.
    pub scores: RwSignal<Scores>,
    /// The cell that is looked at: layer and position, in every map.
    pub cell: RwSignal<Option<(usize, usize)>>,
}

/// Exact activation patching for the figure that is shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Exact {
    /// Nobody has asked, or it was given up.
    #[default]
    None,
    /// It is on its way: parts done, and parts in all.
    Running {
        /// Parts done.
        done: usize,
        /// Parts in all; 0 if that is not known.
        total: usize,
    },
    /// It is here.
    Here(Arc<Figure>),
}

/// Which scores the maps show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scores {
    /// Those of the chosen method.
    #[default]
    Method,
    /// The exact ones.
    Exact,
    /// The method's less the exact ones.
    Error,
}

/// A figure, with the request that it answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// The request.
    pub request: Request,
    /// The figure.
    pub figure: Arc<Figure>,
    /// Counts the figures of this visit.
    pub number: u32,
}

/// What is going on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// The worker's program is fetched and started.
    Starting,
    /// There is no model, since loading failed or was cancelled.
    NoModel,
    /// Something takes its time; it can be cancelled.
    Busy {
        /// What.
        stage: Stage,
        /// Parts done.
        done: usize,
        /// Parts in all; 0 if that is not known.
        total: usize,
    },
    /// Nothing.
    Idle,
}

impl State {
    /// The page at its start: the first example, RelP.
    pub fn new() -> Self {
        let pair = EXAMPLES.first().map(crate::examples::Example::pair).unwrap_or_default();
        Self {
            pair: RwSignal::new(pair),
            example: RwSignal::new(Some(0)),
            method: RwSignal::new(Method::Relp),
            rules: RwSignal::new(Rules::RELP),
            direction: RwSignal::new(Direction::Denoise),
            replace: RwSignal::new(Replace::Source),
            metric: RwSignal::new(Metric::LogitDiff),
            normalise: RwSignal::new(false),
            choice: RwSignal::new(Choice::Auto),
            models: Models::new(),
            activity: RwSignal::new(Activity::Starting),
            loaded: RwSignal::new(None),
            preview: RwSignal::new(Preview::default()),
            run_problems: RwSignal::new(Vec::new()),
            failure: RwSignal::new(None),
            shown: RwSignal::new(None),
            exact: RwSignal::new(Exact::None),
            scores: RwSignal::new(Scores::Method),
            cell: RwSignal::new(None),
        }
    }

    /// What the fields and switches ask for.
    pub fn request(&self) -> Request {
        Request {
            pair: self.pair.get(),
            method: self.method.get(),
            rules: self.rules.get(),
            direction: self.direction.get(),
            replace: self.replace.get(),
            metric: self.metric.get(),
            sites: SITES.to_vec(),
            normalise: self.normalise.get(),
            ..Request::default()
        }
    }

    /// All that is wrong with the pair.
    pub fn problems(&self) -> Vec<Problem> {
        self.preview
            .with(|preview| preview.problems.clone())
            .into_iter()
            .chain(self.run_problems.get())
            .collect()
    }

    /// Whether the figure that is shown answers something else than the fields and switches ask.
    pub fn is_stale(&self) -> bool {
        let request = self.request();
        self.shown.with(|shown| shown.as_ref().is_some_and(|shown| shown.request != request))
    }

    /// What computes, if anything is loaded.
    pub fn device(&self) -> Option<Device> {
        self.loaded.with(|loaded| loaded.as_ref().map(|loaded| loaded.device.clone()))
    }
}

impl Default for State {
    fn default() -> Self {
        Self::new()
    }
}
