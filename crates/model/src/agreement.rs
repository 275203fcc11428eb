//! How far an approximation is from the exact answer. No one number tells: a single cell can carry a
//! correlation, so there are several, and `mlp_out` is also looked at without layer 0.

use serde::{Deserialize, Serialize};

use crate::mean::by_neuron;
use crate::{Figure, Map, Site};

/// How many of the largest cells the overlap is of, or a quarter of the cells where that is fewer.
const TOP: usize = 10;

/// How the scores of an approximation agree with the exact ones, cell by cell. What is not defined
/// (the correlation with something constant) is `None`, never NaN.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    /// Cells compared.
    pub cells: usize,
    /// Cells whose exact score is not 0.
    pub non_zero: usize,
    /// Pearson's correlation.
    pub pearson: Option<f64>,
    /// Spearman's rank correlation, equal values sharing the mean of their ranks.
    pub spearman: Option<f64>,
    /// Slope of the least-squares line of the approximation over the exact score: 1 where sizes agree.
    pub slope: Option<f64>,
    /// Of the cells whose exact score is not 0, the share in which the approximation has its sign.
    pub same_sign: Option<f64>,
    /// How many cells the next number looks at.
    pub top: usize,
    /// Of the cells with the largest exact scores by magnitude, the share that is among as many of the
    /// largest of the approximation.
    pub top_overlap: Option<f64>,
}

impl Agreement {
    /// Compares the scores of the same cells.
    ///
    /// `None` if the numbers of cells differ, there is none, or a score is not a finite number.
    pub fn of(approximate: &[f32], exact: &[f32]) -> Option<Self> {
        let finite = |scores: &[f32]| scores.iter().all(|score| score.is_finite());
        if approximate.len() != exact.len() || exact.is_empty() {
            return None;
        }
        if !finite(approximate) || !finite(exact) {
            return None;
        }
        let wide = |scores: &[f32]| scores.iter().copied().map(f64::from).collect::<Vec<_>>();
        let (x, y) = (wide(exact), wide(approximate));
        let non_zero = x.iter().filter(|&&x| x != 0.0).count();
        let same = x.iter().zip(&y).filter(|&(&x, &y)| x * y > 0.0).count();
        let top = TOP.min(exact.len().div_ceil(4));
        let (of_x, of_y) = (largest(&x, top), largest(&y, top));
        let shared = of_x.iter().filter(|cell| of_y.contains(cell)).count();
        Some(Self {
            cells: exact.len(),
            non_zero,
            pearson: correlation(&x, &y),
            spearman: correlation(&ranks(&x), &ranks(&y)),
            slope: slope(&x, &y),
            same_sign: (non_zero > 0).then(|| same as f64 / non_zero as f64),
            top,
            top_overlap: (non_zero > 0).then(|| shared as f64 / top as f64),
        })
    }
}

/// The agreement at one site of two figures.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SiteAgreement {
    /// The site.
    pub site: Site,
    /// Whether layer 0 is left out.
    pub without_layer_0: bool,
    /// The numbers.
    pub agreement: Agreement,
}

/// Compares every site that two figures of the same pair share, and `mlp_out` once more without
/// layer 0. Scores that have no sign are compared with the sizes of the exact ones.
pub fn agreement(approximate: &Figure, exact: &Figure) -> Vec<SiteAgreement> {
    let unsigned = approximate.method.is_unsigned();
    let mut all = Vec::new();
    for (&site, exact) in &exact.maps {
        let Some(approximate) = approximate.maps.get(&site) else { continue };
        let Some((of_approximate, mut of_exact)) = cells(approximate, exact) else { continue };
        if unsigned {
            of_exact.iter_mut().for_each(|score| *score = score.abs());
        }
        let mut compare = |first: usize, without_layer_0| {
            let parts = (of_approximate.get(first..), of_exact.get(first..));
            if let (Some(of_approximate), Some(of_exact)) = parts
                && let Some(mut agreement) = Agreement::of(of_approximate, of_exact)
            {
                if unsigned {
                    agreement.same_sign = None;
                }
                all.push(SiteAgreement { site, without_layer_0, agreement });
            }
        };
        compare(0, false);
        if site == Site::MlpOut {
            compare(exact.values.len() / exact.layers().max(1), true);
        }
    }
    all
}

/// The scores of the cells that two maps share; of neurons, those that both list.
fn cells(approximate: &Map, exact: &Map) -> Option<(Vec<f32>, Vec<f32>)> {
    if approximate.neurons.is_some() && exact.neurons.is_some() {
        let exact = by_neuron(exact);
        let both = by_neuron(approximate).into_iter();
        return Some(both.filter_map(|(n, score)| Some((score, *exact.get(&n)?))).unzip());
    }
    let same = approximate.shape == exact.shape && approximate.neurons == exact.neurons;
    same.then(|| (approximate.values.clone(), exact.values.clone()))
}

fn mean(x: &[f64]) -> f64 {
    x.iter().sum::<f64>() / x.len() as f64
}

/// Σ (x − x̄)(y − ȳ).
fn covariance(x: &[f64], y: &[f64]) -> f64 {
    let (mean_x, mean_y) = (mean(x), mean(y));
    x.iter().zip(y).map(|(x, y)| (x - mean_x) * (y - mean_y)).sum()
}

