//! The reference executor: what each op means, as plain loops in `f64`.
//!
//! Nothing here is fast. Every other executor is compared with this one.

use crate::{Buf, Content, Feed, FeedError, Op, Slope, Tape};

mod metric;
mod patching;

/// The content of every buffer after a run.
#[derive(Clone, Debug)]
pub struct Values {
    f64: Vec<Vec<f64>>,
    ids: Vec<Vec<u32>>,
}

impl Values {
    /// A buffer's values, row-major; empty for an id buffer.
    pub fn f64(&self, buf: Buf) -> &[f64] {
        &self.f64[buf.index()]
    }

    /// A buffer's values rounded to `f32`.
    pub fn f32(&self, buf: Buf) -> Vec<f32> {
        self.f64(buf).iter().map(|&x| x as f32).collect()
    }

    fn ids(&self, buf: Buf) -> &[u32] {
        &self.ids[buf.index()]
    }
}

/// Runs a tape and keeps every buffer.
///
/// # Errors
/// If `feed` lacks an input or weight, or one does not fit.
pub fn run(tape: &Tape, feed: &Feed) -> Result<Values, FeedError> {
    let mut run = Run::new(tape, feed)?;
    while run.step() {}
    Ok(run.finish())
}

/// A run of the reference executor that can be taken op by op.
pub struct Run<'a> {
    tape: &'a Tape,
    values: Values,
    next: usize,
}

impl<'a> Run<'a> {
    /// Checks the feed; no op has run yet.
    ///
    /// # Errors
    /// If `feed` lacks an input or weight, or one does not fit.
    pub fn new(tape: &'a Tape, feed: &Feed) -> Result<Self, FeedError> {
        let mut values = Values { f64: Vec::new(), ids: Vec::new() };
        for (buf, info) in tape.bufs() {
            let (f64, ids) = match info.content {
                Content::Weight | Content::Input => {
                    (feed.get_values(tape, buf)?.iter().map(|&x| f64::from(x)).collect(), vec![])
                }
                Content::Ids { .. } => (vec![], feed.get_ids(tape, buf)?.to_vec()),
                Content::Value => (vec![], vec![]),
            };
            values.f64.push(f64);
            values.ids.push(ids);
        }
        Ok(Self { tape, values, next: 0 })
    }

    /// Runs the next op; false when there is none left.
    pub fn step(&mut self) -> bool {
        let Some(op) = self.tape.ops().get(self.next) else { return false };
        self.next += 1;
        execute(self.tape, op, &mut self.values);
        true
    }

    /// The buffers as they are now.
    pub fn finish(self) -> Values {
        self.values
    }
}

