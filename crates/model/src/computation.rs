//! What computes a method's scores: one tape, or several that add up.

use relp_lrp::Rules;
use relp_tape::{Feed, Outputs, Tape};

use crate::{
    Attribution, Config, Direction, Integrated, Method, Pair, Patch, Path, Request, Run, Site,
    Sweep,
};

/// What the tapes of a method depend on, and nothing else.
#[derive(Clone, Debug, PartialEq)]
pub struct Recipe {
    method: Method,
    rules: Rules,
    steps: usize,
    sites: Vec<Site>,
    positions: usize,
    /// Of exact patching: the positions where the prompts differ.
    differing: Vec<usize>,
}

/// A recorded part of a method's work on one pair.
#[derive(Clone, Debug)]
pub enum Computation {
    /// Gradient or relevance.
    Attribution(Attribution),
    /// Integrated gradients.
    Integrated(Integrated),
    /// Exact patching.
    Sweep(Sweep),
}

/// Bytes that the widest buffer of a sweep may have. All buffers of a sweep together take about five
/// times as much, which a phone's browser still has.
const MOST_BYTES: usize = 32 << 20;

impl Recipe {
    /// What a request asks of a pair.
    pub fn new(request: &Request, pair: &Pair) -> Self {
        let differing = match request.method {
            Method::Ap => pair.differing(),
            _ => Vec::new(),
        };
        Self {
            method: request.method,
            rules: request.effective_rules(),
            steps: request.effective_steps().unwrap_or(0),
            sites: request.sites.clone(),
            positions: pair.positions(),
            differing,
        }
    }

    /// In how many parts the work is done, each with a tape of its own.
    pub fn parts(&self, config: &Config) -> usize {
        match self.method {
            Method::Ap => self.patches(config).len(),
            _ => 1,
        }
    }

    /// Records a part.
    ///
    /// # Panics
    /// If there is no such part, or the positions exceed the model's context.
    pub fn record(&self, config: &Config, part: usize) -> Computation {
        let (positions, sites) = (self.positions, self.sites.as_slice());
        let integrated = |path| {
            let integrated = Integrated::record(config, positions, sites, path, self.steps);
            Computation::Integrated(integrated)
        };
        match self.method {
            Method::Relp | Method::Atp => Computation::Attribution(Attribution::record(
                config, 1, positions, sites, self.rules,
            )),
            Method::IgInputs => integrated(Path::Inputs),
            Method::IgActivations => integrated(Path::Activations),
            Method::Ap => {
                let patches = self.patches(config).swap_remove(part);
                Computation::Sweep(Sweep::record(config, positions, sites, patches))
            }
        }
    }

    fn patches(&self, config: &Config) -> Vec<Vec<Patch>> {
        let patches = Patch::all(config, self.positions, &self.differing, &self.sites);
        let parts = Patch::parts(patches, self.positions, MOST_BYTES / (4 * config.d_mlp));
        // Without a patch there are still the metric and the predictions.
        if parts.is_empty() { vec![Vec::new()] } else { parts }
    }
}

impl Computation {
    /// The computation.
    pub fn tape(&self) -> &Tape {
        match self {
            Self::Attribution(attribution) => attribution.tape(),
            Self::Integrated(integrated) => integrated.tape(),
            Self::Sweep(sweep) => sweep.tape(),
        }
    }

    /// The inputs of a run on a pair of the recorded length.
    pub fn feed(&self, pair: &Pair, direction: Direction) -> Feed {
        match self {
            Self::Attribution(attribution) => {
                attribution.feed(std::slice::from_ref(pair), direction)
            }
            Self::Integrated(integrated) => integrated.feed(pair, direction),
            Self::Sweep(sweep) => sweep.feed(pair, direction),
        }
    }

    /// What a run found.
    pub fn read(&self, outputs: &Outputs, direction: Direction) -> Run {
        match self {
            Self::Attribution(attribution) => match attribution.read(outputs, direction).pop() {
                Some(run) => run,
                None => unreachable!("recorded for one pair"),
            },
            Self::Integrated(integrated) => integrated.read(outputs, direction),
            Self::Sweep(sweep) => sweep.read(outputs, direction),
        }
    }
}
