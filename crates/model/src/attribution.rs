//! The methods of one forward and one backward pass, or a few: RelP, AtP, AtP\*, gradient × input.

use relp_lrp::{Gradients, backward};
use relp_tape::{Buf, Feed, Outputs, Tape};

use crate::readout::Readout;
use crate::replace::Given;
use crate::scores::{Moved, Scores};
use crate::{Config, Direction, Method, Pair, Recipe, Run, Site, gpt2};

/// The recorded run of some pairs.
///
/// The batch holds the base runs and then the source runs, so that the backward pass is of the
/// first half. Scores are `(replaced − base) · coefficient`, summed over each component: attribution
/// patching without rules, relevance patching with them (arXiv 2508.21258, eq. 4). The direction is
/// only a matter of which prompt is fed as which.
#[derive(Clone, Debug)]
pub struct Attribution {
    config: Config,
    tape: Tape,
    pairs: usize,
    /// Whether scores are AtP\*'s, which have no sign.
    unsigned: bool,
    ids: Buf,
    /// Of gradient × input: the base runs' tokens, after as many that are none, \[2·pairs,T\].
    inputs: Option<Buf>,
    given: Given,
    readout: Readout,
    /// \[2·pairs, V\].
    logits: Buf,
    maps: Vec<(Site, Vec<OfLayer>)>,
}

/// The scores of a layer.
#[derive(Clone, Debug)]
struct OfLayer {
    plain: Scores,
    /// AtP\*'s: with each later layer dropped.
    dropped: Vec<Scores>,
}

impl Attribution {
    /// Records the run.
    ///
    /// # Panics
    /// If the positions exceed the model's context, or a count is 0: pairs are checked before.
    pub fn record(config: &Config, pairs: usize, recipe: &Recipe) -> Self {
        let mut tape = Tape::new();
        let (ids, forward, logits) =
            gpt2::kept_forward(&mut tape, config, 2 * pairs, recipe.positions);
        let last = (forward.last_normed, Some(logits));
        let mut readout = Readout::record(&mut tape, config, recipe.asked, last, logits);
        let seed = readout.seed(&mut tape, pairs);
        tape.output(logits);

        let mut recorder = Recorder { tape, config, recipe, forward, given: Given::default() };
        let (maps, inputs) = match recipe.method {
            Method::GradXInput => {
                let (map, inputs) = recorder.grad_x_input(pairs, seed);
                (vec![(Site::Embed, map)], Some(inputs))
            }
            Method::AtpStar => (recorder.atp_star(seed), None),
            _ => {
                let gradients = recorder.backward(seed);
                let maps = recipe.sites.iter().map(|&site| {
                    let of_layer = |l| OfLayer {
                        plain: recorder.score(site, l, &gradients),
                        dropped: Vec::new(),
                    };
                    (site, (0..config.n_layer).map(of_layer).collect())
                });
                (maps.collect(), None)
            }
        };
        let Recorder { tape, given, .. } = recorder;
        let (config, unsigned) = (config.clone(), recipe.method.is_unsigned());
        Self { config, tape, pairs, unsigned, ids, inputs, given, readout, logits, maps }
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
        let tokens =
            |prompt| pairs.iter().flat_map(move |pair| pair.tokens(prompt)).map(|token| token.id);
        feed.ids(self.ids, tokens(base).chain(tokens(source)).collect());
        if let Some(inputs) = self.inputs {
            let none = self.config.n_vocab as u32;
            feed.ids(inputs, tokens(base).map(|_| none).chain(tokens(base)).collect());
        }
        self.given.feed(&mut feed);
        let (clean, _) = direction.clean_and_corrupted(0, self.pairs);
        let pair = |row: usize| row % self.pairs;
        self.readout.feed(&self.tape, &mut feed, |n| &pairs[pair(n)], |n| clean + pair(n));
        feed
    }

    /// What a run found, a [`Run`] for each pair.
    pub fn read(&self, outputs: &Outputs, direction: Direction) -> Vec<Run> {
        let metric = self.readout.read(outputs);
        let logits = outputs.get(self.logits);
        let n_vocab = self.config.n_vocab;
        let run = |pair: usize| {
            let (base, source) = (pair, self.pairs + pair);
            let (clean, corrupted) = direction.clean_and_corrupted(base, source);
            let logits = |row: usize| logits[row * n_vocab..][..n_vocab].to_vec();
            let map = |(site, layers): &(Site, Vec<OfLayer>)| {
                let scores = layers.iter().enumerate();
                let scores =
                    scores.flat_map(|(l, scores)| self.scores(*site, l, scores, outputs, pair));
                (*site, scores.map(|score| score as f32).collect())
            };
            Run {
                metric_clean: metric[clean],
                metric_corrupted: metric[corrupted],
                logits_clean: logits(clean),
                logits_corrupted: logits(corrupted),
                scores: self.maps.iter().map(map).collect(),
                convergence_error: None,
            }
        };
        (0..self.pairs).map(run).collect()
    }