fn execute(tape: &Tape, op: &Op, values: &mut Values) {
    let results = {
        let f = |buf: Buf| values.f64(buf);
        let shape = |buf: Buf| tape.shape(buf);
        let cols = |buf: Buf| tape.info(buf).cols();
        let len = |buf: Buf| tape.info(buf).len();
        let rows_of = |logits: Buf, (clean, clean_rows): (Buf, Buf), targets: Buf, answers| {
            let (per_row, n_vocab) = (cols(targets), cols(logits));
            let (clean_rows, targets) = (values.ids(clean_rows), values.ids(targets));
            let (logits, clean) = (f(logits), f(clean));
            metric::Rows { logits, clean, clean_rows, targets, per_row, answers, n_vocab }
        };
        match *op {
            Op::Embed { ids, tokens, positions, .. } => {
                let (t, d) = (shape(ids)[1], cols(tokens));
                vec![embed(values.ids(ids), f(tokens), f(positions), t, d)]
            }
            Op::LayerNorm { x, gain, bias, eps, .. } => {
                let (out, stats) = layer_norm(f(x), f(gain), f(bias), f64::from(eps));
                vec![out, stats]
            }
            Op::LayerNormGrad { dy, x, stats, gain, add, detach_scale, .. } => {
                let dx = layer_norm_grad(f(dy), f(x), f(stats), f(gain), detach_scale);
                vec![plus(dx, add.map(f))]
            }
            Op::Linear { x, w, bias, .. } => {
                let &[i, j] = shape(w) else { unreachable!("checked when recorded") };
                vec![linear(f(x), f(w), bias.map(f), i, j)]
            }
            Op::LinearT { x, w, first_col, add, .. } => {
                let &[i, j] = shape(w) else { unreachable!("checked when recorded") };
                vec![plus(linear_t(f(x), f(w), first_col, cols(x), i, j), add.map(f))]
            }
            Op::AttentionPattern { qkv, out } => {
                vec![attention_pattern(f(qkv), Heads::of(shape(out), cols(qkv) / 3))]
            }
            Op::AttentionMix { pattern, qkv, .. } => {
                vec![attention_mix(f(pattern), f(qkv), Heads::of(shape(pattern), cols(qkv) / 3))]
            }
            Op::AttentionMixGradPattern { dz, qkv, out } => {
                vec![attention_mix_grad_pattern(f(dz), f(qkv), Heads::of(shape(out), cols(dz)))]
            }
            Op::AttentionMixGradV { dz, pattern, .. } => {
                let mut heads = Heads::of(shape(pattern), cols(dz));
                heads.b = shape(dz)[0];
                vec![attention_mix_grad_v(f(dz), f(pattern), heads)]
            }
            Op::SoftmaxGrad { dy, y, .. } => vec![softmax_grad(f(dy), f(y), cols(dy))],
            Op::AttentionScoresGrad { ds, qkv, .. } => {
                vec![attention_scores_grad(f(ds), f(qkv), Heads::of(shape(ds), cols(qkv) / 3))]
            }
            Op::Gelu { x, .. } => vec![f(x).iter().map(|&x| x * gelu_ratio(x)).collect()],
            Op::GeluGrad { dy, x, slope, .. } => {
                let slope = match slope {
                    Slope::Derivative => gelu_derivative,
                    Slope::Ratio => gelu_ratio,
                };
                vec![f(dy).iter().zip(f(x)).map(|(dy, &x)| dy * slope(x)).collect()]
            }
            Op::Add { a, b, .. } => vec![f(a).iter().zip(f(b)).map(|(a, b)| a + b).collect()],
            Op::Mul { a, b, scale, .. } => {
                vec![f(a).iter().zip(f(b)).map(|(a, b)| f64::from(scale) * a * b).collect()]
            }
            Op::LastRow { x, .. } => {
                let (t, d) = (shape(x)[1], cols(x));
                vec![f(x).chunks(t * d).flat_map(|seq| seq[(t - 1) * d..].to_vec()).collect()]
            }
            Op::LastRowGrad { dy, out } => {
                let (t, d) = (shape(out)[1], cols(out));
                let mut dx = vec![0.0; len(out)];
                for (seq, dy) in dx.chunks_mut(t * d).zip(f(dy).chunks(d)) {
                    seq[(t - 1) * d..].copy_from_slice(dy);
                }
                vec![dx]
            }
            Op::GatherDot { x, w, ids, .. } => {
                vec![gather_dot(f(x), f(w), values.ids(ids), cols(x), cols(ids))]
            }
            Op::GatherDotGrad { dy, w, ids, .. } => {
                vec![gather_dot_grad(f(dy), f(w), values.ids(ids), cols(w), cols(ids))]
            }
            Op::DeltaDot { act, grad, first_col, out } => {
                let window = (first_col, cols(grad), cols(act));
                vec![patching::delta_dot(f(act), f(grad), window, cols(out))]
            }
            Op::Interpolate { x, first_col, cols: moving, out } => {
                let columns = first_col..first_col + moving;
                vec![patching::interpolate(f(x), columns, cols(x), len(out))]
            }
            Op::AddRows { a, a_rows, b, b_rows, .. } => {
                let (a_rows, b_rows) = (values.ids(a_rows), values.ids(b_rows));
                vec![patching::add_rows((f(a), a_rows), (f(b), b_rows), cols(a))]
            }
            Op::Splice { x, rows, blocks, width, .. } => {
                vec![patching::splice(f(x), values.ids(rows), values.ids(blocks), width, cols(x))]
            }
            Op::AttentionRows { qkv, queries, keys, heads, .. } => {
                let (queries, keys) = (values.ids(queries), values.ids(keys));
                vec![patching::attention_rows(f(qkv), queries, keys, heads, cols(qkv) / 3)]
            }
            Op::AppendMeans { x, rows, .. } => {
                vec![patching::append_means(f(x), values.ids(rows), cols(rows), cols(x))]
            }
            Op::QkFix { qkv, dp, .. } => {
                vec![patching::qk_fix(f(qkv), f(dp), Heads::of(shape(dp), cols(qkv) / 3))]
            }
            Op::Metric { logits, clean, clean_rows, targets, answers, measure, .. } => {
                let rows = rows_of(logits, (clean, clean_rows), targets, answers);
                vec![metric::metric(&rows, measure)]
            }
            Op::MetricGrad { dy, logits, clean, clean_rows, targets, answers, measure, .. } => {
                let rows = rows_of(logits, (clean, clean_rows), targets, answers);
                vec![metric::metric_grad(f(dy), &rows, measure)]
            }
        }
    };
    for (buf, result) in op.writes().into_iter().zip(results) {
        debug_assert_eq!(result.len(), tape.info(buf).len(), "{}", tape.name(buf));
        values.f64[buf.index()] = result;
    }
}