fn correlation(x: &[f64], y: &[f64]) -> Option<f64> {
    let of_both = (covariance(x, x) * covariance(y, y)).sqrt();
    (of_both > 0.0).then(|| (covariance(x, y) / of_both).clamp(-1.0, 1.0))
}

fn slope(x: &[f64], y: &[f64]) -> Option<f64> {
    let variance = covariance(x, x);
    (variance > 0.0).then(|| covariance(x, y) / variance)
}

/// The rank of each value, from 1 on.
fn ranks(x: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..x.len()).collect();
    order.sort_by(|&a, &b| x[a].total_cmp(&x[b]));
    let mut ranks = vec![0.0; x.len()];
    let mut first = 0;
    for equal in order.chunk_by(|&a, &b| x[a] == x[b]) {
        let rank = first as f64 + (equal.len() as f64 + 1.0) / 2.0;
        equal.iter().for_each(|&i| ranks[i] = rank);
        first += equal.len();
    }
    ranks
}

/// The `k` cells of the largest magnitude; of equal ones the first.
fn largest(x: &[f64], k: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..x.len()).collect();
    order.sort_by(|&a, &b| x[b].abs().total_cmp(&x[a].abs()));
    order.truncate(k);
    order
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(approximate: &[f32], exact: &[f32]) -> Agreement {
        Agreement::of(approximate, exact).unwrap()
    }

    fn close(found: Option<f64>, expected: f64) {
        assert!((found.unwrap() - expected).abs() < 1e-12, "{found:?} {expected}");
    }

    #[test]
    fn by_hand() {
        // Deviations of exact: −1.5 −0.5 0.5 1.5; of approximate: −1 −2 1 2.
        let found = of(&[1.0, 0.0, 3.0, 4.0], &[1.0, 2.0, 3.0, 4.0]);
        close(found.pearson, 6.0 / (5.0_f64 * 10.0).sqrt());
        close(found.slope, 6.0 / 5.0);
        close(found.spearman, 0.8);
        close(found.same_sign, 0.75);
        assert_eq!((found.cells, found.non_zero, found.top), (4, 4, 1));
        close(found.top_overlap, 1.0);
    }

    #[test]
    fn equal_values_share_their_ranks() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 0.0]), [3.5, 2.0, 3.5, 1.0]);
        // −0 and 0 are the same score.
        assert_eq!(ranks(&[0.0, -0.0]), [1.5, 1.5]);
    }

    #[test]
    fn one_cell_can_carry_a_correlation() {
        let exact = [9.0, 0.1, -0.1, 0.1, -0.1];
        let found = of(&[8.0, -0.1, 0.1, -0.1, 0.1], &exact);
        assert!(found.pearson.unwrap() > 0.99);
        assert!(found.spearman.unwrap() < 0.2);
        close(found.same_sign, 0.2);
    }

    #[test]
    fn what_is_not_defined_is_none_and_what_is_not_a_number_is_refused() {
        let found = of(&[1.0, 2.0], &[3.0, 3.0]);
        assert_eq!((found.pearson, found.spearman, found.slope), (None, None, None));
        let found = of(&[1.0, 2.0], &[0.0, 0.0]);
        assert_eq!((found.same_sign, found.top_overlap), (None, None));
        assert_eq!(Agreement::of(&[f32::NAN, 1.0], &[0.0, 1.0]), None);
        assert_eq!(Agreement::of(&[0.0, 1.0], &[f32::INFINITY, 1.0]), None);
        assert_eq!(Agreement::of(&[1.0], &[1.0, 2.0]), None);
        assert_eq!(Agreement::of(&[], &[]), None);
    }

    proptest! {
        #[test]
        fn correlations_do_not_depend_on_the_unit(
            pairs in prop::collection::vec((-4.0_f32..4.0, -4.0_f32..4.0), 3..40),
            shift in 0..4_i8,
        ) {
            let (x, y): (Vec<f32>, Vec<f32>) = pairs.into_iter().unzip();
            let scaled: Vec<f32> = y.iter().map(|y| y * f32::from(1_i8 << shift)).collect();
            let (plain, other) = (of(&y, &x), of(&scaled, &x));
            for (a, b) in [(plain.pearson, other.pearson), (plain.spearman, other.spearman)] {
                prop_assert!((a.unwrap_or(0.0) - b.unwrap_or(0.0)).abs() < 1e-9);
            }
            prop_assert_eq!(plain.same_sign, other.same_sign);
            prop_assert_eq!(plain.top_overlap, other.top_overlap);
            let swapped = of(&x, &y);
            let (a, b) = (plain.pearson.unwrap_or(0.0), swapped.pearson.unwrap_or(0.0));
            prop_assert!((a - b).abs() < 1e-9, "symmetric");
        }

        #[test]
        fn ranks_only_see_the_order(x in prop::collection::vec(-4.0_f32..4.0, 3..40)) {
            let bent: Vec<f32> = x.iter().map(|x| x.powi(3) + x).collect();
            let found = of(&bent, &x).spearman;
            prop_assert!(found.is_none_or(|rho| rho > 1.0 - 1e-9));
        }
    }
}
