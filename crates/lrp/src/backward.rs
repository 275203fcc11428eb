//! The backward pass: one vector-Jacobian product an op, recorded in reverse order.

use std::collections::{HashMap, HashSet};

use relp_tape::{Buf, Op, Tape};

use crate::Rules;

/// A block of columns of a buffer's propagation coefficient.
///
/// Almost always the whole: only q, k and v, which share a buffer, get theirs from two ops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// The first column of the activation that the block belongs to.
    pub first_col: usize,
    /// The coefficients.
    pub buf: Buf,
}

/// The propagation coefficients that [`backward`] recorded: d metric / d buffer, or what the rules
/// put in its place.
#[derive(Clone, Debug, Default)]
pub struct Gradients {
    of: HashMap<Buf, Vec<Block>>,
}

impl Gradients {
    /// The coefficient of an activation; `None` if the metric does not depend on it, or if it
    /// comes in several [`blocks`](Self::blocks).
    pub fn get(&self, activation: Buf) -> Option<Buf> {
        match self.blocks(activation) {
            [Block { first_col: 0, buf }] => Some(*buf),
            _ => None,
        }
    }

    /// The coefficient of an activation in blocks of columns. Columns that are in no block have
    /// the coefficient 0.
    pub fn blocks(&self, activation: Buf) -> &[Block] {
        self.of.get(&activation).map_or(&[], Vec::as_slice)
    }

    fn set(&mut self, activation: Buf, buf: Buf) {
        self.of.insert(activation, vec![Block { first_col: 0, buf }]);
    }
}

/// Records the backward pass of everything on `tape` so far.
///
/// `seeds` pairs an activation with the buffer that holds its coefficient; it may have fewer
/// sequences than the activation, and then the backward pass is of these first sequences alone.
/// Ops that lead to none of `wanted` get no derivative.
///
/// # Panics
/// If an op between a seed and a wanted buffer is itself a derivative: none is recorded of those.
#[track_caller]
pub fn backward(tape: &mut Tape, seeds: &[(Buf, Buf)], wanted: &[Buf], rules: Rules) -> Gradients {
    let forward = tape.ops().to_vec();
    let mut moves: HashSet<Buf> = wanted.iter().copied().collect();
    for op in &forward {
        if op.reads().iter().any(|(_, buf)| moves.contains(buf)) {
            moves.extend(op.writes());
        }
    }
    let mut grads = Gradients::default();
    for &(activation, seed) in seeds {
        grads.set(activation, seed);
    }
    let mut pass = Pass { tape, grads, moves, rules };
    for op in forward.iter().rev() {
        pass.vjp(op);
    }
    pass.grads
}

struct Pass<'a> {
    tape: &'a mut Tape,
    /// Activation → coefficient, summed over the uses met so far.
    grads: Gradients,
    /// Buffers that depend on a wanted one.
    moves: HashSet<Buf>,
    rules: Rules,
}

