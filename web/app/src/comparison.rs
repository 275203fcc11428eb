//! The figure that is shown beside others: what the maps draw, and where the points of the scatter lie.

use std::collections::BTreeMap;
use std::sync::Arc;

use relp_model::{Figure, Grain, Map, Method, Neuron, OfPair, Site};

use crate::known::Known;
use crate::locale::t;

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
    /// The figure's less those of the one before it.
    Change,
}

impl Scores {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Method, Self::Exact, Self::Error, Self::Change];

    /// Its name in links.
    pub fn name(self) -> &'static str {
        match self {
            Self::Method => "method",
            Self::Exact => "exact",
            Self::Error => "error",
            Self::Change => "change",
        }
    }
}

/// What the maps draw.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawn {
    /// The scores, and which of them are not there yet.
    pub known: Known,
    /// What they are of the figure that is shown.
    pub scores: Scores,
    /// What the change is from.
    pub before: Option<Arc<Figure>>,
}

/// What the maps draw of a figure: its own scores as long as there are no others to compare with.
pub fn drawn(
    figure: &Arc<Figure>,
    exact: Option<Known>,
    before: Option<Arc<Figure>>,
    scores: Scores,
) -> Drawn {
    let plain = |known| Drawn { known, scores, before: None };
    match (scores, exact, before) {
        (Scores::Exact, Some(exact), _) => plain(exact),
        (Scores::Error, Some(exact), _) => {
            let unsigned = figure.method.is_unsigned();
            let exact_score = |score: f32| if unsigned { score.abs() } else { score };
            let error = Arc::new(less(figure, &exact.figure, exact_score));
            plain(Known { figure: error, ..exact })
        }
        (Scores::Change, _, Some(before)) => {
            let known = Known::whole(Arc::new(less(figure, &before, |score| score)));
            Drawn { known, scores, before: Some(before) }
        }
        _ => {
            let known = Known::whole(figure.clone());
            Drawn { known, scores: Scores::Method, before: None }
        }
    }
}

/// A figure less another, in the sites that both have.
fn less(figure: &Figure, other: &Figure, of_other: impl Fn(f32) -> f32) -> Figure {
    let mut difference = figure.clone();
    difference.maps.retain(|site, map| {
        let Some(other) = other.maps.get(site) else { return false };
        if other.shape != map.shape || other.neurons != map.neurons {
            return false;
        }
        let both = map.values.iter_mut().zip(&other.values);
        both.for_each(|(value, other)| *value -= of_other(*other));
        map.deviation = None;
        true
    });
    difference
}

/// Why a figure's change from another would say nothing; `None` if it says something.
pub fn incomparable(figure: &Figure, before: &Figure) -> Option<String> {
    let question = |figure: &Figure| {
        let of_pairs = figure.pairs.iter().map(|pair| pair.tokens.clone()).collect::<Vec<_>>();
        (figure.tokens.clone(), figure.answers.clone(), figure.foils.clone(), of_pairs)
    };
    let setting = |figure: &Figure| (figure.direction, figure.metric.name, figure.normalised);
    let unsigned = figure.method.is_unsigned() != before.method.is_unsigned();
    let shared = figure.maps.keys().any(|site| before.maps.contains_key(site));
    Some(if figure.model.sha256 != before.model.sha256 {
        t!("change-another-model")
    } else if question(figure) != question(before) {
        t!("change-another-pair")
    } else if setting(figure) != setting(before) || figure.replace != before.replace && shared {
        t!("change-another-setting")
    } else if !shared {
        t!("change-no-map-in-common")
    } else if unsigned {
        t!("change-no-sign")
    } else {
        return None;
    })
}

/// Whether two figures answer in the same way, so that there is no change to see.
pub fn is_same_way(a: &Figure, b: &Figure) -> bool {
    (a.method, a.rules, a.steps) == (b.method, b.rules, b.steps)
}

