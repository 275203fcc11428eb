//! Integrated gradients: gradients averaged on the way from the base run to what is put in.

use std::ops::Range;

use relp_lrp::{Rules, backward};
use relp_tape::{Buf, Feed, Outputs, Tape};

use crate::readout::Readout;
use crate::replace::Given;
use crate::scores::{Moved, Scores};
use crate::{Config, Direction, Method, Pair, Recipe, Run, Site, gpt2};

/// The recorded run of one pair.
///
/// The gradient at step k of n is taken k/n of the way from base to source, for k = 1..n; the score
/// is the average times (source − base), summed over each component. By IG (inputs) the embeddings
/// move, and everything with them (EAP-IG, inputs); by IG (activations) each activation moves by
/// itself, at all positions at once, the rest staying as in the base run.
#[derive(Clone, Debug)]
pub struct Integrated {
    config: Config,
    tape: Tape,
    steps: usize,
    ids: Buf,
    given: Given,
    /// \[2\]: of base and source.
    readout: Readout,
    /// \[2,V\].
    logits: Buf,
    maps: Vec<(Site, Vec<OfLayer>)>,
    /// The metric at each step, \[n\], of each run that moves.
    moved: Vec<Readout>,
}

/// The scores of a layer.
#[derive(Clone, Copy, Debug)]
struct OfLayer {
    /// Of each step.
    scores: Scores,
    /// Which of the moved runs should differ from the base run by the sum of the scores, if one does.
    complete: Option<usize>,
}

/// What the recording of every path needs.
struct Recorder<'a> {
    tape: Tape,
    config: &'a Config,
    recipe: &'a Recipe,
    /// Forward pass of base and source, \[2,T,…\].
    forward: gpt2::Forward,
    /// \[2,V\].
    logits: Buf,
    given: Given,
    moved: Vec<Readout>,
}

impl Integrated {
    /// Records the run.
    ///
    /// # Panics
    /// If the positions exceed the model's context, or a count is 0: pairs are checked before.
    pub fn record(config: &Config, recipe: &Recipe) -> Self {
        let mut tape = Tape::new();
        let (ids, forward, logits) = gpt2::kept_forward(&mut tape, config, 2, recipe.positions);
        let last = (forward.last_normed, Some(logits));
        let readout = Readout::record(&mut tape, config, recipe.asked, last, logits);
        tape.output(logits);
        let (given, moved) = (Given::default(), Vec::new());
        let mut recorder = Recorder { tape, config, recipe, forward, logits, given, moved };
        let maps = match recipe.method {
            Method::IgInputs => recorder.inputs(),
            _ => recorder.activations(),
        };
        let Recorder { tape, given, moved, .. } = recorder;
        let (config, steps) = (config.clone(), recipe.steps);
        Self { config, tape, steps, ids, given, readout, logits, maps, moved }
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
        self.given.feed(&mut feed);
        let (clean, _) = direction.clean_and_corrupted(0, 1);
        for readout in self.moved.iter().chain([&self.readout]) {
            readout.feed(&self.tape, &mut feed, |_| pair, |_| clean);
        }
        feed
    }

    /// What a run found.
    pub fn read(&self, outputs: &Outputs, direction: Direction) -> Run {
        let metric = self.readout.read(outputs);
        let (metric_clean, metric_corrupted) = direction.clean_and_corrupted(metric[0], metric[1]);
        let (base_logits, source_logits) = outputs.get(self.logits).split_at(self.config.n_vocab);
        let (clean, corrupted) = direction.clean_and_corrupted(base_logits, source_logits);
        let mut error: Option<f64> = None;
        let mut scores = |site: Site, of: &OfLayer| {
            let means = self.mean(site, of.scores, outputs);
            if let Some(complete) = of.complete {
                let moved = self.moved[complete].read(outputs);
                let effect = moved.last().map_or(0.0, |last| last - metric[0]);
                let off = (means.iter().sum::<f64>() - effect).abs();
                error = Some(error.map_or(off, |error| error.max(off)));
            }
            means.into_iter().map(|mean| mean as f32).collect::<Vec<_>>()
        };
        let map = |(site, layers): &(Site, Vec<OfLayer>)| {
            (*site, layers.iter().flat_map(|of| scores(*site, of)).collect())
        };
        Run {
            metric_clean,
            metric_corrupted,
            logits_clean: clean.to_vec(),
            logits_corrupted: corrupted.to_vec(),
            scores: self.maps.iter().map(map).collect(),
            convergence_error: error,
        }
    }