fn plus(mut dx: Vec<f64>, add: Option<&[f64]>) -> Vec<f64> {
    if let Some(add) = add {
        for (dx, add) in dx.iter_mut().zip(add) {
            *dx += add;
        }
    }
    dx
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn embed(ids: &[u32], tokens: &[f64], positions: &[f64], t: usize, d: usize) -> Vec<f64> {
    let mut out = Vec::with_capacity(ids.len() * d);
    for (row, &id) in ids.iter().enumerate() {
        let token = &tokens[id as usize * d..][..d];
        let position = &positions[row % t * d..][..d];
        out.extend(token.iter().zip(position).map(|(a, b)| a + b));
    }
    out
}

fn layer_norm(x: &[f64], gain: &[f64], bias: &[f64], eps: f64) -> (Vec<f64>, Vec<f64>) {
    let d = gain.len();
    let (mut out, mut stats) = (Vec::with_capacity(x.len()), Vec::new());
    for x in x.chunks(d) {
        let mean = x.iter().sum::<f64>() / d as f64;
        let variance = x.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / d as f64;
        let inv_sigma = 1.0 / (variance + eps).sqrt();
        for ((x, gain), bias) in x.iter().zip(gain).zip(bias) {
            out.push((x - mean) * inv_sigma * gain + bias);
        }
        stats.extend([mean, inv_sigma]);
    }
    (out, stats)
}

fn layer_norm_grad(
    dy: &[f64],
    x: &[f64],
    stats: &[f64],
    gain: &[f64],
    detach_scale: bool,
) -> Vec<f64> {
    let d = gain.len();
    let mut dx = Vec::with_capacity(dy.len());
    for ((dy, x), stats) in dy.chunks(d).zip(x.chunks(d)).zip(stats.chunks(2)) {
        let (mean, inv_sigma) = (stats[0], stats[1]);
        let g: Vec<f64> = dy.iter().zip(gain).map(|(dy, gain)| dy * gain).collect();
        let x_hat: Vec<f64> = x.iter().map(|x| (x - mean) * inv_sigma).collect();
        let g_mean = g.iter().sum::<f64>() / d as f64;
        let along = if detach_scale { 0.0 } else { dot(&g, &x_hat) / d as f64 };
        dx.extend(g.iter().zip(&x_hat).map(|(g, x_hat)| (g - g_mean - x_hat * along) * inv_sigma));
    }
    dx
}

fn linear(x: &[f64], w: &[f64], bias: Option<&[f64]>, i: usize, j: usize) -> Vec<f64> {
    let mut out = Vec::with_capacity(x.len() / i * j);
    for x in x.chunks(i) {
        for col in 0..j {
            let sum: f64 = x.iter().enumerate().map(|(row, x)| x * w[row * j + col]).sum();
            out.push(bias.map_or(0.0, |bias| bias[col]) + sum);
        }
    }
    out
}

fn linear_t(x: &[f64], w: &[f64], first_col: usize, c: usize, i: usize, j: usize) -> Vec<f64> {
    let mut out = Vec::with_capacity(x.len() / c * i);
    for x in x.chunks(c) {
        out.extend((0..i).map(|row| dot(x, &w[row * j + first_col..][..c])));
    }
    out
}

/// The extents of an attention op, and where its rows lie.
#[derive(Clone, Copy)]
struct Heads {
    /// Sequences.
    b: usize,
    /// Heads.
    h: usize,
    /// Positions.
    t: usize,
    /// Width of all heads together.
    d: usize,
}

impl Heads {
    /// From the shape of a pattern, \[B,H,T,T\].
    fn of(pattern: &[usize], d: usize) -> Self {
        Self { b: pattern[0], h: pattern[1], t: pattern[2], d }
    }

    fn scale(self) -> f64 {
        1.0 / ((self.d / self.h) as f64).sqrt()
    }

    /// Every (sequence, head).
    fn each(self) -> impl Iterator<Item = (usize, usize)> {
        (0..self.b).flat_map(move |b| (0..self.h).map(move |h| (b, h)))
    }

    /// A head's part of row (b, t) of a buffer with `parts` · D columns; `part` is 0 for q, 1 for
    /// k, 2 for v.
    fn row(
        self,
        parts: usize,
        b: usize,
        h: usize,
        t: usize,
        part: usize,
    ) -> std::ops::Range<usize> {
        let e = self.d / self.h;
        let start = ((b * self.t + t) * parts + part) * self.d + h * e;
        start..start + e
    }

    /// Row t of a pattern of (b, h).
    fn pattern_row(self, b: usize, h: usize, t: usize) -> std::ops::Range<usize> {
        let start = ((b * self.h + h) * self.t + t) * self.t;
        start..start + self.t
    }
}

/// The softmax of scores.
fn softmax(scores: &[f64]) -> Vec<f64> {
    let max = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = scores.iter().map(|score| (score - max).exp()).collect();
    let sum: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / sum).collect()
}

