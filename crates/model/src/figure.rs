//! What a run ends in: the maps, and all that is needed to make them again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Config, Direction, Kind, Method, Prediction, Rules, Site, Token};

/// The format of [`Figure`] as JSON.
pub const FIGURE_SCHEMA: &str = "relp-figure/1";

/// An attribution figure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// [`FIGURE_SCHEMA`].
    pub schema: String,
    /// The model.
    pub model: ModelInfo,
    /// Both prompts.
    pub tokens: Tokens,
    /// The answer.
    pub answer: Token,
    /// The foil.
    pub foil: Token,
    /// The metric and its values.
    pub metric: Metric,
    /// The likeliest next tokens.
    pub predictions: Predictions,
    /// How the scores were estimated.
    pub method: Method,
    /// The steps of integrated gradients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<usize>,
    /// Of integrated gradients: by how much the scores of a layer miss the effect that they should
    /// add up to, at most, in the units of the scores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub convergence_error: Option<f64>,
    /// The LRP rules that were on.
    #[serde(with = "crate::names::rules_as_names")]
    pub rules: Rules,
    /// Which run was changed toward which.
    pub direction: Direction,
    /// Whether scores are divided by metric(clean) − metric(corrupted).
    pub normalised: bool,
    /// What computed it.
    pub executor: Executor,
    /// Version of the program.
    pub version: String,
    /// The scores of each site.
    pub maps: BTreeMap<Site, Map>,
}

/// The model of a figure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelInfo {
    /// What people call it.
    pub name: String,
    /// SHA-256 of `model.safetensors`, in hexadecimal.
    pub sha256: String,
    /// Its sizes.
    #[serde(flatten)]
    pub config: Config,
}

/// The prompts of a figure, of the same length.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tokens {
    /// The clean prompt.
    pub clean: Vec<Token>,
    /// The corrupted prompt.
    pub corrupted: Vec<Token>,
}

/// The metric of a figure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// `logit_diff`: logit(answer) − logit(foil) at the last position.
    pub name: String,
    /// Its value on the clean prompt, in logits.
    pub clean: f64,
    /// Its value on the corrupted prompt, in logits.
    pub corrupted: f64,
}

/// The likeliest next tokens of both prompts, likeliest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Predictions {
    /// Of the clean prompt.
    pub clean: Vec<Prediction>,
    /// Of the corrupted prompt.
    pub corrupted: Vec<Prediction>,
}

/// What computed a figure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Executor {
    /// The executor.
    pub kind: Kind,
    /// The device, in its driver's or this program's words.
    pub device: String,
}

/// The scores of one site.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Map {
    /// Extent of each axis.
    pub shape: Vec<usize>,
    /// What each axis is.
    pub axes: Vec<String>,
    /// Scores in logits, or in fractions of the metric's difference if normalised; row-major.
    pub values: Vec<f32>,
}

impl Map {
    /// A map \[layer, position\].
    pub fn by_layer_and_position(layers: usize, values: Vec<f32>) -> Self {
        let shape = vec![layers, values.len() / layers];
        Self { shape, axes: vec!["layer".to_owned(), "position".to_owned()], values }
    }

    /// A map \[layer, position, head\].
    pub fn by_head(layers: usize, heads: usize, values: Vec<f32>) -> Self {
        let shape = vec![layers, values.len() / layers / heads, heads];
        let axes = ["layer", "position", "head"].map(str::to_owned).to_vec();
        Self { shape, axes, values }
    }

    /// The score of a cell summed over what comes after layer and position, such as heads.
    pub fn sum(&self, layer: usize, position: usize) -> Option<f32> {
        if layer >= self.layers() || position >= self.positions() {
            return None;
        }
        let each: usize = self.shape[2..].iter().product();
        let cell = (layer * self.positions() + position) * each;
        self.values.get(cell..cell + each).map(|values| values.iter().sum())
    }

    /// Number of layers.
    pub fn layers(&self) -> usize {
        self.shape.first().copied().unwrap_or(0)
    }

    /// Number of positions.
    pub fn positions(&self) -> usize {
        self.shape.get(1).copied().unwrap_or(0)
    }

    /// The score of a cell, if there is such a cell.
    pub fn get(&self, layer: usize, position: usize) -> Option<f32> {
        if layer < self.layers() && position < self.positions() {
            self.values.get(layer * self.positions() + position).copied()
        } else {
            None
        }
    }
}
