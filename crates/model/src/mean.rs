//! The mean of figures of several pairs.

use std::collections::BTreeMap;

use crate::{Figure, Map, Neuron, OfPair, Site};

/// Why figures have no mean. The message is a sentence with a remedy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoMean {
    /// There is no figure.
    #[error("There is no pair to average over: give at least one.")]
    Empty,
    /// The prompts differ in length.
    #[error(
        "Pair {pair} has {found} tokens and the first has {first}, so that their cells do not correspond: \
         average over pairs of one length."
    )]
    Lengths {
        /// Which pair, counted from 1.
        pair: usize,
        /// Its tokens.
        found: usize,
        /// Those of the first.
        first: usize,
    },
}

/// Whether pairs of so many positions have a mean.
///
/// # Errors
/// If they have not.
pub fn same_length(mut positions: impl Iterator<Item = usize>) -> Result<(), NoMean> {
    let Some(first) = positions.next() else { return Err(NoMean::Empty) };
    match positions.zip(2..).find(|&(found, _)| found != first) {
        Some((found, pair)) => Err(NoMean::Lengths { pair, found, first }),
        None => Ok(()),
    }
}

/// The mean of figures that answer the same request of several pairs, with the sample standard
/// deviation of every score, and with each pair's own. Of neurons, those are listed that every
/// figure lists.
///
/// # Errors
/// If there is no figure, or the prompts differ in length.
pub fn mean(figures: &[Figure]) -> Result<Figure, NoMean> {
    same_length(figures.iter().map(|figure| figure.tokens.clean.len()))?;
    let Some(first) = figures.first() else { return Err(NoMean::Empty) };
    let mut mean = first.clone();
    let count = figures.len() as f64;
    let of_all = |number: fn(&Figure) -> f64| figures.iter().map(number).sum::<f64>() / count;
    mean.metric.clean = of_all(|figure| figure.metric.clean);
    mean.metric.corrupted = of_all(|figure| figure.metric.corrupted);
    mean.convergence_error =
        figures.iter().filter_map(|figure| figure.convergence_error).reduce(f64::max);
    mean.maps = first.maps.keys().map(|&site| (site, mean_map(figures, site))).collect();
    mean.pairs = figures.iter().map(of_pair).collect();
    Ok(mean)
}

fn of_pair(figure: &Figure) -> OfPair {
    OfPair {
        tokens: figure.tokens.clone(),
        answers: figure.answers.clone(),
        foils: figure.foils.clone(),
        metric: figure.metric,
        maps: figure.maps.clone(),
    }
}

fn mean_map(figures: &[Figure], site: Site) -> Map {
    let maps: Vec<&Map> = figures.iter().filter_map(|figure| figure.maps.get(&site)).collect();
    let mut mean = maps[0].clone();
    let values: Vec<Vec<f64>> = match &maps[0].neurons {
        None => maps.iter().map(|map| wide(&map.values)).collect(),
        Some(neurons) => {
            let listed: Vec<BTreeMap<Neuron, f32>> =
                maps.iter().map(|map| by_neuron(map)).collect();
            let in_all = |neuron: &&Neuron| listed.iter().all(|map| map.contains_key(neuron));
            let shared: Vec<Neuron> = neurons.iter().filter(in_all).copied().collect();
            let values = listed.iter().map(|map| {
                shared.iter().map(|neuron| map.get(neuron).map_or(0.0, |&x| f64::from(x))).collect()
            });
            let values = values.collect();
            mean.shape = vec![shared.len()];
            mean.neurons = Some(shared);
            values
        }
    };
    let count = values.len() as f64;
    let at = |i: usize| values.iter().map(move |values| values[i]);
    let cells = 0..values[0].len();
    let means: Vec<f64> = cells.clone().map(|i| at(i).sum::<f64>() / count).collect();
    mean.values = means.iter().map(|&mean| mean as f32).collect();
    mean.deviation = (values.len() > 1).then(|| {
        let squares = |i: usize| at(i).map(|x| (x - means[i]).powi(2)).sum::<f64>();
        cells.map(|i| (squares(i) / (count - 1.0)).sqrt() as f32).collect()
    });
    mean
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().copied().map(f64::from).collect()
}

/// The scores of a list of neurons.
pub(crate) fn by_neuron(map: &Map) -> BTreeMap<Neuron, f32> {
    let neurons = map.neurons.iter().flatten().copied();
    neurons.zip(map.values.iter().copied()).collect()
}
