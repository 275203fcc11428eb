//! The number that a component's effect is measured in.

use std::fmt;
use std::str::FromStr;

use relp_tape::Measure;
use serde::{Deserialize, Serialize};

use crate::UnknownName;

/// A number read off the logits l of the last position, with p = softmax(l), answers A and foils F.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// mean of l over A − mean of l over F, in logits.
    #[default]
    LogitDiff,
    /// ln Σ p over A, in nats.
    LogProb,
    /// Σ p over A − Σ p over F.
    ProbDiff,
    /// Σ_v P_v (ln P_v − ln p_v), where P is p of the clean run, in nats.
    Kl,
}

impl Metric {
    /// All metrics.
    pub const ALL: [Self; 4] = [Self::LogitDiff, Self::LogProb, Self::ProbDiff, Self::Kl];

    /// The name in figures.
    pub fn name(self) -> &'static str {
        match self {
            Metric::LogitDiff => "logit_diff",
            Metric::LogProb => "log_prob",
            Metric::ProbDiff => "prob_diff",
            Metric::Kl => "kl",
        }
    }

    /// How people write it.
    pub fn title(self) -> &'static str {
        match self {
            Metric::LogitDiff => "logit difference",
            Metric::LogProb => "log-probability of the answer",
            Metric::ProbDiff => "probability difference",
            Metric::Kl => "KL from the clean distribution",
        }
    }

    /// What its values are counted in; empty for probabilities.
    pub fn unit(self) -> &'static str {
        match self {
            Metric::LogitDiff => "logits",
            Metric::LogProb | Metric::Kl => "nats",
            Metric::ProbDiff => "",
        }
    }

    /// Whether it is of an answer.
    pub fn has_answers(self) -> bool {
        self != Metric::Kl
    }

    /// Whether it is of a foil.
    pub fn has_foils(self) -> bool {
        matches!(self, Metric::LogitDiff | Metric::ProbDiff)
    }

    /// The least |metric(clean) − metric(corrupted)| that scores are divided by. Below it they would
    /// mostly show the rounding of the logits.
    pub(crate) fn least_normaliser(self) -> f64 {
        if self == Metric::ProbDiff { 0.001 } else { 0.01 }
    }

    /// The op's word for it; `None` for the logit difference, which needs no probabilities.
    pub(crate) fn measure(self) -> Option<Measure> {
        match self {
            Metric::LogitDiff => None,
            Metric::LogProb => Some(Measure::LogProb),
            Metric::ProbDiff => Some(Measure::ProbDiff),
            Metric::Kl => Some(Measure::Divergence),
        }
    }

    /// Its value, from all logits of a run and of the clean run; `None` if a target is not among
    /// them. This is not how a run computes it, and so can check it.
    pub fn of(self, logits: &[f32], clean: &[f32], answers: &[u32], foils: &[u32]) -> Option<f64> {
        let logit = |&id: &u32| logits.get(id as usize).map(|&logit| f64::from(logit));
        let all = |ids: &[u32]| ids.iter().map(logit).collect::<Option<Vec<_>>>();
        let (answers, foils) = (all(answers)?, all(foils)?);
        let mean = |logits: &[f64]| logits.iter().sum::<f64>() / logits.len() as f64;
        let total = log_sum_exp(logits.iter().map(|&logit| f64::from(logit)));
        let share = |logits: &[f64]| logits.iter().map(|logit| (logit - total).exp()).sum::<f64>();
        Some(match self {
            Metric::LogitDiff => mean(&answers) - mean(&foils),
            Metric::LogProb => log_sum_exp(answers.iter().copied()) - total,
            Metric::ProbDiff => share(&answers) - share(&foils),
            Metric::Kl => {
                let of_clean = log_sum_exp(clean.iter().map(|&logit| f64::from(logit)));
                let term = |(&clean, &logit): (&f32, &f32)| {
                    let log_p = f64::from(clean) - of_clean;
                    log_p.exp() * (log_p - (f64::from(logit) - total))
                };
                clean.iter().zip(logits).map(term).sum()
            }
        })
    }
}

fn log_sum_exp(x: impl Iterator<Item = f64> + Clone) -> f64 {
    let max = x.clone().fold(f64::NEG_INFINITY, f64::max);
    max + x.map(|x| (x - max).exp()).sum::<f64>().ln()
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Metric {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        UnknownName::find("metric", text, Self::ALL, Metric::name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: Option<f64>, expected: f64) {
        assert!((found.unwrap() - expected).abs() < 1e-6, "{found:?} {expected}");
    }

    #[test]
    fn by_hand() {
        // Probabilities 1/8, 1/8, 2/8, 4/8; and 1/4 each.
        let ln2 = std::f32::consts::LN_2;
        let (logits, clean) = ([0.0, 0.0, ln2, 2.0 * ln2], [5.0; 4]);
        let of = |metric: Metric, answers: &[u32], foils: &[u32]| {
            metric.of(&logits, &clean, answers, foils)
        };
        let ln2 = f64::from(ln2);
        close(of(Metric::LogitDiff, &[3], &[2]), ln2);
        close(of(Metric::LogitDiff, &[3, 0], &[2]), 0.0);
        close(of(Metric::LogProb, &[3, 2], &[]), 0.75_f64.ln());
        close(of(Metric::ProbDiff, &[3], &[0, 1, 2]), 0.0);
        // ln ¼ − the mean of ln p.
        close(of(Metric::Kl, &[], &[]), -2.0 * ln2 + (3.0 + 3.0 + 2.0 + 1.0) / 4.0 * ln2);
        assert_eq!(of(Metric::LogitDiff, &[4], &[0]), None);
        close(Metric::Kl.of(&clean, &clean, &[], &[]), 0.0);
    }
}