fn attention_pattern(qkv: &[f64], heads: Heads) -> Vec<f64> {
    let mut out = vec![0.0; heads.b * heads.h * heads.t * heads.t];
    for (b, h) in heads.each() {
        for t in 0..heads.t {
            let q = &qkv[heads.row(3, b, h, t, 0)];
            let scores: Vec<f64> =
                (0..=t).map(|s| dot(q, &qkv[heads.row(3, b, h, s, 1)]) * heads.scale()).collect();
            out[heads.pattern_row(b, h, t)][..=t].copy_from_slice(&softmax(&scores));
        }
    }
    out
}

fn attention_mix(pattern: &[f64], qkv: &[f64], heads: Heads) -> Vec<f64> {
    let mut out = vec![0.0; heads.b * heads.t * heads.d];
    for (b, h) in heads.each() {
        for t in 0..heads.t {
            let pattern = &pattern[heads.pattern_row(b, h, t)];
            for s in 0..=t {
                let v = &qkv[heads.row(3, b, h, s, 2)];
                for (out, v) in out[heads.row(1, b, h, t, 0)].iter_mut().zip(v) {
                    *out += pattern[s] * v;
                }
            }
        }
    }
    out
}

fn attention_mix_grad_pattern(dz: &[f64], qkv: &[f64], heads: Heads) -> Vec<f64> {
    let mut out = vec![0.0; heads.b * heads.h * heads.t * heads.t];
    for (b, h) in heads.each() {
        for t in 0..heads.t {
            let dz = &dz[heads.row(1, b, h, t, 0)];
            let row = &mut out[heads.pattern_row(b, h, t)];
            for s in 0..=t {
                row[s] = dot(dz, &qkv[heads.row(3, b, h, s, 2)]);
            }
        }
    }
    out
}

