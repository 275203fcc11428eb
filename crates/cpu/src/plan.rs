//! A tape with its buffers.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use relp_tape::{
    Beginnings, Begun, Buf, Content, Feed, FeedError, Known, Needed, Op, Outputs, Rows, Slots, Tape,
};

use crate::CpuError;
use crate::kernels::some_rows::{Gathered, SomeRows};
use crate::kernels::{
    activation, attention, embedding, gather, matmul, metric, norm, patching, pointwise, qk_fix,
    softmax, some_rows,
};
use crate::weights::{Matrix, Panels, Weight, Weights};

/// The content of one buffer.
enum Store {
    Weight(Weight),
    Input(Vec<f32>),
    Ids(Vec<u32>),
    /// A computed value: a slot, and how much of it.
    Value(usize, usize),
}

/// A tape with memory for all of its values, which can be run again and again. Values that are not
/// needed at the same time share their memory.
///
/// What the tape's [forward part](Tape::forward) computes stays: it is not run again as long as it is
/// given the same.
pub struct Plan {
    tape: Tape,
    stores: Vec<Store>,
    forward: Shared,
    /// The slots of what comes after the forward part.
    slots: Vec<Vec<f32>>,
    begun: Begun,
    needed: Needed,
    /// Of the run under way.
    beginnings: Beginnings,
    gathered: Gathered,
    /// The first op of the run under way, and the next.
    first: usize,
    next: usize,
}

/// The memory of a forward part, of all plans that have the same.
#[derive(Clone)]
struct Shared(Arc<Mutex<Forward>>);

struct Forward {
    slots: Vec<Vec<f32>>,
    known: Known,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Forward> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Plan {
    pub(crate) fn new<'a>(
        tape: &Tape,
        weights: &Weights,
        others: impl IntoIterator<Item = &'a Plan>,
    ) -> Result<Self, CpuError> {
        for op in tape.ops() {
            let matrices = op.matrices();
            for (_, buf) in op.reads().into_iter().filter(|(_, buf)| !matrices.contains(buf)) {
                let info = tape.info(buf);
                let is_weight = info.content == Content::Weight;
                if is_weight && weights.get(&info.name).is_some_and(Weight::is_halves) {
                    return Err(CpuError::Halves { name: info.name.clone(), op: op.name() });
                }
            }
        }
        let slots = Slots::of(tape);
        let store = |(buf, info): (Buf, &relp_tape::BufInfo)| match info.content {
            Content::Weight => match weights.get(&info.name) {
                Some(values) if values.len() == info.len() => Ok(Store::Weight(values.clone())),
                other => Err(CpuError::Weight {
                    name: info.name.clone(),
                    expected: info.len(),
                    found: other.map_or(0, Weight::len),
                }),
            },
            Content::Input => Ok(Store::Input(vec![0.0; info.len()])),
            Content::Ids { .. } => Ok(Store::Ids(vec![0; info.len()])),
            Content::Value => match slots.get(buf) {
                Some(slot) => Ok(Store::Value(slot, info.len())),
                None => unreachable!("every value is written by an op"),
            },
        };
        let stores: Vec<Store> = tape.bufs().map(store).collect::<Result<_, _>>()?;
        let allocate = |lens: &[usize]| lens.iter().map(|&len| vec![0.0; len]).collect();
        let (of_forward, of_rest) = slots.lens().split_at(slots.forward());
        let shared = others.into_iter().find(|other| other.has_forward_of(tape, &stores));
        let forward = shared.map_or_else(
            || {
                let (slots, known) = (allocate(of_forward), Known::default());
                Shared(Arc::new(Mutex::new(Forward { slots, known })))
            },
            |other| other.forward.clone(),
        );
        let (slots, ops) = (allocate(of_rest), tape.ops().len());
        Ok(Self {
            tape: tape.clone(),
            stores,
            forward,
            slots,
            begun: Begun::default(),
            needed: Needed::of(tape),
            beginnings: Beginnings::default(),
            gathered: Gathered::default(),
            first: ops,
            next: ops,
        })
    }

