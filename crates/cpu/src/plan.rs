//! A tape with its buffers.

use std::collections::HashMap;
use std::sync::Arc;

use relp_tape::{Buf, Content, Feed, FeedError, Op, Outputs, Tape};

use crate::CpuError;
use crate::kernels::{activation, attention, embedding, gather, matmul, norm, pointwise};

/// The content of one buffer.
enum Store {
    Weight(Arc<[f32]>),
    /// An input or a computed value.
    Values(Vec<f32>),
    Ids(Vec<u32>),
}

/// A tape with a buffer for each of its values, which can be run again and again.
pub struct Plan {
    tape: Tape,
    stores: Vec<Store>,
    /// The next op of the run under way.
    next: usize,
}

impl Plan {
    pub(crate) fn new(
        tape: &Tape,
        weights: &HashMap<String, Arc<[f32]>>,
    ) -> Result<Self, CpuError> {
        let store = |info: &relp_tape::BufInfo| match info.content {
            Content::Weight => match weights.get(&info.name) {
                Some(values) if values.len() == info.len() => Ok(Store::Weight(values.clone())),
                other => Err(CpuError::Weight {
                    name: info.name.clone(),
                    expected: info.len(),
                    found: other.map_or(0, |values| values.len()),
                }),
            },
            Content::Input | Content::Value => Ok(Store::Values(vec![0.0; info.len()])),
            Content::Ids { .. } => Ok(Store::Ids(vec![0; info.len()])),
        };
        let stores = tape.bufs().map(|(_, info)| store(info)).collect::<Result<_, _>>()?;
        Ok(Self { tape: tape.clone(), stores, next: tape.ops().len() })
    }

    /// Runs the tape.
    ///
    /// # Errors
    /// If the inputs do not fit.
    pub fn run(&mut self, feed: &Feed) -> Result<Outputs, CpuError> {
        self.start(feed)?;
        while self.step() {}
        Ok(self.outputs())
    }

    /// Begins a run that is taken op by op with [`step`](Self::step).
    ///
    /// # Errors
    /// If the inputs do not fit.
    pub fn start(&mut self, feed: &Feed) -> Result<(), FeedError> {
        for ((buf, info), store) in self.tape.bufs().zip(&mut self.stores) {
            match (info.content, store) {
                (Content::Input, Store::Values(values)) => {
                    values.copy_from_slice(feed.get_values(&self.tape, buf)?);
                }
                (Content::Ids { .. }, Store::Ids(ids)) => {
                    ids.copy_from_slice(feed.get_ids(&self.tape, buf)?);
                }
                _ => {}
            }
        }
        self.next = 0;
        Ok(())
    }

    /// Runs the next op; false when there is none left.
    pub fn step(&mut self) -> bool {
        let Some(op) = self.tape.ops().get(self.next).cloned() else { return false };
        self.next += 1;
        self.execute(&op);
        true
    }

    /// Ops done and ops in all.
    pub fn progress(&self) -> (usize, usize) {
        (self.next, self.tape.ops().len())
    }

    /// The outputs of the run that has come to its end.
    pub fn outputs(&self) -> Outputs {
        let values = |&buf: &Buf| (buf, self.values(buf).to_vec());
        Outputs::new(self.tape.outputs().iter().map(values).collect())
    }

    fn values(&self, buf: Buf) -> &[f32] {
        match &self.stores[buf.index()] {
            Store::Weight(values) => values,
            Store::Values(values) => values,
            Store::Ids(_) => &[],
        }
    }

    fn ids(&self, buf: Buf) -> &[u32] {
        match &self.stores[buf.index()] {
            Store::Ids(ids) => ids,
            Store::Weight(_) | Store::Values(_) => &[],
        }
    }

    /// Takes a buffer out, to write it while others are read.
    fn take(&mut self, buf: Buf) -> Vec<f32> {
        match &mut self.stores[buf.index()] {
            Store::Values(values) => std::mem::take(values),
            Store::Weight(_) | Store::Ids(_) => Vec::new(),
        }
    }

