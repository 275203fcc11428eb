//! What the model has shown of a lesson's pair.

use std::sync::Arc;

use relp_model::{Agreement, Figure, Map, Method, Patterns, Rules, Site, agreement};

use crate::comparison;

/// Figures of one pair, by different ways, and the exact answer to each.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    last: Option<Arc<Figure>>,
    compared: Vec<(Arc<Figure>, Arc<Figure>)>,
    patterns: Option<Arc<Patterns>>,
}

impl Seen {
    /// Adds what is shown now.
    pub fn add(
        &mut self,
        figure: Arc<Figure>,
        exact: Option<Arc<Figure>>,
        patterns: Option<Arc<Patterns>>,
    ) {
        if let Some(exact) = exact {
            self.compared.retain(|(other, _)| !comparison::is_same_way(other, &figure));
            self.compared.push((figure.clone(), exact));
        }
        self.last = Some(figure);
        self.patterns = patterns;
    }

    /// The figure that is shown.
    pub fn last(&self) -> Option<&Figure> {
        self.last.as_deref()
    }

    /// The attention patterns of the layer whose head is open.
    pub fn patterns(&self) -> Option<&Patterns> {
        self.patterns.as_deref()
    }

    /// The figure of a method, and its exact answer; rules tell only figures of RelP apart.
    pub fn of(&self, method: Method, rules: Rules) -> Option<(&Figure, &Figure)> {
        let is_it = |figure: &Figure| {
            figure.method == method && (method != Method::Relp || figure.rules == rules)
        };
        let found = self.compared.iter().find(|(figure, _)| is_it(figure))?;
        Some((&found.0, &found.1))
    }

    /// How well a method agrees with the exact answer on the residual stream.
    pub fn agreement(&self, method: Method, rules: Rules) -> Option<Agreement> {
        let (figure, exact) = self.of(method, rules)?;
        let all = agreement(figure, exact);
        all.into_iter()
            .find(|of| of.site == Site::ResidPre && !of.without_layer_0)
            .map(|of| of.agreement)
    }

    /// Of each layer, the sum of the errors' sizes over some sites, and that of the exact scores' sizes.
    pub fn errors(&self, method: Method, rules: Rules, sites: &[Site]) -> Option<Vec<(f32, f32)>> {
        let (figure, exact) = self.of(method, rules)?;
        let layers = figure.model.config.n_layer;
        let sizes = |layer: usize| {
            let mut sums = (0.0, 0.0);
            for site in sites {
                let Some((own, exact)) = figure.maps.get(site).zip(exact.maps.get(site)) else {
                    continue;
                };
                for position in 0..own.positions() {
                    let both = own.get(layer, position).zip(exact.get(layer, position));
                    let (own, exact) = both.unwrap_or_default();
                    sums.0 += (own - exact).abs();
                    sums.1 += exact.abs();
                }
            }
            sums
        };
        Some((0..layers).map(sizes).collect())
    }

    /// The head with the largest score at the last position, and that score.
    pub fn mover(&self) -> Option<((usize, usize), f32)> {
        let map = self.last()?.maps.get(&Site::Z)?;
        let position = map.positions().checked_sub(1)?;
        let heads =
            (0..map.layers()).flat_map(|layer| (0..map.heads()).map(move |head| (layer, head)));
        let scored = heads.filter_map(|(layer, head)| {
            Some(((layer, head), comparison::of_head(map, layer, position, head)?))
        });
        scored.max_by(|(_, a), (_, b)| a.abs().total_cmp(&b.abs()))
    }

    /// Whether a cell of the residual stream at the last position carries at least half of the difference
    /// between the runs.
    pub fn carries_half(&self, (layer, position): (usize, usize)) -> bool {
        let Some(figure) = self.last() else { return false };
        let score = figure.maps.get(&Site::ResidPre).and_then(|map| map.get(layer, position));
        let difference = if figure.normalised { 1.0 } else { figure.metric.difference() };
        position + 1 == figure.tokens.clean.len()
            && score.is_some_and(|score| f64::from(score).abs() >= 0.5 * difference.abs())
    }
}

/// The position with the largest score of a layer, and that score.
pub fn largest_at(map: &Map, layer: usize) -> Option<(usize, f32)> {
    let row: Option<Vec<f32>> = (0..map.positions()).map(|at| map.get(layer, at)).collect();
    let row = row?;
    comparison::largest(&row).map(|at| (at, row[at]))
}