    /// Whether what the forward part computes here is what it would be there.
    fn has_forward_of(&self, tape: &Tape, stores: &[Store]) -> bool {
        let mut stores = self.stores.iter().zip(stores).take(tape.forward().bufs());
        self.tape.same_forward(tape)
            && stores.all(|pair| match pair {
                (Store::Weight(here), Store::Weight(there)) => here.is_same(there),
                _ => true,
            })
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
        let given = feed.given_forward(&self.tape)?;
        for ((buf, info), store) in self.tape.bufs().zip(&mut self.stores) {
            match (info.content, store) {
                (Content::Input, Store::Input(values)) => {
                    values.copy_from_slice(feed.get_values(&self.tape, buf)?);
                }
                (Content::Ids { .. }, Store::Ids(ids)) => {
                    ids.copy_from_slice(feed.get_ids(&self.tape, buf)?);
                }
                _ => {}
            }
        }
        if let Some(ids) = self.needed.ids() {
            self.beginnings = Beginnings::of(self.ids(ids), self.tape.shape(ids)[1]);
        }
        self.begun = self.forward.lock().known.begin(given);
        self.first = if self.begun.is_kept() { self.tape.forward().ops() } else { 0 };
        self.next = self.first;
        Ok(())
    }

    /// Runs the next op; false when there is none left.
    ///
    /// # Panics
    /// If meanwhile another run has begun of a plan that shares the memory of the forward part.
    pub fn step(&mut self) -> bool {
        let Some(op) = self.tape.ops().get(self.next).cloned() else { return false };
        let shared = self.forward.clone();
        let Forward { slots, known } = &mut *shared.lock();
        known.assert_last(&self.begun);
        self.execute(&op, slots);
        self.next += 1;
        if self.next == self.tape.forward().ops() {
            known.settle(&mut self.begun);
        }
        if self.next == self.tape.ops().len() {
            self.gathered = Gathered::default();
        }
        true
    }

    /// Ops done and ops in all, of the run under way or the last one.
    pub fn progress(&self) -> (usize, usize) {
        (self.next - self.first, self.tape.ops().len() - self.first)
    }

    /// The outputs of the run that has come to its end.
    ///
    /// # Panics
    /// As of [`step`](Self::step).
    pub fn outputs(&self) -> Outputs {
        let Forward { slots, known } = &*self.forward.lock();
        known.assert_last(&self.begun);
        let values = |&buf: &Buf| (buf, self.values(slots, buf).to_vec());
        Outputs::new(self.tape.outputs().iter().map(values).collect())
    }

    /// Runs all of the tape the next time, as if nothing had been computed.
    pub fn forget(&mut self) {
        self.forward.lock().known.forget();
    }

    /// What a buffer holds; `forward` are the slots of the forward part.
    fn values<'a>(&'a self, forward: &'a [Vec<f32>], buf: Buf) -> &'a [f32] {
        match &self.stores[buf.index()] {
            Store::Weight(weight) => weight.as_values(),
            Store::Input(values) => values,
            Store::Value(slot, len) => match forward.get(*slot) {
                Some(values) => &values[..*len],
                None => &self.slots[*slot - forward.len()][..*len],
            },
            Store::Ids(_) => &[],
        }
    }

    /// The values of an operand that may be kept as halves.
    fn matrix<'a>(&'a self, forward: &'a [Vec<f32>], buf: Buf) -> Matrix<'a> {
        match &self.stores[buf.index()] {
            Store::Weight(weight) => weight.as_matrix(),
            _ => Matrix::F32(self.values(forward, buf)),
        }
    }

    /// A matrix that is only multiplied with.
    fn panels<'a>(&'a self, forward: &'a [Vec<f32>], buf: Buf) -> Panels<'a> {
        let cols = self.tape.info(buf).cols();
        match &self.stores[buf.index()] {
            Store::Weight(weight) => weight.as_panels(cols),
            _ => Panels::of_rows(Matrix::F32(self.values(forward, buf)), cols),
        }
    }

    fn ids(&self, buf: Buf) -> &[u32] {
        match &self.stores[buf.index()] {
            Store::Ids(ids) => ids,
            Store::Weight(_) | Store::Input(_) | Store::Value(..) => &[],
        }
    }

    /// The slot of a value, and how much of it.
    fn place(&self, buf: Buf) -> (usize, usize) {
        match self.stores[buf.index()] {
            Store::Value(slot, len) => (slot, len),
            _ => unreachable!("ops write values alone"),
        }
    }

