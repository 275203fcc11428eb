//! Figures from outside: what is checked before one is shown or drawn.

use std::collections::BTreeMap;
use std::fmt;

use crate::{Config, FIGURE_SCHEMA, Figure, Grain, Map, MetricValues, Site, Tokens};

/// More positions or layers than any GPT-2 has; nothing could draw them.
const MOST: usize = 4096;

/// Why a text is no figure that can be used. The message is a clause: "because …".
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the messages name the fields")]
pub enum Unusable {
    /// It is not a figure's JSON.
    NoFigure { error: String },
    /// It is of another format.
    Format,
    /// Its model has impossible sizes.
    Sizes,
    /// It has endless names.
    Names,
    /// Numbers outside its maps are not finite.
    NotFinite,
    /// It has too many pairs.
    TooManyPairs,
    /// Its pairs differ in length or sites.
    PairsDiffer,
    /// Its prompts have no or different numbers of tokens.
    Lengths,
    /// It has no map.
    NoMap,
    /// A map lists neurons where there are none, or none where there are.
    Neurons { site: Site },
    /// A map has other extents than its model and prompts.
    Extents { site: Site },
    /// A map has more or fewer values than cells.
    Values { site: Site },
    /// A map's values are not finite.
    MapNotFinite { site: Site },
    /// A map lists neurons that the model does not have.
    NoSuchNeurons { site: Site },
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unusable::NoFigure { error } => write!(f, "it is not a figure's JSON ({error})"),
            Unusable::Format => write!(f, "its format is not {FIGURE_SCHEMA}"),
            Unusable::Sizes => f.write_str("its model has sizes that no model has"),
            Unusable::Names => f.write_str("it has names that are too long"),
            Unusable::NotFinite => f.write_str("it has numbers that are not finite"),
            Unusable::TooManyPairs => f.write_str("it has too many pairs"),
            Unusable::PairsDiffer => f.write_str("its pairs differ in length or in sites"),
            Unusable::Lengths => {
                f.write_str("its prompts do not have the same, usable number of tokens")
            }
            Unusable::NoMap => f.write_str("it has no map"),
            Unusable::Neurons { site } => write!(
                f,
                "the map {site} lists neurons where there are none, or none where there are"
            ),
            Unusable::Extents { site } => {
                write!(f, "the map {site} does not have the extents of its model and prompts")
            }
            Unusable::Values { site } => {
                write!(f, "the map {site} does not have as many values as cells")
            }
            Unusable::MapNotFinite { site } => {
                write!(f, "the map {site} has values that are not finite")
            }
            Unusable::NoSuchNeurons { site } => {
                write!(f, "the map {site} lists neurons that the model does not have")
            }
        }
    }
}

impl Figure {
    /// Reads a figure that may come from anywhere.
    ///
    /// # Errors
    /// If it is no figure that can be shown.
    pub fn read(text: &str) -> Result<Self, Unusable> {
        let figure: Self = serde_json::from_str(text).map_err(|error| {
            // A message may quote the text, which may hold anything.
            let error: String =
                error.to_string().chars().filter(|c| !c.is_control()).take(150).collect();
            Unusable::NoFigure { error }
        })?;
        figure.check()?;
        Ok(figure)
    }

    fn check(&self) -> Result<(), Unusable> {
        if self.schema != FIGURE_SCHEMA {
            return Err(Unusable::Format);
        }
        let config = &self.model.config;
        let sizes = [config.n_layer, config.n_head, config.d_model, config.d_mlp];
        if sizes.iter().any(|&size| size == 0 || size > 1 << 20) || config.n_layer > MOST {
            return Err(Unusable::Sizes);
        }
        let texts = [&self.model.name, &self.model.sha256, &self.version, &self.executor.device];
        if texts.iter().any(|text| text.len() > 300) {
            return Err(Unusable::Names);
        }
        let probabilities = self.predictions.clean.iter().chain(&self.predictions.corrupted);
        if !probabilities.map(|prediction| prediction.probability).all(f64::is_finite)
            || self.convergence_error.is_some_and(|error| !error.is_finite())
        {
            return Err(Unusable::NotFinite);
        }
        if self.pairs.len() > MOST {
            return Err(Unusable::TooManyPairs);
        }
        check_pair(config, &self.tokens, &self.metric, &self.maps)?;
        for pair in &self.pairs {
            check_pair(config, &pair.tokens, &pair.metric, &pair.maps)?;
            let same = pair.tokens.clean.len() == self.tokens.clean.len()
                && pair.maps.keys().eq(self.maps.keys());
            if !same {
                return Err(Unusable::PairsDiffer);
            }
        }
        Ok(())
    }
}

fn check_pair(
    config: &Config,
    tokens: &Tokens,
    metric: &MetricValues,
    maps: &BTreeMap<Site, Map>,
) -> Result<(), Unusable> {
    let positions = tokens.clean.len();
    if positions == 0 || positions > MOST || tokens.corrupted.len() != positions {
        return Err(Unusable::Lengths);
    }
    if !metric.clean.is_finite() || !metric.corrupted.is_finite() {
        return Err(Unusable::NotFinite);
    }
    if maps.is_empty() {
        return Err(Unusable::NoMap);
    }
    maps.iter().try_for_each(|(site, map)| check_map(config, *site, map, positions))
}

fn check_map(config: &Config, site: Site, map: &Map, positions: usize) -> Result<(), Unusable> {
    let layers = site.layers(config);
    let shape = match (site.grain(), &map.neurons) {
        (Grain::Position, None) => vec![layers, positions],
        (Grain::Head, None) => vec![layers, positions, config.n_head],
        (Grain::Neuron, Some(neurons)) => vec![neurons.len()],
        _ => return Err(Unusable::Neurons { site }),
    };
    if map.shape != shape {
        return Err(Unusable::Extents { site });
    }
    let cells = shape.iter().try_fold(1_usize, |cells, &extent| cells.checked_mul(extent));
    let lengths = [Some(map.values.len()), map.deviation.as_ref().map(Vec::len)];
    if lengths.into_iter().flatten().any(|length| Some(length) != cells) {
        return Err(Unusable::Values { site });
    }
    if !map.values.iter().chain(map.deviation.iter().flatten()).all(|value| value.is_finite()) {
        return Err(Unusable::MapNotFinite { site });
    }
    let inside = map.neurons.iter().flatten().all(|neuron| {
        neuron.layer < layers && neuron.position < positions && neuron.neuron < config.d_mlp
    });
    if inside { Ok(()) } else { Err(Unusable::NoSuchNeurons { site }) }
}
