//! Recording a metric: from the final residual rows to a number a row.

use relp_tape::{Buf, Feed, Outputs, Tape};

use crate::{Config, Metric, Pair, gpt2};

/// A metric of so many answers and foils.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) metric: Metric,
    pub(crate) answers: usize,
    pub(crate) foils: usize,
}

impl Asked {
    /// What a metric asks of a pair.
    pub(crate) fn of(metric: Metric, pair: &Pair) -> Self {
        Self { metric, answers: pair.answers.len(), foils: pair.foils.len() }
    }

    /// Targets a row; one stands in where there is none, since no buffer is empty.
    fn width(self) -> usize {
        (self.answers + self.foils).max(1)
    }

    fn targets(self, pair: &Pair) -> Vec<u32> {
        let mut ids = pair.targets();
        ids.resize(self.width(), 0);
        ids
    }

    /// Of the logit difference: the weight of each target's logit.
    fn weights(self) -> Vec<f32> {
        let answers = vec![1.0 / self.answers as f32; self.answers];
        let foils = vec![-1.0 / self.foils as f32; self.foils];
        [answers, foils].concat()
    }
}

/// The metric of some residual rows.
#[derive(Clone, Debug)]
pub(crate) struct Readout {
    asked: Asked,
    /// \[N,K\]: answers and foils.
    targets: Buf,
    /// \[N\]: which row of the clean logits each is compared with.
    clean_rows: Option<Buf>,
    /// \[N,K\], the targets' logits, or \[N,1\], the metric.
    values: Buf,
    /// Of the first rows: d metric / d `values`.
    seed: Option<Buf>,
}

impl Readout {
    /// Records the metric of normalised residual rows \[N,D\]. `logits` are theirs, if they are
    /// recorded already; `clean` holds those of the clean run among its rows.
    pub(crate) fn record(
        tape: &mut Tape,
        config: &Config,
        asked: Asked,
        (normed, logits): (Buf, Option<Buf>),
        clean: Buf,
    ) -> Self {
        let rows = tape.info(normed).rows();
        let targets = tape.ids("targets", &[rows, asked.width()], config.n_vocab as u32);
        let (values, clean_rows) = match asked.metric.measure() {
            None => {
                let unembedding = gpt2::unembedding(tape, config);
                (tape.gather_dot("target logits", normed, unembedding, targets), None)
            }
            Some(measure) => {
                let logits = logits.unwrap_or_else(|| gpt2::logits(tape, config, normed));
                let below = tape.info(clean).rows() as u32;
                let clean_rows = tape.ids("clean rows", &[rows], below);
                let clean = (clean, clean_rows);
                let name = asked.metric.name();
                let values = tape.metric(name, logits, clean, targets, asked.answers, measure);
                (values, Some(clean_rows))
            }
        };
        tape.output(values);
        Self { asked, targets, clean_rows, values, seed: None }
    }

    /// What a backward pass of the first `rows` rows begins with.
    pub(crate) fn seed(&mut self, tape: &mut Tape, rows: usize) -> (Buf, Buf) {
        let cols = tape.info(self.values).cols();
        let seed = tape.input("d metric", &[rows, cols]);
        self.seed = Some(seed);
        (self.values, seed)
    }

    /// Gives the inputs: each row's pair, and which row of the clean logits is of that pair's clean
    /// run.
    pub(crate) fn feed<'a>(
        &self,
        tape: &Tape,
        feed: &mut Feed,
        pair: impl Fn(usize) -> &'a Pair,
        clean_row: impl Fn(usize) -> usize,
    ) {
        let rows = tape.info(self.targets).rows();
        feed.ids(self.targets, (0..rows).flat_map(|n| self.asked.targets(pair(n))).collect());
        if let Some(clean_rows) = self.clean_rows {
            feed.ids(clean_rows, (0..rows).map(|n| clean_row(n) as u32).collect());
        }
        if let Some(seed) = self.seed {
            let one = match self.clean_rows {
                None => self.asked.weights(),
                Some(_) => vec![1.0],
            };
            feed.values(seed, one.repeat(tape.info(seed).rows()));
        }
    }

    /// The metric of each row.
    pub(crate) fn read(&self, outputs: &Outputs) -> Vec<f64> {
        let values = outputs.get(self.values);
        match self.clean_rows {
            None => {
                // In f64, as effects are differences of these.
                let (answers, foils) = (self.asked.answers, self.asked.foils);
                let mean = |logits: &[f32], n: usize| {
                    logits.iter().copied().map(f64::from).sum::<f64>() / n as f64
                };
                let metric = |logits: &[f32]| {
                    mean(&logits[..answers], answers) - mean(&logits[answers..], foils)
                };
                values.chunks(self.asked.width()).map(metric).collect()
            }
            Some(_) => values.iter().copied().map(f64::from).collect(),
        }
    }
}
