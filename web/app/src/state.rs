//! What the page shows, as signals.

use std::sync::Arc;

use leptos::prelude::*;
use relp_model::{
    Choice, Device, Direction, Figure, Loaded, Method, Metric, ModelInfo, PairText, Patterns,
    Preview, Problem, Prompt, Replace, Request, Rules, Site,
};
use relp_protocol::Stage;

use crate::comparison::{self, Drawn, Scores};
use crate::editing::{self, Editing};
use crate::embedding::Embedding;
use crate::examples::{self, EXAMPLES, Surveyed};
use crate::known::{Exact, Known};
use crate::lessons::Course;
use crate::locale::{self, Language, t};
use crate::look::Look;
use crate::models::Models;
use crate::tour::Tour;

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
    /// Which site of the heads is wanted.
    pub head_site: RwSignal<Site>,
    /// Whether neurons are wanted.
    pub neurons: RwSignal<bool>,
    /// Whether the mean over the task's pairs is wanted.
    pub batch: RwSignal<bool>,
    /// Which executor is wanted.
    pub choice: RwSignal<Choice>,

    /// How the page is in somebody else's, if it is.
    pub embedding: StoredValue<Option<Embedding>>,
    /// What the reader has agreed to.
    pub consent: RwSignal<Consent>,
    /// The lesson that is going on.
    pub course: Course,
    /// The tour of the page.
    pub tour: Tour,
    /// The language of the page's words.
    pub language: RwSignal<Language>,
    /// How figures are looked at.
    pub look: Look,
    /// The figures that were computed in this visit, by their number, oldest first.
    pub history: RwSignal<Vec<(u32, Arc<Figure>)>>,
    /// The choice of a model.
    pub models: Models,
    /// What is going on.
    pub activity: RwSignal<Activity>,
    /// Bytes of the worker's memory when the model had been loaded.
    pub memory: RwSignal<usize>,
    /// What is loaded, onto what.
    pub loaded: RwSignal<Option<Loaded>>,
    /// The pair as the model sees it.
    pub preview: RwSignal<Preview>,
    /// Problems that only a run can find.
    pub run_problems: RwSignal<Vec<Problem>>,
    /// Something to be known of the page, in a sentence.
    pub notice: RwSignal<Option<String>>,
    /// The model that a link named and nobody has loaded.
    pub linked_model: RwSignal<Option<String>>,
    /// A failure, in a sentence.
    pub failure: RwSignal<Option<String>>,
    /// How many tokens each example has; none before the model has read them.
    pub lengths: RwSignal<Vec<Option<usize>>>,
    /// How the loaded model does on each example.
    pub surveys: RwSignal<Vec<Surveyed>>,
    /// Whether the list of tasks is open.
    pub tasks_open: RwSignal<bool>,
    /// The token that is edited in place.
    pub editing: RwSignal<Option<Editing>>,
    /// The last good figure.
    pub shown: RwSignal<Option<Shown>>,
    /// The figure before it that was made in another way.
    pub before: RwSignal<Option<Arc<Figure>>>,
    /// The exact answer to the same question.
    pub exact: RwSignal<Exact>,
    /// How far the exact answer is: parts done, and parts in all, 0 if that is not known.
    pub checked: RwSignal<(u64, u64)>,
    /// Which scores the maps show.
    pub scores: RwSignal<Scores>,
    /// Which pair of a mean is looked at; else the mean.
    pub of_pair: RwSignal<Option<usize>>,
    /// The cell that is looked at: layer and position, in every map.
    pub cell: RwSignal<Option<(usize, usize)>>,
    /// The cell that stays when one looks elsewhere.
    pub pin: RwSignal<Option<(usize, usize)>>,
    /// The cells that are kept to be compared, in the order of keeping.
    pub kept: RwSignal<Vec<(usize, usize)>>,
    /// The exact scores of one cell that was patched by itself.
    pub one: RwSignal<One>,
    /// The head that is open: layer and head.
    pub head: RwSignal<Option<(usize, usize)>>,
    /// Whether it was opened just now, so that the focus goes there.
    pub head_opened: RwSignal<bool>,
    /// The attention patterns of its layer.
    pub patterns: RwSignal<Option<Arc<Patterns>>>,
}

/// The exact scores of one cell.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum One {
    /// Nobody has asked.
    #[default]
    None,
    /// They are on their way.
    Running,
    /// They are here: the cell, and the figure, which says nothing of other cells.
    Here((usize, usize), Arc<Figure>),
}

/// A figure, with the request that it answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// The request.
    pub request: Request,
    /// What fields and switches asked for when it came.
    pub asked: Request,
    /// The figure.
    pub figure: Arc<Figure>,
    /// Counts the figures of this visit.
    pub number: u32,
    /// Where it is from, if it was not computed just now.
    pub origin: Option<Origin>,
}

