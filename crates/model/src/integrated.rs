//! Integrated gradients: gradients averaged on the way from the base run to the source run.

use relp_lrp::{Rules, backward};
use relp_tape::{Buf, Feed, Outputs, Tape};

use crate::{Config, Direction, Pair, Run, Site, gpt2};

/// What moves from base to source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    /// The embeddings, and everything with them (EAP-IG, inputs).
    Inputs,
    /// Each activation by itself, at all positions at once, the rest staying as in the base run.
    Activations,
}

/// The recorded run of one pair.
///
/// The gradient at step k of n is taken k/n of the way from base to source, for k = 1..n; the score
/// is the average times (source − base), summed over the activation's width.
#[derive(Clone, Debug)]
pub struct Integrated {
    tape: Tape,
    steps: usize,
    ids: Buf,
    /// \[2,2\] and \[n,2\]: the ids of answer and foil.
    targets: [Buf; 2],
    /// \[n,2\]: d metric / d (logit of answer, logit of foil).
    seed: Buf,
    /// The rows of the base run, n times, and as many that are none, \[n,T\].
    rows: Option<[Buf; 2]>,
    /// \[2,2\]: the logits of answer and foil, base and source.
    target_logits: Buf,
    /// \[2,V\].
    logits: Buf,
    maps: Vec<(Site, Vec<Score>)>,
}

/// The scores of a layer.
#[derive(Clone, Copy, Debug)]
struct Score {
    /// \[n,T,G\]: of each step.
    steps: Buf,
    /// \[n,2\]: the logits of answer and foil at each step, where the sum of the scores should be
    /// the difference between the last and the base run.
    complete: Option<Buf>,
}

/// What the recording of every path needs.
struct Recorder<'a> {
    tape: Tape,
    config: &'a Config,
    steps: usize,
    targets: Buf,
    seed: Buf,
    /// Forward pass of base and source, \[2,T,…\].
    forward: gpt2::Forward,
}

impl Integrated {
    /// Records the run.
    ///
    /// # Panics
    /// If `positions` exceeds the model's context, or a count is 0: pairs are checked before.
    pub fn record(
        config: &Config,
        positions: usize,
        sites: &[Site],
        path: Path,
        steps: usize,
    ) -> Self {
        let mut tape = Tape::new();
        let (ids, forward) = gpt2::forward(&mut tape, config, 2, positions);
        let logits = gpt2::logits(&mut tape, config, forward.last_normed);
        let unembedding = gpt2::unembedding(&mut tape, config);
        let two = tape.ids("answer, foil", &[2, 2], config.n_vocab as u32);
        let target_logits = tape.gather_dot("target logits", forward.last_normed, unembedding, two);
        let targets = tape.ids("answer, foil of steps", &[steps, 2], config.n_vocab as u32);
        let seed = tape.input("d target logits", &[steps, 2]);
        tape.output(logits);
        tape.output(target_logits);
        let mut recorder = Recorder { tape, config, steps, targets, seed, forward };
        let (maps, rows) = match path {
            Path::Inputs => (recorder.inputs(sites), None),
            Path::Activations => {
                let rows = 2 * positions as u32;
                let shape = [steps, positions];
                let rows = ["base rows", "no rows"].map(|n| recorder.tape.ids(n, &shape, rows + 1));
                (recorder.activations(sites, rows), Some(rows))
            }
        };
        let tape = recorder.tape;
        let targets = [two, targets];
        Self { tape, steps, ids, targets, seed, rows, target_logits, logits, maps }
    }

    /// The computation.
    pub fn tape(&self) -> &Tape {
        &self.tape
    }

    /// The inputs of a run.
    ///
    /// # Panics
    /// If the pair's length is not what was recorded.
    pub fn feed(&self, pair: &Pair, direction: Direction) -> Feed {
        let (base, source) = direction.prompts();
        let mut feed = Feed::new();
        let tokens = pair.tokens(base).iter().chain(pair.tokens(source));
        feed.ids(self.ids, tokens.map(|token| token.id).collect());
        let targets = [pair.answer.id, pair.foil.id];
        feed.ids(self.targets[0], targets.repeat(2));
        feed.ids(self.targets[1], targets.repeat(self.steps));
        feed.values(self.seed, [1.0, -1.0].repeat(self.steps));
        if let Some([rows, none]) = self.rows {
            let positions = pair.positions() as u32;
            let base: Vec<u32> = (0..positions).collect();
            feed.ids(rows, base.repeat(self.steps));
            feed.ids(none, vec![2 * positions; self.steps * positions as usize]);
        }
        feed
    }

    /// What a run found.
    pub fn read(&self, outputs: &Outputs, direction: Direction) -> Run {
        let metric = |logits: &[f32]| f64::from(logits[0]) - f64::from(logits[1]);
        let target_logits = outputs.get(self.target_logits);
        let [base, source] = [metric(target_logits), metric(&target_logits[2..])];
        let (metric_clean, metric_corrupted) = direction.clean_and_corrupted(base, source);
        let (base_logits, source_logits) = outputs.get(self.logits).split_at(self.n_vocab());
        let (clean, corrupted) = direction.clean_and_corrupted(base_logits, source_logits);
        let mut error: Option<f64> = None;
        let mut layer = |score: &Score| {
            let values = outputs.get(score.steps);
            let len = values.len() / self.steps;
            let mean = |i: usize| {
                let sum: f64 = values[i..].iter().step_by(len).copied().map(f64::from).sum();
                sum / self.steps as f64
            };
            let means: Vec<f64> = (0..len).map(mean).collect();
            if let Some(complete) = score.complete {
                let last = metric(&outputs.get(complete)[2 * (self.steps - 1)..]);
                let off = (means.iter().sum::<f64>() - (last - base)).abs();
                error = Some(error.map_or(off, |error| error.max(off)));
            }
            means.into_iter().map(|mean| mean as f32).collect::<Vec<_>>()
        };
        let scores = self
            .maps
            .iter()
            .map(|(site, layers)| (*site, layers.iter().flat_map(&mut layer).collect()))
            .collect();
        Run {
            metric_clean,
            metric_corrupted,
            logits_clean: clean.to_vec(),
            logits_corrupted: corrupted.to_vec(),
            scores,
            convergence_error: error,
        }
    }

