//! What can be asked of a model, and how it sees a pair.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    Direction, Figure, Method, Metric, Neuron, Note, PairText, Problem, Replace, Rules, Site, Token,
};

/// An attribution that is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The prompts, answers and foils.
    pub pair: PairText,
    /// The pairs to average over, of the same length. If there are any, `pair` is not read.
    pub batch: Vec<PairText>,
    /// How scores are estimated.
    pub method: Method,
    /// The rules of [`Method::Relp`]; the other methods have none.
    #[serde(with = "crate::names::rules_as_names")]
    pub rules: Rules,
    /// Which run is changed toward which.
    pub direction: Direction,
    /// What is put in the place of a component.
    pub replace: Replace,
    /// What effects are measured in.
    pub metric: Metric,
    /// Where. Gradient × input is of the embeddings, whatever this says.
    pub sites: Vec<Site>,
    /// Whether scores are divided by metric(clean) − metric(corrupted).
    pub normalise: bool,
    /// The steps of the methods that [have any](Method::has_steps).
    pub steps: usize,
    /// How many neurons a layer are shown of [`Site::Post`].
    pub top: usize,
    /// Of exact patching: the neurons to patch. If there are none, RelP names them.
    pub neurons: Vec<Neuron>,
    /// Of exact patching: the one cell to patch, in every site; else all of them.
    pub cell: Option<Cell>,
}

/// A layer and a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cell {
    /// The layer.
    pub layer: usize,
    /// The position.
    pub position: usize,
}

/// RelP of the paper's sites of an empty pair.
impl Default for Request {
    fn default() -> Self {
        Self {
            pair: PairText::default(),
            batch: Vec::new(),
            method: Method::Relp,
            rules: Rules::RELP,
            direction: Direction::Denoise,
            replace: Replace::Source,
            metric: Metric::LogitDiff,
            sites: Site::PAPER.to_vec(),
            normalise: false,
            steps: Self::STEPS,
            top: Self::TOP,
            neurons: Vec::new(),
            cell: None,
        }
    }
}

impl Request {
    /// The usual number of steps.
    pub const STEPS: usize = 5;

    /// The usual number of neurons a layer.
    pub const TOP: usize = 10;

    /// Why it cannot be answered, whatever the pair.
    ///
    /// # Errors
    /// All problems found, at least one.
    pub fn check(&self) -> Result<(), Vec<Problem>> {
        let mut problems = Vec::new();
        let by_gradient = self.method != Method::Ap;
        let flat = self.metric == Metric::Kl && self.direction == Direction::Noise;
        if by_gradient && flat {
            problems.push(Problem::FlatMetric);
        }
        let replace = self.replace;
        let mut none = |what: &str| {
            problems.push(Problem::NoSuchAblation { what: what.to_owned(), replace });
        };
        if replace != Replace::Source && self.method == Method::IgInputs {
            none("the way between two prompts that IG (inputs) takes");
        }
        if replace == Replace::Mean && self.effective_sites().contains(&Site::Pattern) {
            none("attention patterns, whose rows have different lengths");
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    /// The sites that the method is of, each once, in the order of the computation.
    pub fn effective_sites(&self) -> Vec<Site> {
        if self.method == Method::GradXInput {
            return vec![Site::Embed];
        }
        Site::PATCHED.into_iter().filter(|site| self.sites.contains(site)).collect()
    }

    /// What the method puts in the place of a component, if it does.
    pub fn effective_replace(&self) -> Option<Replace> {
        self.method.replaces().then_some(self.replace)
    }

    /// The rules that the method follows.
    pub fn effective_rules(&self) -> Rules {
        if self.method == Method::Relp { self.rules } else { Rules::NONE }
    }

    /// The steps that the method takes.
    pub fn effective_steps(&self) -> Option<usize> {
        self.method.has_steps().then_some(self.steps)
    }
}

/// A pair as the model sees it, whether or not it can be compared.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Preview {
    /// Tokens of the clean prompt.
    pub clean: Vec<Token>,
    /// Tokens of the corrupted prompt.
    pub corrupted: Vec<Token>,
    /// Why the pair cannot be compared; empty if it can.
    pub problems: Vec<Problem>,
    /// What is allowed but seldom meant.
    pub notes: Vec<Note>,
}

/// What is there so far of work in several parts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// The figure, in which what is not computed yet is 0.
    pub figure: Figure,
    /// What is not computed yet.
    pub missing: BTreeSet<(Site, Cell)>,
}