    fn execute(&mut self, op: &Op) {
        let mut written: Vec<Vec<f32>> =
            op.writes().into_iter().map(|buf| self.take(buf)).collect();
        self.kernel(op, &mut written);
        for (buf, values) in op.writes().into_iter().zip(written) {
            self.stores[buf.index()] = Store::Values(values);
        }
    }

    fn kernel(&self, op: &Op, written: &mut [Vec<f32>]) {
        let (out, rest) = match written {
            [out, rest @ ..] => (out.as_mut_slice(), rest),
            [] => return,
        };
        let f = |buf: Buf| self.values(buf);
        let shape = |buf: Buf| self.tape.shape(buf);
        let cols = |buf: Buf| self.tape.info(buf).cols();
        let heads = |pattern: Buf, d: usize| attention::Heads::new(shape(pattern), d);
        match *op {
            Op::Embed { ids, tokens, positions, .. } => {
                embedding::embed(self.ids(ids), f(tokens), f(positions), shape(ids)[1], out);
            }
            Op::LayerNorm { x, gain, bias, eps, .. } => {
                if let [stats] = rest {
                    norm::layer_norm(f(x), f(gain), f(bias), eps, out, stats);
                }
            }
            Op::LayerNormGrad { dy, x, stats, gain, add, detach_scale, .. } => {
                let add = add.map(f);
                norm::layer_norm_grad(f(dy), f(x), f(stats), f(gain), add, detach_scale, out);
            }
            Op::Linear { x, w, bias, .. } => {
                matmul::linear(f(x), f(w), bias.map(f), shape(w)[0], shape(w)[1], out);
            }
            Op::LinearT { x, w, first_col, add, .. } => {
                let window = matmul::Window { first_col, cols: cols(x), of: shape(w)[1] };
                matmul::linear_t(f(x), f(w), window, add.map(f), shape(w)[0], out);
            }
            Op::AttentionPattern { qkv, out: pattern } => {
                attention::attention_pattern(f(qkv), heads(pattern, cols(qkv) / 3), out);
            }
            Op::AttentionMix { pattern, qkv, .. } => {
                attention::attention_mix(f(pattern), f(qkv), heads(pattern, cols(qkv) / 3), out);
            }
            Op::AttentionMixGradPattern { dz, qkv, out: d_pattern } => {
                let heads = heads(d_pattern, cols(dz));
                attention::attention_mix_grad_pattern(f(dz), f(qkv), heads, out);
            }
            Op::AttentionMixGradV { dz, pattern, .. } => {
                attention::attention_mix_grad_v(f(dz), f(pattern), heads(pattern, cols(dz)), out);
            }
            Op::SoftmaxGrad { dy, y, .. } => attention::softmax_grad(f(dy), f(y), cols(dy), out),
            Op::AttentionScoresGrad { ds, qkv, .. } => {
                attention::attention_scores_grad(f(ds), f(qkv), heads(ds, cols(qkv) / 3), out);
            }
            Op::Gelu { x, .. } => activation::gelu(f(x), out),
            Op::GeluGrad { dy, x, slope, .. } => activation::gelu_grad(f(dy), f(x), slope, out),
            Op::Add { a, b, .. } => pointwise::add(f(a), f(b), out),
            Op::Mul { a, b, scale, .. } => pointwise::mul(f(a), f(b), scale, out),
            Op::LastRow { x, .. } => gather::last_row(f(x), shape(x)[1], cols(x), out),
            Op::LastRowGrad { dy, out: dx } => {
                gather::last_row_grad(f(dy), shape(dx)[1], cols(dx), out);
            }
            Op::GatherDot { x, w, ids, .. } => {
                gather::gather_dot(f(x), f(w), self.ids(ids), cols(x), cols(ids), out);
            }
            Op::GatherDotGrad { dy, w, ids, .. } => {
                gather::gather_dot_grad(f(dy), f(w), self.ids(ids), cols(w), cols(ids), out);
            }
            Op::DeltaDot { act, grad, .. } => gather::delta_dot(f(act), f(grad), cols(grad), out),
        }
    }
}
