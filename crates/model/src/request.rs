//! What can be asked of a model, and how it sees a pair.

use serde::{Deserialize, Serialize};

use crate::{Direction, Method, Note, PairText, Problem, Rules, Site, Token};

/// An attribution that is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The prompts, answer and foil.
    pub pair: PairText,
    /// How scores are estimated.
    pub method: Method,
    /// The rules of [`Method::Relp`]; the other methods have none.
    #[serde(with = "crate::names::rules_as_names")]
    pub rules: Rules,
    /// Which run is changed toward which.
    pub direction: Direction,
    /// Where.
    pub sites: Vec<Site>,
    /// Whether scores are divided by metric(clean) − metric(corrupted).
    pub normalise: bool,
    /// The steps of the methods that [have any](Method::has_steps).
    pub steps: usize,
}

impl Request {
    /// The usual number of steps.
    pub const STEPS: usize = 5;

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