/// One pair's own figure out of a mean over several.
pub fn of_pair(figure: &Arc<Figure>, pair: Option<usize>) -> Arc<Figure> {
    let Some(OfPair { tokens, answers, foils, metric, maps }) =
        pair.and_then(|pair| figure.pairs.get(pair)).cloned()
    else {
        return figure.clone();
    };
    let mut own = Figure::clone(figure);
    own.pairs.clear();
    if pair != Some(0) {
        // Those of a figure are its first pair's.
        own.predictions.clean.clear();
        own.predictions.corrupted.clear();
    }
    Arc::new(Figure { tokens, answers, foils, metric, maps, ..own })
}

/// Where the largest score by magnitude stands; none of no scores.
pub fn largest(scores: &[f32]) -> Option<usize> {
    (0..scores.len()).max_by(|&a, &b| scores[a].abs().total_cmp(&scores[b].abs()))
}

/// The sum of a map's layers at each position.
pub fn by_position(map: &Map) -> Vec<f32> {
    let sum = |position| (0..map.layers()).filter_map(|layer| map.get(layer, position)).sum();
    (0..map.positions()).map(sum).collect()
}

/// The layer with the largest score of a position by magnitude.
pub fn largest_layer(map: &Map, position: usize) -> Option<usize> {
    let column: Option<Vec<f32>> =
        (0..map.layers()).map(|layer| map.get(layer, position)).collect();
    largest(&column?)
}

/// The score of a head at a position.
pub fn of_head(map: &Map, layer: usize, position: usize, head: usize) -> Option<f32> {
    let inside = layer < map.layers() && position < map.positions() && head < map.heads();
    let index = (layer * map.positions() + position) * map.heads() + head;
    inside.then(|| map.values.get(index).copied()).flatten()
}

/// The sites of a figure whose maps are of layers and positions.
pub fn maps_of(figure: &Figure) -> Vec<Site> {
    figure.maps.keys().copied().filter(|site| site.grain() == Grain::Position).collect()
}

/// The site of a figure's heads: the wanted one, or one that is there.
pub fn heads_of(figure: &Figure, wanted: Site) -> Option<Site> {
    let there = |site: &Site| figure.maps.contains_key(site);
    [wanted].into_iter().chain(Site::HEADS).find(there)
}

/// The maps that are drawn of a figure: those of layers and positions, and the heads' sums.
pub fn panels(figure: &Figure) -> Vec<Map> {
    let panel = |(site, map): (&Site, &Map)| match site.grain() {
        Grain::Head => Some(map.by_head()),
        Grain::Position => Some(map.clone()),
        Grain::Neuron => None,
    };
    figure.maps.iter().filter_map(panel).collect()
}

/// A score of a cell with the exact one, as far as these are known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    /// What it is of.
    pub site: Site,
    /// Which head or neuron.
    pub component: Option<usize>,
    /// The method's score, and in a mean its standard deviation.
    pub score: Option<(f32, Option<f32>)>,
    /// The exact one, likewise.
    pub exact: Option<(f32, Option<f32>)>,
}

impl Row {
    /// The method's score less the exact one.
    pub fn error(&self, unsigned: bool) -> Option<f32> {
        let (score, exact) = (self.score?.0, self.exact?.0);
        Some(score - if unsigned { exact.abs() } else { exact })
    }
}

/// All scores of a cell, site by site and head by head.
pub fn rows(figure: &Figure, exact: Option<&Known>, (layer, position): (usize, usize)) -> Vec<Row> {
    let at = |map: &Map, index: usize| {
        let deviation = map.deviation.as_ref().and_then(|all| all.get(index).copied());
        map.values.get(index).map(|&value| (value, deviation))
    };
    let is_ap = figure.method == Method::Ap;
    let mut rows = Vec::new();
    for (&site, map) in &figure.maps {
        let exact = exact.filter(|known| known.has(site, layer, position));
        let exact_map = exact.and_then(|known| known.figure.maps.get(&site));
        let mut push = |component, index: usize, exact_index: Option<usize>| {
            let exact = exact_map.zip(exact_index).and_then(|(map, index)| at(map, index));
            rows.push(Row {
                site,
                component,
                score: at(map, index),
                exact: if is_ap { None } else { exact },
            });
        };
        if let Some(neurons) = &map.neurons {
            for (index, neuron) in neurons.iter().enumerate() {
                if (neuron.layer, neuron.position) == (layer, position) {
                    let listed = exact_map.and_then(|map| map.neurons.as_ref());
                    let place = listed.and_then(|all| all.iter().position(|other| other == neuron));
                    push(Some(neuron.neuron), index, place);
                }
            }
        } else if layer < map.layers() && position < map.positions() {
            let each = map.heads().max(1);
            let first = (layer * map.positions() + position) * each;
            for component in 0..each {
                let index = first + component;
                push((site.grain() == Grain::Head).then_some(component), index, Some(index));
            }
        }
    }
    rows
}