impl Pass<'_> {
    /// Records the vector-Jacobian product of one op. The forward formula is quoted; `dy` is the
    /// coefficient of its result.
    #[track_caller]
    fn vjp(&mut self, op: &Op) {
        let blocks = self.grads.blocks(op.writes()[0]).to_vec();
        if blocks.is_empty() || !op.reads().iter().any(|(_, buf)| self.moves.contains(buf)) {
            return;
        }
        // out = x · w + bias  ⇒  dx = dy · wᵀ, a block of columns of dy at a time
        if let Op::Linear { x, w, .. } = *op {
            for Block { first_col, buf } in blocks {
                let add = self.whole(x);
                let dx = self.tape.linear_t(&self.d(x), buf, w, first_col, add);
                self.grads.set(x, dx);
            }
            return;
        }
        let [Block { first_col: 0, buf: dy }] = blocks[..] else {
            panic!("{} cannot take its coefficient in blocks", op.name());
        };
        match *op {
            // out = x · wᵀ  ⇒  dx = dy · w
            Op::LinearT { x, w, first_col, add, .. } => {
                assert!(first_col == 0 && add.is_none(), "only the plain x · wᵀ has a derivative");
                let dx = self.tape.linear(&self.d(x), dy, w, None);
                self.accumulate(x, dx);
            }
            // out = (x − μ) / σ · gain + bias; LN-rule: σ is a constant
            Op::LayerNorm { x, gain, stats, .. } => {
                let add = self.whole(x);
                let detach = self.rules.detach_scale();
                let dx = self.tape.layer_norm_grad(&self.d(x), dy, x, stats, gain, add, detach);
                self.grads.set(x, dx);
            }
            // z = pattern · v  ⇒  dv = patternᵀ · dz, dpattern = dz · vᵀ; AH-rule: no dpattern
            Op::AttentionMix { pattern, qkv, .. } => {
                let dv = self.tape.attention_mix_grad_v(&format!("{}.v", self.d(qkv)), dy, pattern);
                self.qkv_block(qkv, 2 * self.tape.info(dv).cols(), dv);
                if self.rules.through_pattern() {
                    let heads = self.tape.shape(pattern)[1];
                    let name = self.d(pattern);
                    let dp = self.tape.attention_mix_grad_pattern(&name, dy, qkv, heads);
                    self.accumulate(pattern, dp);
                }
            }
            // pattern = softmax(S), S = q · kᵀ / √E
            Op::AttentionPattern { qkv, out } => {
                let ds = self.tape.softmax_grad(&format!("{}.scores", self.d(out)), dy, out);
                let name = format!("{}.qk", self.d(qkv));
                let dqk = self.tape.attention_scores_grad(&name, ds, qkv);
                self.qkv_block(qkv, 0, dqk);
            }
            // out = gelu(x)  ⇒  dx = dy · gelu′(x); Identity-rule: dy · gelu(x) / x
            Op::Gelu { x, .. } => {
                let dx = self.tape.gelu_grad(&self.d(x), dy, x, self.rules.slope());
                self.accumulate(x, dx);
            }
            // out = a + b  ⇒  da = db = dy
            Op::Add { a, b, .. } => {
                self.accumulate(a, dy);
                self.accumulate(b, dy);
            }
            // out = scale · a · b  ⇒  da = scale · dy · b, db = scale · dy · a; Half-rule: half each
            Op::Mul { a, b, scale, .. } => {
                let scale = scale * self.rules.product_share();
                for (x, other) in [(a, b), (b, a)] {
                    let dx = self.tape.mul(&self.d(x), dy, other, scale);
                    self.accumulate(x, dx);
                }
            }
            // out[b] = x[b, T−1]
            Op::LastRow { x, .. } => {
                let positions = self.tape.shape(x)[1];
                let dx = self.tape.last_row_grad(&self.d(x), dy, positions);
                self.accumulate(x, dx);
            }
            // out[n,k] = x[n] · w[ids[n,k]]  ⇒  dx[n] = Σ_k dy[n,k] · w[ids[n,k]]
            Op::GatherDot { x, w, ids, .. } => {
                let dx = self.tape.gather_dot_grad(&self.d(x), dy, w, ids);
                self.accumulate(x, dx);
            }
            // out[n] = metric(logits[n])
            Op::Metric { logits, .. } => {
                let dx = self.tape.metric_grad(&self.d(logits), dy, op);
                self.accumulate(logits, dx);
            }
            Op::Linear { .. } => unreachable!("handled above"),
            // Ids have no derivative, and weights need none.
            Op::Embed { .. } => {}
            Op::LayerNormGrad { .. }
            | Op::AttentionMixGradPattern { .. }
            | Op::AttentionMixGradV { .. }
            | Op::SoftmaxGrad { .. }
            | Op::AttentionScoresGrad { .. }
            | Op::GeluGrad { .. }
            | Op::LastRowGrad { .. }
            | Op::GatherDotGrad { .. }
            | Op::DeltaDot { .. }
            | Op::Interpolate { .. }
            | Op::AddRows { .. }
            | Op::Splice { .. }
            | Op::AttentionRows { .. }
            | Op::AppendMeans { .. }
            | Op::QkFix { .. }
            | Op::MetricGrad { .. } => panic!("{} has no derivative", op.name()),
        }
    }
    /// Adds a contribution to the coefficient of `activation`.
    #[track_caller]
    fn accumulate(&mut self, activation: Buf, contribution: Buf) {
        let sum = match self.whole(activation) {
            Some(so_far) => self.tape.add(&self.d(activation), so_far, contribution),
            None => contribution,
        };
        self.grads.set(activation, sum);
    }

    /// The coefficient of `activation` so far, which must not be in blocks.
    #[track_caller]
    fn whole(&self, activation: Buf) -> Option<Buf> {
        match self.grads.blocks(activation) {
            [] => None,
            [Block { first_col: 0, buf }] => Some(*buf),
            _ => panic!("{} is used by an op beside q, k and v", self.tape.name(activation)),
        }
    }

    /// Gives a block of columns of `qkv`, which only one op does for each column.
    fn qkv_block(&mut self, qkv: Buf, first_col: usize, buf: Buf) {
        self.grads.of.entry(qkv).or_default().push(Block { first_col, buf });
    }

    /// The name of an activation's coefficient.
    fn d(&self, activation: Buf) -> String {
        format!("d {}", self.tape.name(activation))
    }
}
