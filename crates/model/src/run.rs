//! What a computation found for one pair.

use std::collections::BTreeMap;

use crate::Site;

/// Metric, logits and scores of one pair.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// The metric on the clean prompt.
    pub metric_clean: f64,
    /// The same on the corrupted prompt.
    pub metric_corrupted: f64,
    /// The logits at the last position of the clean prompt, \[V\].
    pub logits_clean: Vec<f32>,
    /// The same of the corrupted prompt.
    pub logits_corrupted: Vec<f32>,
    /// Scores in the metric's unit, \[L,T\] or \[L,T,components\] row-major, not normalised.
    pub scores: BTreeMap<Site, Vec<f32>>,
    /// Of integrated gradients: the largest difference between the sum of a layer's scores and the
    /// effect of moving the whole activation; the sums are only equal for ever finer steps.
    pub convergence_error: Option<f64>,
}

impl Run {
    /// Adds the scores of another part of the same work.
    pub fn add(&mut self, part: &Self) {
        for (site, scores) in &mut self.scores {
            if let Some(more) = part.scores.get(site) {
                scores.iter_mut().zip(more).for_each(|(score, more)| *score += more);
            }
        }
    }
}
