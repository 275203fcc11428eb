//! What a run ends in: the maps, and all that is needed to make them again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    Config, Direction, Grain, Kind, Method, Metric, Neuron, Precision, Prediction, Replace, Rules,
    Site, Token,
};

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
    /// The answers.
    pub answers: Vec<Token>,
    /// The foils.
    pub foils: Vec<Token>,
    /// The metric and its values.
    pub metric: MetricValues,
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
    /// What was put in the place of a component; of gradient × input nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replace: Option<Replace>,
    /// Whether scores are divided by metric(clean) − metric(corrupted).
    pub normalised: bool,
    /// What computed it.
    pub executor: Executor,
    /// Version of the program.
    pub version: String,
    /// The scores of each site.
    pub maps: BTreeMap<Site, Map>,
    /// Of a mean over several pairs: each of them. Tokens, answers, foils and predictions of the figure
    /// itself are those of the first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pairs: Vec<OfPair>,
}

/// What one of several pairs contributed to a mean.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OfPair {
    /// Both prompts.
    pub tokens: Tokens,
    /// The answers.
    pub answers: Vec<Token>,
    /// The foils.
    pub foils: Vec<Token>,
    /// The metric and its values.
    pub metric: MetricValues,
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
    /// How exactly its weights were kept.
    #[serde(default)]
    pub weights: Precision,
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

/// The metric of a figure, in its own unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricValues {
    /// Which metric.
    pub name: Metric,
    /// Its value on the clean prompt.
    pub clean: f64,
    /// Its value on the corrupted prompt.
    pub corrupted: f64,
}

impl MetricValues {
    /// What normalised scores are divided by.
    pub fn difference(&self) -> f64 {
        self.clean - self.corrupted
    }
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
    /// Scores in the metric's unit, or in fractions of its difference if normalised; row-major.
    pub values: Vec<f32>,
    /// Of several pairs: the sample standard deviation of each value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deviation: Option<Vec<f32>>,
    /// Of neurons, which are too many to list them all: which each value is of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub neurons: Option<Vec<Neuron>>,
}

impl Map {
    fn new(axes: &[&str], shape: Vec<usize>, values: Vec<f32>) -> Self {
        let axes = axes.iter().map(|&axis| axis.to_owned()).collect();
        Self { shape, axes, values, deviation: None, neurons: None }
    }

    /// The map of a site from all of its scores; of neurons, of these alone.
    pub fn of(site: Site, config: &Config, scores: Vec<f32>, neurons: &[Neuron]) -> Self {
        let (layers, each) = (site.layers(config), site.components(config));
        let positions = scores.len() / layers / each;
        match site.grain() {
            Grain::Position => Self::new(&["layer", "position"], vec![layers, positions], scores),
            Grain::Head => {
                let axes = ["layer", "position", "head"];
                Self::new(&axes, vec![layers, positions, each], scores)
            }
            Grain::Neuron => {
                let score = |neuron: &Neuron| scores.get(neuron.place(positions, each)).copied();
                let values = neurons.iter().map(|neuron| score(neuron).unwrap_or_default());
                let mut map = Self::new(&["neuron"], vec![neurons.len()], values.collect());
                map.neurons = Some(neurons.to_vec());
                map
            }
        }
    }

    /// A map \[layer, head\].
    pub fn by_layer_and_head(layers: usize, heads: usize, values: Vec<f32>) -> Self {
        Self::new(&["layer", "head"], vec![layers, heads], values)
    }

    /// Scores of heads, \[layer, head\], each summed over the positions.
    pub fn by_head(&self) -> Self {
        let (layers, positions, heads) = (self.layers(), self.positions(), self.heads().max(1));
        let at = |layer: usize, position: usize, head: usize| {
            self.values.get((layer * positions + position) * heads + head)
        };
        let sum = |layer: usize, head: usize| {
            (0..positions).filter_map(|position| at(layer, position, head)).sum()
        };
        let cells = (0..layers).flat_map(|layer| (0..heads).map(move |head| (layer, head)));
        let values = cells.map(|(layer, head)| sum(layer, head)).collect();
        Self::by_layer_and_head(layers, heads, values)
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

    /// Number of layers; of a list of neurons none.
    pub fn layers(&self) -> usize {
        if self.neurons.is_some() { 0 } else { self.shape.first().copied().unwrap_or(0) }
    }

    /// Number of positions; of a list of neurons none.
    pub fn positions(&self) -> usize {
        self.shape.get(1).copied().unwrap_or(0)
    }

    /// Number of heads; 0 if it is not of heads.
    pub fn heads(&self) -> usize {
        self.shape.get(2).copied().unwrap_or(0)
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