/// The neurons that a figure lists, layer by layer, largest first, with the exact scores that are known.
pub fn neurons(figure: &Figure, exact: Option<&Known>) -> Vec<(Neuron, f32, Option<f32>)> {
    let listed = |map: &Map| -> Vec<(Neuron, f32)> {
        map.neurons.iter().flatten().copied().zip(map.values.iter().copied()).collect()
    };
    let exact: BTreeMap<Neuron, f32> = exact
        .and_then(|known| known.figure.maps.get(&Site::Post).map(|map| (known, map)))
        .map(|(known, map)| {
            let mut all = listed(map);
            all.retain(|(neuron, _)| known.has(Site::Post, neuron.layer, neuron.position));
            all.into_iter().collect()
        })
        .unwrap_or_default();
    let mut all = figure.maps.get(&Site::Post).map(listed).unwrap_or_default();
    let order = |a: &(Neuron, f32), b: &(Neuron, f32)| {
        a.0.layer.cmp(&b.0.layer).then(b.1.abs().total_cmp(&a.1.abs()))
    };
    all.sort_by(order);
    all.into_iter().map(|(neuron, score)| (neuron, score, exact.get(&neuron).copied())).collect()
}

/// A cell of both figures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Its site.
    pub site: Site,
    /// Its layer.
    pub layer: usize,
    /// Its position.
    pub position: usize,
    /// The exact score.
    pub exact: f32,
    /// The approximation.
    pub approximate: f32,
}

/// The cells of `sites` that are known and not 0 in both figures.
pub fn points(figure: &Figure, exact: &Known, sites: &[Site]) -> Vec<Point> {
    let unsigned = figure.method.is_unsigned();
    let mut points = Vec::new();
    for &site in sites {
        let (Some(map), Some(of_exact)) = (figure.maps.get(&site), exact.figure.maps.get(&site))
        else {
            continue;
        };
        for layer in 0..map.layers() {
            for position in 0..map.positions() {
                let both = (map.get(layer, position), of_exact.get(layer, position));
                let (Some(approximate), Some(score)) = both else { continue };
                let is_zero = approximate == 0.0 && score == 0.0;
                if !is_zero && exact.has(site, layer, position) {
                    let exact = if unsigned { score.abs() } else { score };
                    points.push(Point { site, layer, position, exact, approximate });
                }
            }
        }
    }
    points
}

#[cfg(test)]
mod tests {
    use relp_model::{Cell, Metric, Rules};

    use super::*;
    use crate::testing;

    #[test]
    fn heads_are_summed_over_positions() {
        // 2 layers, 2 positions, 3 heads.
        let map = testing::map(&[2, 2, 3], (0..12).map(|i| i as f32).collect());
        let sums = map.by_head();
        assert_eq!(sums.shape, [2, 3]);
        assert_eq!(sums.values, [3.0, 5.0, 7.0, 15.0, 17.0, 19.0]);
        assert_eq!((of_head(&map, 1, 0, 2), of_head(&map, 2, 0, 0)), (Some(8.0), None));
    }