fn attention_mix_grad_v(dz: &[f64], pattern: &[f64], heads: Heads) -> Vec<f64> {
    let mut out = vec![0.0; heads.b * heads.t * heads.d];
    for (b, h) in heads.each() {
        for s in 0..heads.t {
            for t in s..heads.t {
                let weight = pattern[heads.pattern_row(b, h, t)][s];
                let dz = &dz[heads.row(1, b, h, t, 0)];
                for (out, dz) in out[heads.row(1, b, h, s, 0)].iter_mut().zip(dz) {
                    *out += weight * dz;
                }
            }
        }
    }
    out
}

fn softmax_grad(dy: &[f64], y: &[f64], cols: usize) -> Vec<f64> {
    let mut out = Vec::with_capacity(dy.len());
    for (dy, y) in dy.chunks(cols).zip(y.chunks(cols)) {
        let mean = dot(dy, y);
        out.extend(dy.iter().zip(y).map(|(dy, y)| y * (dy - mean)));
    }
    out
}

fn attention_scores_grad(ds: &[f64], qkv: &[f64], heads: Heads) -> Vec<f64> {
    let mut out = vec![0.0; heads.b * heads.t * 2 * heads.d];
    for (b, h) in heads.each() {
        for t in 0..heads.t {
            for s in 0..=t {
                let ds = ds[heads.pattern_row(b, h, t)][s] * heads.scale();
                let k = &qkv[heads.row(3, b, h, s, 1)];
                for (dq, k) in out[heads.row(2, b, h, t, 0)].iter_mut().zip(k) {
                    *dq += ds * k;
                }
                let q = &qkv[heads.row(3, b, h, t, 0)];
                for (dk, q) in out[heads.row(2, b, h, s, 1)].iter_mut().zip(q) {
                    *dk += ds * q;
                }
            }
        }
    }
    out
}

/// gelu_new(x) / x = ½(1 + tanh(√(2/π)(x + 0.044715 x³))).
fn gelu_ratio(x: f64) -> f64 {
    0.5 * (1.0 + gelu_inner(x).tanh())
}

fn gelu_derivative(x: f64) -> f64 {
    let tanh = gelu_inner(x).tanh();
    let inner_slope = GELU_SCALE * (1.0 + 3.0 * 0.044_715 * x * x);
    0.5 * (1.0 + tanh) + 0.5 * x * (1.0 - tanh * tanh) * inner_slope
}

fn gelu_inner(x: f64) -> f64 {
    GELU_SCALE * (x + 0.044_715 * x * x * x)
}

/// √(2/π)
const GELU_SCALE: f64 = 0.797_884_560_802_865_4;

fn gather_dot(x: &[f64], w: &[f64], ids: &[u32], d: usize, k: usize) -> Vec<f64> {
    let rows = x.chunks(d).zip(ids.chunks(k));
    rows.flat_map(|(x, ids)| {
        ids.iter().map(|&id| dot(x, &w[id as usize * d..][..d])).collect::<Vec<_>>()
    })
    .collect()
}

fn gather_dot_grad(dy: &[f64], w: &[f64], ids: &[u32], d: usize, k: usize) -> Vec<f64> {
    let mut out = vec![0.0; dy.len() / k * d];
    for ((out, dy), ids) in out.chunks_mut(d).zip(dy.chunks(k)).zip(ids.chunks(k)) {
        for (dy, &id) in dy.iter().zip(ids) {
            for (out, w) in out.iter_mut().zip(&w[id as usize * d..][..d]) {
                *out += dy * w;
            }
        }
    }
    out
}
