//! What the tapes of a method depend on.

use std::collections::BTreeSet;

use relp_lrp::Rules;
use relp_tape::{Feed, Outputs, Tape};

use crate::readout::Asked;
use crate::{
    Attribution, Cell, Config, Direction, Integrated, Method, Neuron, Pair, Patch, Replace,
    Request, Run, Site, Sweep, Token,
};

/// What the tapes of a method depend on, and nothing else.
#[derive(Clone, Debug, PartialEq)]
pub struct Recipe {
    pub(crate) method: Method,
    pub(crate) rules: Rules,
    pub(crate) steps: usize,
    pub(crate) sites: Vec<Site>,
    pub(crate) positions: usize,
    pub(crate) asked: Asked,
    pub(crate) replace: Replace,
    /// Of exact patching: the positions where what is put in can differ.
    pub(crate) differing: Vec<usize>,
    /// Of exact patching: the neurons.
    pub(crate) neurons: Vec<Neuron>,
    /// Of exact patching: the only cell, if there is one.
    pub(crate) cell: Option<Cell>,
}

/// A recorded part of a method's work on one pair.
#[derive(Clone, Debug)]
pub enum Computation {
    /// One backward pass, or a few.
    Attribution(Attribution),
    /// Integrated gradients.
    Integrated(Integrated),
    /// Exact patching.
    Sweep(Sweep),
}

/// Bytes that the widest buffer of a sweep may have. All buffers of a sweep together take about five
/// times as much, which a phone's browser still has.
pub(crate) const MOST_BYTES: usize = 32 << 20;

impl Recipe {
    /// What a request asks of a pair.
    pub fn new(request: &Request, pair: &Pair) -> Self {
        let exact = request.method == Method::Ap;
        let differing = match request.replace {
            _ if !exact => Vec::new(),
            Replace::Source => pair.differing(),
            Replace::Zero | Replace::Mean => (0..pair.positions()).collect(),
        };
        Self {
            method: request.method,
            rules: request.effective_rules(),
            steps: request.effective_steps().unwrap_or(0),
            sites: request.effective_sites(),
            positions: pair.positions(),
            asked: Asked::of(request.metric, pair),
            replace: request.replace,
            differing,
            neurons: if exact { request.neurons.clone() } else { Vec::new() },
            cell: request.cell.filter(|_| exact),
        }
    }

    /// What a request asks of prompts of so many tokens that differ everywhere, with one answer and one
    /// foil.
    pub fn of_length(request: &Request, positions: usize) -> Self {
        let token = |id| Token { id, text: String::new() };
        let pair = Pair {
            clean: vec![token(0); positions],
            corrupted: vec![token(1); positions],
            answers: vec![token(0)],
            foils: vec![token(1)],
        };
        Self::new(request, &pair)
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
        match self.method {
            Method::Relp | Method::Atp | Method::AtpStar | Method::GradXInput => {
                Computation::Attribution(Attribution::record(config, 1, self))
            }
            Method::IgInputs | Method::IgActivations => {
                Computation::Integrated(Integrated::record(config, self))
            }
            Method::Ap => {
                let patches = self.patches(config).swap_remove(part);
                Computation::Sweep(Sweep::record(config, self, patches))
            }
        }
    }

    /// What is not computed before this part of a sweep.
    pub fn missing(&self, config: &Config, part: usize) -> BTreeSet<(Site, Cell)> {
        let parts = self.patches(config);
        parts[part..].iter().flatten().map(|patch| (patch.site, patch.cell())).collect()
    }

    /// The patches of a sweep, part by part.
    pub fn patches(&self, config: &Config) -> Vec<Vec<Patch>> {
        let patches = Patch::all(config, self);
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