/// Where a figure is from that was not computed just now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It came with the page, to be replaced as soon as the engine has computed it.
    Beforehand,
    /// A file of this name.
    File(String),
    /// It was the figure of this number.
    Earlier(u32),
    /// The page that this one is in has sent it.
    Around,
}

/// What the reader of somebody else's page is asked, one after the other; by itself the page asks nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// Whether the engine may be fetched.
    Engine,
    /// Whether a model's weights may be.
    Weights,
    /// Nothing more.
    Given,
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
        done: u64,
        /// Parts in all; 0 if that is not known.
        total: u64,
    },
    /// Nothing.
    Idle,
}

impl State {
    /// The page at its start: the first example, RelP.
    pub fn new(embedding: Option<Embedding>) -> Self {
        let pair = EXAMPLES.first().map(examples::Example::pair).unwrap_or_default();
        let consent = if embedding.is_some() { Consent::Engine } else { Consent::Given };
        let activity = if embedding.is_some() { Activity::NoModel } else { Activity::Starting };
        Self {
            pair: RwSignal::new(pair),
            example: RwSignal::new(Some(0)),
            method: RwSignal::new(Method::Relp),
            rules: RwSignal::new(Rules::RELP),
            direction: RwSignal::new(Direction::Denoise),
            replace: RwSignal::new(Replace::Source),
            metric: RwSignal::new(Metric::LogitDiff),
            normalise: RwSignal::new(false),
            head_site: RwSignal::new(Site::Z),
            neurons: RwSignal::new(false),
            batch: RwSignal::new(false),
            choice: RwSignal::new(Choice::Auto),
            embedding: StoredValue::new(embedding),
            consent: RwSignal::new(consent),
            course: Course::new(),
            tour: Tour::new(),
            language: RwSignal::new(locale::spoken()),
            look: Look::new(),
            history: RwSignal::new(Vec::new()),
            models: Models::new(),
            activity: RwSignal::new(activity),
            memory: RwSignal::new(0),
            loaded: RwSignal::new(None),
            preview: RwSignal::new(Preview::default()),
            run_problems: RwSignal::new(Vec::new()),
            notice: RwSignal::new(None),
            linked_model: RwSignal::new(None),
            failure: RwSignal::new(None),
            lengths: RwSignal::new(vec![None; EXAMPLES.len()]),
            surveys: RwSignal::new(vec![Surveyed::Unknown; EXAMPLES.len()]),
            tasks_open: RwSignal::new(false),
            editing: RwSignal::new(None),
            shown: RwSignal::new(None),
            before: RwSignal::new(None),
            exact: RwSignal::new(Exact::default()),
            checked: RwSignal::new((0, 0)),
            scores: RwSignal::new(Scores::Method),
            of_pair: RwSignal::new(None),
            cell: RwSignal::new(None),
            pin: RwSignal::new(None),
            kept: RwSignal::new(Vec::new()),
            one: RwSignal::new(One::None),
            head: RwSignal::new(None),
            head_opened: RwSignal::new(false),
            patterns: RwSignal::new(None),
        }
    }

    /// What the fields and switches ask for.
    pub fn request(&self) -> Request {
        let mut sites = Site::PAPER.to_vec();
        sites.push(self.head_site.get());
        if self.neurons.get() {
            sites.push(Site::Post);
        }
        Request {
            pair: self.pair.get(),
            batch: if self.batch.get() { self.mates() } else { Vec::new() },
            method: self.method.get(),
            rules: self.rules.get(),
            direction: self.direction.get(),
            replace: self.replace.get(),
            metric: self.metric.get(),
            sites,
            normalise: self.normalise.get(),
            ..Request::default()
        }
    }

    /// Chooses an example, with the metric that it is meant for.
    pub fn choose_example(&self, index: usize) {
        if let Some(example) = EXAMPLES.get(index) {
            settle(self.example, Some(index));
            settle(self.metric, example.metric);
            settle(self.pair, example.pair());
        }
    }

    /// The figure before, if the change from it to this one can be shown.
    pub fn comparable_before(&self, figure: &Figure) -> Option<Arc<Figure>> {
        let before = self.before.get()?;
        comparison::incomparable(figure, &before).is_none().then_some(before)
    }

    /// What the maps draw of a figure, or of that one of its pairs that is looked at.
    pub fn drawn(&self, whole: &Arc<Figure>) -> Drawn {
        let (scores, of_pair) = (self.scores.get(), self.of_pair.get());
        // The maps change when the exact answer comes only if they show something of it.
        let exact = match scores {
            Scores::Exact | Scores::Error => self.exact.with(Exact::known),
            Scores::Method | Scores::Change => None,
        };
        let exact = exact.map(|known| known.of_pair(of_pair));
        let before = if scores == Scores::Change { self.comparable_before(whole) } else { None };
        let before = before.map(|before| comparison::of_pair(&before, of_pair));
        comparison::drawn(&comparison::of_pair(whole, of_pair), exact, before, scores)
    }

