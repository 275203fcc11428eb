//! One attribution as one tape: both forward passes, one backward pass, and the products.

use relp_lrp::{Rules, backward};
use relp_tape::{Buf, Feed, Outputs, Tape};

use crate::{Config, Direction, Pair, Run, Site, gpt2};

/// The recorded run of `pairs` pairs of `positions` tokens.
///
/// The batch holds the base runs and then the source runs, so that the backward pass is of the
/// first half. Scores are `(source − base) · coefficient`, summed over the activation's width:
/// attribution patching without rules, relevance patching with them (arXiv 2508.21258, eq. 4).
/// The direction is only a matter of which prompt is fed as which.
#[derive(Clone, Debug)]
pub struct Attribution {
    tape: Tape,
    pairs: usize,
    ids: Buf,
    /// \[2·pairs, 2\]: the ids of answer and foil.
    targets: Buf,
    /// \[pairs, 2\]: d metric / d (logit of answer, logit of foil).
    seed: Buf,
    /// \[2·pairs, 2\]: the logits of answer and foil.
    target_logits: Buf,
    /// \[2·pairs, V\].
    logits: Buf,
    maps: Vec<(Site, Vec<Buf>)>,
}

impl Attribution {
    /// Records the run.
    ///
    /// # Panics
    /// If `positions` exceeds the model's context, or a count is 0: pairs are checked before.
    pub fn record(
        config: &Config,
        pairs: usize,
        positions: usize,
        sites: &[Site],
        rules: Rules,
    ) -> Self {
        let mut tape = Tape::new();
        let (ids, forward) = gpt2::forward(&mut tape, config, 2 * pairs, positions);
        let logits = gpt2::logits(&mut tape, config, forward.last_normed);
        let unembedding = gpt2::unembedding(&mut tape, config);
        let targets = tape.ids("answer, foil", &[2 * pairs, 2], config.n_vocab as u32);
        let target_logits =
            tape.gather_dot("target logits", forward.last_normed, unembedding, targets);

        let seed = tape.input("d target logits", &[pairs, 2]);
        let at = |site: Site| forward.layers.iter().map(move |layer| layer.site(site));
        let wanted: Vec<Buf> = sites.iter().flat_map(|&site| at(site)).collect();
        let gradients = backward(&mut tape, &[(target_logits, seed)], &wanted, rules);

        let mut maps = Vec::new();
        for &site in sites {
            let mut rows = Vec::with_capacity(config.n_layer);
            for (l, act) in at(site).enumerate() {
                let Some(grad) = gradients.get(act) else {
                    unreachable!("the metric depends on every site of every layer")
                };
                let groups = site.scores(config.n_head);
                let name = format!("score blocks.{l}.{site}");
                let row = tape.delta_dot(&name, act, grad, 0, groups);
                tape.output(row);
                rows.push(row);
            }
            maps.push((site, rows));
        }
        tape.output(logits);
        tape.output(target_logits);
        Self { tape, pairs, ids, targets, seed, target_logits, logits, maps }
    }

    /// The computation.
    pub fn tape(&self) -> &Tape {
        &self.tape
    }

    /// The inputs of a run.
    ///
    /// # Panics
    /// If the number of pairs or their lengths are not what was recorded.
    pub fn feed(&self, pairs: &[Pair], direction: Direction) -> Feed {
        assert_eq!(pairs.len(), self.pairs, "recorded for another number of pairs");
        let (base, source) = direction.prompts();
        let mut feed = Feed::new();
        let tokens = |prompt| pairs.iter().flat_map(move |pair| pair.tokens(prompt));
        feed.ids(self.ids, tokens(base).chain(tokens(source)).map(|token| token.id).collect());
        let targets = pairs.iter().flat_map(|pair| [pair.answer.id, pair.foil.id]);
        feed.ids(self.targets, targets.clone().chain(targets).collect());
        feed.values(self.seed, [1.0, -1.0].repeat(self.pairs));
        feed
    }

    /// What a run found, a [`Run`] for each pair.
    pub fn read(&self, outputs: &Outputs, direction: Direction) -> Vec<Run> {
        let target_logits = outputs.get(self.target_logits);
        let logits = outputs.get(self.logits);
        let n_vocab = logits.len() / (2 * self.pairs);
        let run = |pair: usize| {
            let (base, source) = (pair, self.pairs + pair);
            let (clean, corrupted) = direction.clean_and_corrupted(base, source);
            let metric = |row: usize| {
                f64::from(target_logits[2 * row]) - f64::from(target_logits[2 * row + 1])
            };
            let logits = |row: usize| logits[row * n_vocab..][..n_vocab].to_vec();
            let map = |rows: &[Buf]| {
                let row = |&buf: &Buf| {
                    let values = outputs.get(buf);
                    let len = values.len() / self.pairs;
                    values[pair * len..][..len].iter().copied()
                };
                rows.iter().flat_map(row).collect()
            };
            Run {
                metric_clean: metric(clean),
                metric_corrupted: metric(corrupted),
                logits_clean: logits(clean),
                logits_corrupted: logits(corrupted),
                scores: self.maps.iter().map(|(site, rows)| (*site, map(rows))).collect(),
                convergence_error: None,
            }
        };
        (0..self.pairs).map(run).collect()
    }
}