    #[test]
    fn what_is_missing_is_in_no_error_and_no_point() {
        let figure = Arc::new(testing::figure(2, 2));
        let mut exact = testing::figure(2, 2);
        for map in exact.maps.values_mut() {
            map.values = vec![0.0, 2.0, 0.0, 0.0];
        }
        let missing = [(Site::MlpOut, Cell { layer: 1, position: 1 })];
        let exact = Known { figure: Arc::new(exact), missing: Arc::new(missing.into()) };
        let error = drawn(&figure, Some(exact.clone()), None, Scores::Error);
        assert_eq!(error.known.figure.maps[&Site::AttnOut].values, [0.0, -1.0, 2.0, 3.0]);
        assert!(!error.known.has(Site::MlpOut, 1, 1) && error.known.has(Site::AttnOut, 1, 1));
        let of = |site| points(&figure, &exact, &[site]).len();
        assert_eq!((of(Site::AttnOut), of(Site::MlpOut)), (3, 2));
        let rows = rows(&figure, Some(&exact), (1, 1));
        let exacts: Vec<_> = rows.iter().map(|row| row.exact.map(|(score, _)| score)).collect();
        assert_eq!(exacts, [Some(0.0), Some(0.0), None]);
        assert_eq!(rows[0].error(false), Some(3.0));
    }

    #[test]
    fn sizes_are_compared_with_sizes() {
        let star = Arc::new(Figure { method: Method::AtpStar, ..testing::figure(1, 2) });
        let mut exact = testing::figure(1, 2);
        exact.maps.values_mut().for_each(|map| map.values = vec![0.0, -3.0]);
        let exact = Known::whole(Arc::new(exact));
        let error = drawn(&star, Some(exact.clone()), None, Scores::Error);
        assert_eq!(error.known.figure.maps[&Site::MlpOut].values, [0.0, -2.0]);
        assert_eq!(points(&star, &exact, &[Site::MlpOut])[0].exact, 3.0);
    }

    #[test]
    fn change_is_this_less_the_one_before() {
        let before = Arc::new(testing::figure(1, 2));
        let mut now = Figure { rules: Rules::NONE, ..testing::figure(1, 2) };
        assert_eq!(incomparable(&now, &before), None);
        assert!(!is_same_way(&now, &before));
        now.maps.values_mut().for_each(|map| map.values = vec![5.0, 0.5]);
        let change = drawn(&Arc::new(now.clone()), None, Some(before.clone()), Scores::Change);
        assert_eq!(change.known.figure.maps[&Site::MlpOut].values, [5.0, -0.5]);
        let mut other = now.clone();
        other.metric.name = Metric::Kl;
        assert!(incomparable(&other, &before).is_some_and(|why| why.contains("metric")));
        let mut other = now.clone();
        other.tokens.clean[0].id = 9;
        assert!(incomparable(&other, &before).is_some_and(|why| why.contains("pair")));
        now.method = Method::AtpStar;
        assert!(incomparable(&now, &before).is_some_and(|why| why.contains("sign")));
    }

    #[test]
    fn a_pair_of_a_mean_is_a_figure_of_its_own() {
        let mut mean = testing::figure(1, 2);
        let first = testing::figure(1, 2);
        let mut maps = first.maps.clone();
        maps.values_mut().for_each(|map| map.values = vec![7.0, 8.0]);
        let (tokens, answers) = (first.tokens.clone(), first.answers.clone());
        mean.pairs =
            vec![OfPair { tokens, answers, foils: Vec::new(), metric: first.metric, maps }];
        let mean = Arc::new(mean);
        assert_eq!(of_pair(&mean, None), mean);
        assert_eq!(of_pair(&mean, Some(9)), mean);
        let own = of_pair(&mean, Some(0));
        assert_eq!(own.maps[&Site::MlpOut].values, [7.0, 8.0]);
        assert!(own.pairs.is_empty() && own.foils.is_empty());
    }

    #[test]
    fn positions_are_summed_and_have_their_largest_layer() {
        let map = testing::map(&[2, 3], vec![1.0, -2.0, 0.0, 0.5, -4.0, 0.0]);
        assert_eq!(by_position(&map), [1.5, -6.0, 0.0]);
        assert_eq!((largest_layer(&map, 0), largest_layer(&map, 1)), (Some(0), Some(1)));
        assert_eq!(largest_layer(&map, 3), None);
    }
}