    /// The scores of a layer, \[T\] or \[T,components\].
    fn scores(
        &self,
        site: Site,
        l: usize,
        of: &OfLayer,
        outputs: &Outputs,
        pair: usize,
    ) -> Vec<f64> {
        let positions = self.tape.shape(self.ids)[1];
        let read = |scores: Scores| {
            let read = scores.read(&self.tape, &self.config, site, outputs, pair);
            read.unwrap_or_else(|| vec![0.0; positions * site.components(&self.config)])
        };
        let plain = read(of.plain);
        if !self.unsigned {
            return plain;
        }
        // With a layer dropped that comes before, the score is the plain one.
        let others = (self.config.n_layer - 1).max(1) as f64;
        let before = if self.config.n_layer == 1 { 1.0 } else { l as f64 };
        let mut sum: Vec<f64> = plain.iter().map(|score| before * score.abs()).collect();
        for &dropped in &of.dropped {
            sum.iter_mut().zip(read(dropped)).for_each(|(sum, score)| *sum += score.abs());
        }
        sum.iter().map(|sum| sum / others).collect()
    }
}

/// What the recording of every method needs.
struct Recorder<'a> {
    tape: Tape,
    config: &'a Config,
    recipe: &'a Recipe,
    forward: gpt2::Forward,
    given: Given,
}

impl Recorder<'_> {
    /// The backward pass under the recipe's rules, to every activation that is scored.
    fn backward(&mut self, seed: (Buf, Buf)) -> Gradients {
        let layers = self.forward.layers.iter();
        let mut wanted: Vec<Buf> = layers
            .flat_map(|layer| self.recipe.sites.iter().map(|&site| layer.site(site)))
            .collect();
        if self.recipe.method == Method::AtpStar {
            wanted.extend(self.forward.layers.iter().flat_map(|l| [l.resid_pre, l.pattern]));
        }
        backward(&mut self.tape, &[seed], &wanted, self.recipe.rules)
    }

    fn score(&mut self, site: Site, l: usize, gradients: &Gradients) -> Scores {
        let layer = self.forward.layers[l];
        let of = layer.site(site);
        let act = self.given.replaced(&mut self.tape, of, self.recipe.replace);
        let fixed = self.recipe.method == Method::AtpStar && matches!(site, Site::Q | Site::K);
        if fixed {
            let moved = Moved { act, of: layer.pattern, gradients };
            Scores::record_fixed(&mut self.tape, self.config, (site, l), &moved)
        } else {
            let moved = Moved { act, of, gradients };
            Scores::record(&mut self.tape, self.config, (site, l), &moved)
        }
    }

    /// One backward pass from the end, and one from each layer on, past it and down: what GradDrop
    /// leaves of a coefficient when nothing flows through that layer's attention and MLP.
    fn atp_star(&mut self, seed: (Buf, Buf)) -> Vec<(Site, Vec<OfLayer>)> {
        let (sites, n_layer) = (self.recipe.sites.clone(), self.config.n_layer);
        let plain = self.backward(seed);
        let mut maps: Vec<(Site, Vec<OfLayer>)> = Vec::new();
        for &site in &sites {
            let of_layer = |l| OfLayer { plain: self.score(site, l, &plain), dropped: Vec::new() };
            maps.push((site, (0..n_layer).map(of_layer).collect()));
        }
        for dropped in 1..n_layer {
            let layer = self.forward.layers[dropped];
            let Some(after) = plain.get(layer.resid_post) else { continue };
            let gradients = self.backward((layer.resid_pre, after));
            for (site, layers) in &mut maps {
                for (l, of_layer) in layers.iter_mut().enumerate().take(dropped) {
                    of_layer.dropped.push(self.score(*site, l, &gradients));
                }
            }
        }
        maps
    }

    /// Token embeddings times their gradient; and the buffer of the tokens.
    fn grad_x_input(&mut self, pairs: usize, seed: (Buf, Buf)) -> (Vec<OfLayer>, Buf) {
        let resid = self.forward.layers[0].resid_pre;
        let gradients = backward(&mut self.tape, &[seed], &[resid], self.recipe.rules);
        let shape = [2 * pairs, self.recipe.positions];
        let wte = gpt2::token_embedding(&mut self.tape, self.config);
        let wpe = gpt2::position_embedding(&mut self.tape, self.config);
        let (n_vocab, n_ctx) = (self.config.n_vocab, self.config.n_ctx);
        let inputs = self.tape.ids("tokens of the base", &shape, n_vocab as u32 + 1);
        let nothing = vec![n_ctx as u32; shape.iter().product()];
        let nothing = self.given.ids(&mut self.tape, "nothing", &shape, n_ctx + 1, nothing);
        let act = self.tape.add_rows("embed", wte, inputs, wpe, nothing);
        let moved = Moved { act, of: resid, gradients: &gradients };
        let plain = Scores::record(&mut self.tape, self.config, (Site::Embed, 0), &moved);
        (vec![OfLayer { plain, dropped: Vec::new() }], inputs)
    }
}