    /// The pairs of the chosen example's task that have its length, itself first; none if it is alone.
    pub fn mates(&self) -> Vec<PairText> {
        let Some(chosen) = self.example.get() else { return Vec::new() };
        let bos = self.pair.with(|pair| pair.bos);
        let mates = self.lengths.with(|lengths| examples::mates(chosen, lengths));
        let pair =
            |index: usize| EXAMPLES.get(index).map(|example| PairText { bos, ..example.pair() });
        mates.into_iter().filter_map(pair).collect()
    }

    /// What is known of the exact scores of a cell: those of the sweep, or those of the cell by itself.
    pub fn exact_of(&self, cell: (usize, usize)) -> Option<Known> {
        let exact = self.exact.get();
        match (exact, self.one.get()) {
            (Exact::Here(figure), _) => Some(Known::whole(figure)),
            (_, One::Here(of, figure)) if of == cell => Some(Known::whole(figure)),
            (exact, _) => exact.known(),
        }
    }

    /// Why nothing more can be computed of the figure that is shown; `None` if it can.
    pub fn not_here(&self) -> Option<String> {
        let shown = self.shown.get()?;
        let figure = &shown.figure;
        if shown.origin == Some(Origin::Beforehand) {
            return Some(t!("not-here-yet"));
        }
        if !self.is_of_loaded(figure) {
            return Some(t!("not-here-another-model"));
        }
        shown.origin.as_ref()?;
        let reads = self.preview.with(|preview| {
            preview.clean == figure.tokens.clean && preview.corrupted == figure.tokens.corrupted
        });
        let alone = figure.pairs.is_empty();
        (!reads || !alone).then(|| t!("not-here-other-tokens"))
    }

    /// A prompt with another text in the place of one of its tokens, if that can be.
    pub fn with_token(&self, prompt: Prompt, position: usize, text: &str) -> Option<String> {
        let pair = self.pair.get();
        let preview = self.preview.get();
        let (tokens, whole) = match prompt {
            Prompt::Clean => (preview.clean, pair.clean),
            Prompt::Corrupted => (preview.corrupted, pair.corrupted),
        };
        editing::replaced(&tokens, pair.bos, &whole, position, text)
    }

    /// The sum of the layers at each position of the site that colours the tokens; none if what is shown
    /// is not of the tokens that stand in the fields.
    pub fn token_sums(&self) -> Option<Vec<f32>> {
        let site = self.look.tokens_by.get();
        self.shown.with(|shown| {
            let figure = &shown.as_ref()?.figure;
            let same = self.preview.with(|preview| {
                preview.clean == figure.tokens.clean && preview.corrupted == figure.tokens.corrupted
            });
            let map = figure.maps.get(&site).filter(|_| same)?;
            Some(comparison::by_position(map))
        })
    }

    /// The cell with the largest score of a position, of the site that colours the tokens.
    pub fn largest_at(&self, position: usize) -> Option<(usize, usize)> {
        let site = self.look.tokens_by.get_untracked();
        self.shown.with_untracked(|shown| {
            let map = shown.as_ref()?.figure.maps.get(&site)?;
            comparison::largest_layer(map, position).map(|layer| (layer, position))
        })
    }

    /// All that is wrong with the pair.
    pub fn problems(&self) -> Vec<Problem> {
        self.preview
            .with(|preview| preview.problems.clone())
            .into_iter()
            .chain(self.run_problems.get())
            .collect()
    }

    /// Whether a figure is of the model that is loaded, with its weights kept as they are here.
    pub fn is_of_loaded(&self, figure: &Figure) -> bool {
        let of = |model: &ModelInfo| (model.sha256.clone(), model.weights);
        self.loaded.with(|loaded| {
            loaded.as_ref().is_some_and(|loaded| of(&loaded.model) == of(&figure.model))
        })
    }

    /// Whether the figure that is shown answers something else than the fields and switches ask of the
    /// model that is loaded. One from a file is of its own model.
    pub fn is_stale(&self) -> bool {
        let request = self.request();
        let has_model = self.loaded.with(Option::is_some);
        self.shown.with(|shown| {
            shown.as_ref().is_some_and(|Shown { asked, figure, origin, .. }| {
                *asked != request || origin.is_none() && has_model && !self.is_of_loaded(figure)
            })
        })
    }

    /// What computes, if anything is loaded.
    pub fn device(&self) -> Option<Device> {
        self.loaded.with(|loaded| loaded.as_ref().map(|loaded| loaded.device.clone()))
    }
}

/// Sets a signal to a value that it does not have yet, so that nothing follows from what is as it was.
pub fn settle<T: PartialEq + Send + Sync + 'static>(signal: RwSignal<T>, value: T) {
    if signal.with_untracked(|now| *now != value) {
        signal.set(value);
    }
}