    /// The rows that the op under way computes of what it writes.
    fn rows(&self, out: Buf) -> SomeRows {
        let shape = self.tape.shape(out);
        match self.needed.rows(self.next) {
            Rows::All => SomeRows::all(shape),
            rows => SomeRows::new(shape, |all| self.beginnings.computed(rows, all)),
        }
    }

    fn execute(&mut self, op: &Op, forward: &mut [Vec<f32>]) {
        // The slots that are written are taken out while others are read.
        let places: Vec<_> = op.writes().into_iter().map(|buf| self.place(buf)).collect();
        let mut taken: Vec<Vec<f32>> =
            places.iter().map(|&(slot, _)| std::mem::take(self.slot_mut(forward, slot))).collect();
        let lens = places.iter().map(|&(_, len)| len);
        let mut written: Vec<&mut [f32]> =
            taken.iter_mut().zip(lens).map(|(slot, len)| &mut slot[..len]).collect();
        let mut gathered = std::mem::take(&mut self.gathered);
        self.kernel(op, forward, &mut written, &mut gathered);
        self.gathered = gathered;
        if self.needed.rows(self.next) == Rows::Distinct {
            for (buf, out) in op.writes().into_iter().zip(written) {
                some_rows::copy(self.beginnings.copied(), self.tape.shape(buf), out);
            }
        }
        for ((slot, _), values) in places.into_iter().zip(taken) {
            *self.slot_mut(forward, slot) = values;
        }
    }

    fn slot_mut<'a>(&'a mut self, forward: &'a mut [Vec<f32>], slot: usize) -> &'a mut Vec<f32> {
        let own = slot.checked_sub(forward.len());
        own.map_or_else(|| &mut forward[slot], |own| &mut self.slots[own])
    }