    fn n_vocab(&self) -> usize {
        self.tape.info(self.logits).cols()
    }
}

impl Recorder<'_> {
    /// Moves the embeddings; one pass gives the gradients of every site.
    fn inputs(&mut self, sites: &[Site]) -> Vec<(Site, Vec<Score>)> {
        let embedded = self.forward.layers[0].resid_pre;
        let moved =
            self.tape.interpolate("moved embeddings", embedded, 0..self.config.d_model, self.steps);
        let forward = gpt2::forward_from(&mut self.tape, self.config, 0, moved);
        let target_logits = self.target_logits(forward.last_normed);
        let at = |site: Site| forward.layers.iter().map(move |layer| layer.site(site));
        let wanted: Vec<Buf> = sites.iter().flat_map(|&site| at(site)).collect();
        let seeds = [(target_logits, self.seed)];
        let gradients = backward(&mut self.tape, &seeds, &wanted, Rules::NONE);
        let mut maps = Vec::new();
        for &site in sites {
            let mut scores = Vec::new();
            for (l, act) in at(site).enumerate() {
                let Some(grad) = gradients.get(act) else {
                    unreachable!("the metric depends on every site of every layer")
                };
                let steps = self.score(site, l, grad);
                // The residual stream before the first layer is all that moves by itself.
                let complete = (site == Site::ResidPre && l == 0).then_some(target_logits);
                scores.push(Score { steps, complete });
            }
            maps.push((site, scores));
        }
        maps
    }

    /// Moves each activation; a pass for each, from its layer on.
    fn activations(&mut self, sites: &[Site], rows: [Buf; 2]) -> Vec<(Site, Vec<Score>)> {
        let mut maps = Vec::new();
        for &site in sites {
            let scores = (0..self.config.n_layer).map(|l| self.activation(site, l, rows)).collect();
            maps.push((site, scores));
        }
        maps
    }

    fn activation(&mut self, site: Site, l: usize, rows: [Buf; 2]) -> Score {
        let layer = self.forward.layers[l];
        let name = format!("moved blocks.{l}.{site}");
        let moved =
            self.tape.interpolate(&name, layer.site(site), 0..self.config.d_model, self.steps);
        let (first, resid) = match site {
            Site::ResidPre => (l, moved),
            Site::Z => {
                let out = gpt2::attn_out(&mut self.tape, self.config, l, moved);
                let resid_mid = self.add_base(l, layer.resid_pre, out, rows);
                (l + 1, self.mlp(l, resid_mid))
            }
            Site::AttnOut => {
                let resid_mid = self.add_base(l, layer.resid_pre, moved, rows);
                (l + 1, self.mlp(l, resid_mid))
            }
            Site::ResidMid => (l + 1, self.mlp(l, moved)),
            Site::MlpOut => (l + 1, self.add_base(l, layer.resid_mid, moved, rows)),
            Site::ResidPost => (l + 1, moved),
        };
        let forward = gpt2::forward_from(&mut self.tape, self.config, first, resid);
        let target_logits = self.target_logits(forward.last_normed);
        let seeds = [(target_logits, self.seed)];
        let gradients = backward(&mut self.tape, &seeds, &[moved], Rules::NONE);
        let Some(grad) = gradients.get(moved) else {
            unreachable!("the metric depends on every site of every layer")
        };
        Score { steps: self.score(site, l, grad), complete: Some(target_logits) }
    }

    /// Layer `l` from its middle.
    fn mlp(&mut self, l: usize, resid_mid: Buf) -> Buf {
        let (_, out) = gpt2::mlp(&mut self.tape, self.config, l, resid_mid);
        self.tape.add(&gpt2::hook_name(l, "resid_post"), resid_mid, out)
    }

    /// `moved` \[n,T,D\] plus the base run's part of `act` \[2,T,D\].
    fn add_base(&mut self, l: usize, act: Buf, moved: Buf, [rows, none]: [Buf; 2]) -> Buf {
        let name = format!("base of {}", self.tape.name(act));
        let base = self.tape.add_rows(&name, act, rows, act, none);
        self.tape.add(&gpt2::hook_name(l, "moved resid"), moved, base)
    }

    /// \[n,2\].
    fn target_logits(&mut self, normed: Buf) -> Buf {
        let unembedding = gpt2::unembedding(&mut self.tape, self.config);
        let logits =
            self.tape.gather_dot("target logits of steps", normed, unembedding, self.targets);
        self.tape.output(logits);
        logits
    }

    /// \[n,T,G\].
    fn score(&mut self, site: Site, l: usize, grad: Buf) -> Buf {
        let act = self.forward.layers[l].site(site);
        let groups = site.scores(self.config.n_head);
        let score = self.tape.delta_dot(&format!("score blocks.{l}.{site}"), act, grad, 0, groups);
        self.tape.output(score);
        score
    }
}
