//! What the tapes of a method depend on.

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
        let replace = request.effective_replace().unwrap_or_default();
        let differing = match replace {
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
            replace,
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

    /// The parts in which the work is done, each with a tape of its own and with these patches, which
    /// exact patching alone has.
    pub fn parts(&self, config: &Config) -> Vec<Vec<Patch>> {
        if self.method != Method::Ap {
            return vec![Vec::new()];
        }
        let patches = Patch::all(config, self);
        let parts = Patch::parts(patches, self.positions, MOST_BYTES / (4 * config.d_mlp));
        // Without a patch there are still the metric and the predictions.
        if parts.is_empty() { vec![Vec::new()] } else { parts }
    }

    /// Records one of the [parts](Self::parts).
    ///
    /// # Panics
    /// If the positions exceed the model's context, or it is a part of something else.
    pub fn record(&self, config: &Config, part: &[Patch]) -> Computation {
        match self.method {
            Method::Relp | Method::Atp | Method::AtpStar | Method::GradXInput => {
                Computation::Attribution(Attribution::record(config, 1, self))
            }
            Method::IgInputs | Method::IgActivations => {
                Computation::Integrated(Integrated::record(config, self))
            }
            Method::Ap => Computation::Sweep(Sweep::record(config, self, part.to_vec())),
        }
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