    fn kernel(
        &self,
        op: &Op,
        forward: &[Vec<f32>],
        written: &mut [&mut [f32]],
        gathered: &mut Gathered,
    ) {
        let (out, rest) = match written {
            [out, rest @ ..] => (&mut **out, rest),
            [] => return,
        };
        let f = |buf: Buf| self.values(forward, buf);
        let m = |buf: Buf| self.matrix(forward, buf);
        let p = |buf: Buf| self.panels(forward, buf);
        let shape = |buf: Buf| self.tape.shape(buf);
        let cols = |buf: Buf| self.tape.info(buf).cols();
        let rows = |out: Buf| self.rows(out);
        let heads = |pattern: Buf, d: usize| attention::Heads::new(shape(pattern), d);
        let rows_of = |logits: Buf, (clean, clean_rows): (Buf, Buf), targets: Buf, answers| {
            let (per_row, n_vocab) = (cols(targets), cols(logits));
            let (clean_rows, targets) = (self.ids(clean_rows), self.ids(targets));
            let (logits, clean) = (f(logits), f(clean));
            metric::Rows { logits, clean, clean_rows, targets, per_row, answers, n_vocab }
        };
        match *op {
            Op::Embed { ids, tokens, positions, .. } => {
                embedding::embed(self.ids(ids), m(tokens), f(positions), shape(ids)[1], out);
            }
            Op::LayerNorm { x, gain, bias, eps, out: y, .. } => {
                if let [stats] = rest {
                    norm::layer_norm(f(x), (f(gain), f(bias)), eps, &rows(y), out, stats);
                }
            }
            Op::LayerNormGrad { dy, x, stats, gain, add, detach_scale, dx } => {
                let normed = norm::Normed { x: f(x), stats: f(stats), gain: f(gain) };
                let (add, rows) = (add.map(f), rows(dx));
                norm::layer_norm_grad(f(dy), normed, add, detach_scale, &rows, out);
            }
            Op::Linear { x, w, bias, out: y } => {
                some_rows::product(
                    &rows(y),
                    gathered,
                    (f(x), shape(w)[0], None),
                    out,
                    |x, _, out| {
                        matmul::linear(x, p(w), bias.map(f), out);
                    },
                );
            }
            Op::LinearT { x, w, first_col, add, out: dx } => {
                let window = matmul::Window { first_col, cols: cols(x) };
                some_rows::product(
                    &rows(dx),
                    gathered,
                    (f(x), window.cols, add.map(f)),
                    out,
                    |x, add, out| {
                        matmul::linear_t(x, p(w), window, add, out);
                    },
                );
            }
            Op::AttentionPattern { qkv, out: pattern } => {
                let heads = heads(pattern, cols(qkv) / 3);
                attention::attention_pattern(f(qkv), heads, &rows(pattern), out);
            }
            Op::AttentionMix { pattern, qkv, out: z } => {
                let heads = heads(pattern, cols(qkv) / 3);
                attention::attention_mix(f(pattern), f(qkv), heads, &rows(z), out);
            }
            Op::AttentionMixGradPattern { dz, qkv, out: dp } => {
                let heads = heads(dp, cols(dz));
                attention::attention_mix_grad_pattern(f(dz), f(qkv), heads, &rows(dp), out);
            }
            Op::AttentionMixGradV { dz, pattern, out: dv } => {
                let heads = heads(pattern, cols(dz));
                attention::attention_mix_grad_v(f(dz), f(pattern), heads, &rows(dv), out);
            }
            Op::SoftmaxGrad { dy, y, out: dx } => {
                softmax::softmax_grad(f(dy), f(y), cols(dx), &rows(dx), out);
            }
            Op::AttentionScoresGrad { ds, qkv, out: dqk } => {
                let heads = heads(ds, cols(qkv) / 3);
                attention::attention_scores_grad(f(ds), f(qkv), heads, &rows(dqk), out);
            }
            Op::Gelu { x, out: y } => activation::gelu(f(x), cols(y), &rows(y), out),
            Op::GeluGrad { dy, x, slope, dx } => {
                activation::gelu_grad(f(dy), f(x), (cols(dx), slope), &rows(dx), out);
            }
            Op::Add { a, b, .. } => pointwise::add(f(a), f(b), out),
            Op::Mul { a, b, scale, .. } => pointwise::mul(f(a), f(b), scale, out),
            Op::LastRow { x, .. } => gather::last_row(f(x), shape(x)[1], cols(x), out),
            Op::LastRowGrad { dy, out: dx } => {
                gather::last_row_grad(f(dy), shape(dx)[1], cols(dx), out);
            }
            Op::GatherDot { x, w, ids, .. } => {
                gather::gather_dot(f(x), m(w), self.ids(ids), cols(x), cols(ids), out);
            }
            Op::GatherDotGrad { dy, w, ids, .. } => {
                gather::gather_dot_grad(f(dy), m(w), self.ids(ids), cols(w), cols(ids), out);
            }
            Op::DeltaDot { act, grad, first_col, out: of_groups } => {
                let window = patching::Window { first_col, cols: cols(grad), of: cols(act) };
                let (groups, rows) = (cols(of_groups), rows(of_groups));
                patching::delta_dot(f(act), f(grad), window, groups, &rows, out);
            }
            Op::Interpolate { x, first_col, cols: moving, .. } => {
                let window = patching::Window { first_col, cols: moving, of: cols(x) };
                patching::interpolate(f(x), window, out);
            }
            Op::AddRows { a, a_rows, b, b_rows, .. } => {
                let (a_rows, b_rows) = (self.ids(a_rows), self.ids(b_rows));
                patching::add_rows(m(a), a_rows, f(b), b_rows, cols(a), out);
            }
            Op::Splice { x, rows, blocks, width, .. } => {
                let (rows, blocks) = (self.ids(rows), self.ids(blocks));
                patching::splice(f(x), rows, blocks, width, cols(x), out);
            }
            Op::AttentionRows { qkv, queries, keys, heads, .. } => {
                let (queries, keys) = (self.ids(queries), self.ids(keys));
                attention::attention_rows(f(qkv), queries, keys, heads, cols(qkv) / 3, out);
            }
            Op::AppendMeans { x, rows, .. } => {
                patching::append_means(f(x), self.ids(rows), cols(rows), cols(x), out);
            }
            Op::QkFix { qkv, dp, .. } => {
                qk_fix::qk_fix(f(qkv), f(dp), heads(dp, cols(qkv) / 3), out);
            }
            Op::Metric { logits, clean, clean_rows, targets, answers, measure, .. } => {
                let rows = rows_of(logits, (clean, clean_rows), targets, answers);
                metric::metric(&rows, measure, out);
            }
            Op::MetricGrad { dy, logits, clean, clean_rows, targets, answers, measure, .. } => {
                let rows = rows_of(logits, (clean, clean_rows), targets, answers);
                metric::metric_grad(f(dy), &rows, measure, out);
            }
        }
    }
}
