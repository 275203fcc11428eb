//! Numbers read off rows of logits, and their derivatives.

use crate::Measure;

/// The operands of both ops.
pub(super) struct Rows<'a> {
    pub(super) logits: &'a [f64],
    pub(super) clean: &'a [f64],
    pub(super) clean_rows: &'a [u32],
    pub(super) targets: &'a [u32],
    /// Targets a row.
    pub(super) per_row: usize,
    /// How many of them are answers.
    pub(super) answers: usize,
    pub(super) n_vocab: usize,
}

impl Rows<'_> {
    /// ln p and ln P of a row.
    fn log_probs(&self, n: usize) -> (Vec<f64>, Vec<f64>) {
        let row =
            |logits: &[f64], n: usize| log_softmax(&logits[n * self.n_vocab..][..self.n_vocab]);
        (row(self.logits, n), row(self.clean, self.clean_rows[n] as usize))
    }

    /// Answers and foils of a row.
    fn targets(&self, n: usize) -> (&[u32], &[u32]) {
        self.targets[n * self.per_row..][..self.per_row].split_at(self.answers)
    }
}

fn log_softmax(logits: &[f64]) -> Vec<f64> {
    let max = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let log_sum = max + logits.iter().map(|x| (x - max).exp()).sum::<f64>().ln();
    logits.iter().map(|x| x - log_sum).collect()
}

/// Σ p over some targets.
fn total(log_p: &[f64], targets: &[u32]) -> f64 {
    targets.iter().map(|&v| log_p[v as usize].exp()).sum()
}

/// ln Σ p over some targets, also where every p is too small for a number.
fn log_total(log_p: &[f64], targets: &[u32]) -> f64 {
    let of = |&v: &u32| log_p[v as usize];
    let max = targets.iter().map(of).fold(f64::NEG_INFINITY, f64::max);
    max + targets.iter().map(|v| (of(v) - max).exp()).sum::<f64>().ln()
}

pub(super) fn metric(rows: &Rows<'_>, measure: Measure) -> Vec<f64> {
    let one = |n: usize| {
        let (log_p, log_clean) = rows.log_probs(n);
        let (answers, foils) = rows.targets(n);
        match measure {
            Measure::LogProb => log_total(&log_p, answers),
            Measure::ProbDiff => total(&log_p, answers) - total(&log_p, foils),
            Measure::Divergence => {
                log_clean.iter().zip(&log_p).map(|(clean, p)| clean.exp() * (clean - p)).sum()
            }
        }
    };
    (0..rows.logits.len() / rows.n_vocab).map(one).collect()
}

/// As many rows as `dy` has.
pub(super) fn metric_grad(dy: &[f64], rows: &Rows<'_>, measure: Measure) -> Vec<f64> {
    let row = |(n, dy): (usize, &f64)| -> Vec<f64> {
        let (log_p, log_clean) = rows.log_probs(n);
        let (answers, foils) = rows.targets(n);
        let in_answers = |v: usize| answers.contains(&(v as u32));
        let slope = |v: usize| -> f64 {
            let p = log_p[v].exp();
            match measure {
                // d ln Σ_A p = p_v / Σ_A p of the answers, − p_v of all.
                Measure::LogProb if in_answers(v) => {
                    (log_p[v] - log_total(&log_p, answers)).exp() - p
                }
                Measure::LogProb => -p,
                Measure::ProbDiff => {
                    let own = f64::from(in_answers(v)) - f64::from(foils.contains(&(v as u32)));
                    p * (own - (total(&log_p, answers) - total(&log_p, foils)))
                }
                Measure::Divergence => p - log_clean[v].exp(),
            }
        };
        (0..rows.n_vocab).map(|v| dy * slope(v)).collect()
    };
    dy.iter().enumerate().flat_map(row).collect()
}
