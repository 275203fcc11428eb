//! Numbers read off rows of logits, and their derivatives. A row may be a whole vocabulary.

use relp_tape::Measure;

use crate::parallel;

/// The operands of both ops.
pub(crate) struct Rows<'a> {
    pub(crate) logits: &'a [f32],
    pub(crate) clean: &'a [f32],
    pub(crate) clean_rows: &'a [u32],
    pub(crate) targets: &'a [u32],
    /// Targets a row.
    pub(crate) per_row: usize,
    /// How many of them are answers.
    pub(crate) answers: usize,
    pub(crate) n_vocab: usize,
}

/// A row of logits, and what makes probabilities of them.
#[derive(Clone, Copy)]
struct Row<'a> {
    logits: &'a [f32],
    max: f32,
    /// Σ exp(logit − max).
    sum: f32,
}

impl<'a> Row<'a> {
    fn of(logits: &'a [f32], n: usize, n_vocab: usize) -> Self {
        let logits = &logits[n * n_vocab..][..n_vocab];
        let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        // In f64, as a vocabulary's small terms add up.
        let sum: f64 = logits.iter().map(|x| f64::from((x - max).exp())).sum();
        Self { logits, max, sum: sum as f32 }
    }

    /// p of one of the logits.
    fn probability(self, logit: f32) -> f32 {
        (logit - self.max).exp() / self.sum
    }

    /// ln p of one of the logits.
    fn log_probability(self, logit: f32) -> f32 {
        logit - self.max - self.sum.ln()
    }

    /// Σ p over some targets.
    fn total(self, targets: &[u32]) -> f32 {
        targets.iter().map(|&v| self.probability(self.logits[v as usize])).sum()
    }

    /// ln Σ exp(logit) over some targets.
    fn log_sum(self, targets: &[u32]) -> f32 {
        let of = |&v: &u32| self.logits[v as usize];
        let max = targets.iter().map(of).fold(f32::NEG_INFINITY, f32::max);
        max + targets.iter().map(|v| (of(v) - max).exp()).sum::<f32>().ln()
    }
}

impl<'a> Rows<'a> {
    fn row(&self, n: usize) -> Row<'a> {
        Row::of(self.logits, n, self.n_vocab)
    }

    fn clean(&self, n: usize) -> Row<'a> {
        Row::of(self.clean, self.clean_rows[n] as usize, self.n_vocab)
    }

    /// Answers and foils of a row.
    fn targets(&self, n: usize) -> (&'a [u32], &'a [u32]) {
        self.targets[n * self.per_row..][..self.per_row].split_at(self.answers)
    }
}

/// → `out` \[N,1\].
pub(crate) fn metric(rows: &Rows<'_>, measure: Measure, out: &mut [f32]) {
    let work = out.len() * rows.n_vocab * 8;
    parallel::chunks(out, 1, work, |n, out| {
        let row = rows.row(n);
        let (answers, foils) = rows.targets(n);
        out[0] = match measure {
            Measure::LogProb => row.log_probability(row.log_sum(answers)),
            Measure::ProbDiff => row.total(answers) - row.total(foils),
            Measure::Divergence => {
                let clean = rows.clean(n);
                let both = clean.logits.iter().zip(row.logits);
                let term = |(&of_clean, &of_row): (&f32, &f32)| {
                    let log_ratio = clean.log_probability(of_clean) - row.log_probability(of_row);
                    f64::from(clean.probability(of_clean) * log_ratio)
                };
                both.map(term).sum::<f64>() as f32
            }
        };
    });
}

/// `dy` \[N,1\] → `out` \[N,V\].
pub(crate) fn metric_grad(dy: &[f32], rows: &Rows<'_>, measure: Measure, out: &mut [f32]) {
    let work = out.len() * 8;
    parallel::chunks(out, rows.n_vocab, work, |n, out| {
        let (row, dy) = (rows.row(n), dy[n]);
        let (answers, foils) = rows.targets(n);
        match measure {
            Measure::LogProb => {
                for (out, &logit) in out.iter_mut().zip(row.logits) {
                    *out = -dy * row.probability(logit);
                }
                let log_sum = row.log_sum(answers);
                for &v in answers {
                    out[v as usize] += dy * (row.logits[v as usize] - log_sum).exp();
                }
            }
            Measure::ProbDiff => {
                let difference = row.total(answers) - row.total(foils);
                for (out, &logit) in out.iter_mut().zip(row.logits) {
                    *out = -dy * row.probability(logit) * difference;
                }
                for (targets, sign) in [(answers, dy), (foils, -dy)] {
                    for &v in targets {
                        out[v as usize] += sign * row.probability(row.logits[v as usize]);
                    }
                }
            }
            Measure::Divergence => {
                let clean = rows.clean(n);
                for ((out, &logit), &of_clean) in out.iter_mut().zip(row.logits).zip(clean.logits) {
                    *out = dy * (row.probability(logit) - clean.probability(of_clean));
                }
            }
        }
    });
}