    /// The scores of a layer, averaged over the steps.
    fn mean(&self, site: Site, scores: Scores, outputs: &Outputs) -> Vec<f64> {
        let len = self.tape.shape(self.ids)[1] * site.components(&self.config);
        let mut mean = vec![0.0; len];
        for step in 0..self.steps {
            let read = scores.read(&self.tape, &self.config, site, outputs, step);
            for (mean, score) in mean.iter_mut().zip(read.unwrap_or_default()) {
                *mean += score / self.steps as f64;
            }
        }
        mean
    }
}

impl Recorder<'_> {
    /// Moves the embeddings; one pass gives the gradients of every site.
    fn inputs(&mut self) -> Vec<(Site, Vec<OfLayer>)> {
        let embedded = self.forward.layers[0].resid_pre;
        let moved = self.tape.interpolate(
            "moved embeddings",
            embedded,
            0..self.config.d_model,
            self.recipe.steps,
        );
        let forward = gpt2::forward_from(&mut self.tape, self.config, 0, moved);
        let (complete, seed) = self.read_out(forward.last_normed);
        let sites = &self.recipe.sites;
        let wanted: Vec<Buf> = forward
            .layers
            .iter()
            .flat_map(|layer| sites.iter().map(|&site| layer.site(site)))
            .collect();
        let gradients = backward(&mut self.tape, &[seed], &wanted, Rules::NONE);
        let mut maps = Vec::new();
        for &site in sites {
            let of_layer = |(l, layer): (usize, &gpt2::Layer)| {
                let act = self.forward.layers[l].site(site);
                let moved = Moved { act, of: layer.site(site), gradients: &gradients };
                let scores = Scores::record(&mut self.tape, self.config, (site, l), &moved);
                // The residual stream before the first layer is all that moves by itself.
                let complete = (site == Site::ResidPre && l == 0).then_some(complete);
                OfLayer { scores, complete }
            };
            maps.push((site, forward.layers.iter().enumerate().map(of_layer).collect()));
        }
        maps
    }

    /// Moves each activation; a pass for each, from its layer on.
    fn activations(&mut self) -> Vec<(Site, Vec<OfLayer>)> {
        let sites = self.recipe.sites.clone();
        let mut layers =
            |site| (0..self.config.n_layer).map(|l| self.activation(site, l)).collect();
        sites.into_iter().map(|site| (site, layers(site))).collect()
    }

    fn activation(&mut self, site: Site, l: usize) -> OfLayer {
        let layer = self.forward.layers[l];
        let act = self.given.replaced(&mut self.tape, layer.site(site), self.recipe.replace);
        let name = format!("moved blocks.{l}.{site}");
        let columns = self.columns(site);
        let moved = self.tape.interpolate(&name, act, columns, self.recipe.steps);
        let (first, resid) = match site {
            Site::Embed | Site::ResidPre => (l, moved),
            Site::Q | Site::K | Site::V => {
                let pattern = gpt2::pattern(&mut self.tape, self.config, l, moved);
                (l + 1, self.after_pattern(l, pattern, moved))
            }
            Site::Pattern => {
                let qkv = self.base_of(layer.qkv);
                (l + 1, self.after_pattern(l, moved, qkv))
            }
            Site::Z => (l + 1, self.after_z(l, moved)),
            Site::AttnOut => (l + 1, self.after_attn_out(l, moved)),
            Site::ResidMid => (l + 1, self.after_resid_mid(l, moved)),
            Site::Post => {
                let out = gpt2::mlp_out(&mut self.tape, self.config, l, moved);
                (l + 1, self.add_base(l, layer.resid_mid, out))
            }
            Site::MlpOut => (l + 1, self.add_base(l, layer.resid_mid, moved)),
            Site::ResidPost => (l + 1, moved),
        };
        let forward = gpt2::forward_from(&mut self.tape, self.config, first, resid);
        let (complete, seed) = self.read_out(forward.last_normed);
        let gradients = backward(&mut self.tape, &[seed], &[moved], Rules::NONE);
        let moved = Moved { act, of: moved, gradients: &gradients };
        let scores = Scores::record(&mut self.tape, self.config, (site, l), &moved);
        OfLayer { scores, complete: Some(complete) }
    }

    /// The columns of a site's buffer that belong to it.
    fn columns(&self, site: Site) -> Range<usize> {
        let d = self.config.d_model;
        match site {
            Site::Q => 0..d,
            Site::K => d..2 * d,
            Site::V => 2 * d..3 * d,
            Site::Pattern => 0..self.recipe.positions,
            Site::Post => 0..self.config.d_mlp,
            _ => 0..d,
        }
    }

    fn after_pattern(&mut self, l: usize, pattern: Buf, qkv: Buf) -> Buf {
        let z = gpt2::z(&mut self.tape, l, pattern, qkv);
        self.after_z(l, z)
    }

    fn after_z(&mut self, l: usize, z: Buf) -> Buf {
        let out = gpt2::attn_out(&mut self.tape, self.config, l, z);
        self.after_attn_out(l, out)
    }

    fn after_attn_out(&mut self, l: usize, out: Buf) -> Buf {
        let resid_mid = self.add_base(l, self.forward.layers[l].resid_pre, out);
        self.after_resid_mid(l, resid_mid)
    }

    fn after_resid_mid(&mut self, l: usize, resid_mid: Buf) -> Buf {
        let post = gpt2::post(&mut self.tape, self.config, l, resid_mid);
        let out = gpt2::mlp_out(&mut self.tape, self.config, l, post);
        self.tape.add(&gpt2::hook_name(l, "resid_post"), resid_mid, out)
    }

    /// `moved` \[n,T,D\] plus the base run's part of `act` \[2,T,D\].
    fn add_base(&mut self, l: usize, act: Buf, moved: Buf) -> Buf {
        let base = self.base_of(act);
        self.tape.add(&gpt2::hook_name(l, "moved resid"), moved, base)
    }

    /// The base run's part of `act` \[2,T,…\], once for each step.
    fn base_of(&mut self, act: Buf) -> Buf {
        let (positions, rows) = (self.recipe.positions, self.tape.info(act).rows());
        let shape = [self.recipe.steps, positions];
        let base = (0..self.recipe.steps).flat_map(|_| 0..positions as u32).collect();
        let base = self.given.ids(&mut self.tape, "base rows", &shape, rows + 1, base);
        let nothing = vec![rows as u32; shape.iter().product()];
        let nothing = self.given.ids(&mut self.tape, "nothing", &shape, rows + 1, nothing);
        let name = format!("base of {}", self.tape.name(act));
        self.tape.add_rows(&name, act, base, act, nothing)
    }

    /// Records the metric of the moved runs: which of them it is, and the seed of their backward
    /// pass.
    fn read_out(&mut self, normed: Buf) -> (usize, (Buf, Buf)) {
        let rows = (normed, None);
        let asked = self.recipe.asked;
        let mut readout = Readout::record(&mut self.tape, self.config, asked, rows, self.logits);
        let seed = readout.seed(&mut self.tape, self.recipe.steps);
        self.moved.push(readout);
        (self.moved.len() - 1, seed)
    }
}
