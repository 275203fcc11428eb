//! The operations. Each is named like its WGSL file and its reference and CPU functions.
//!
//! Shapes: B sequences, T positions, D model width, H heads of width E = D / H, V vocabulary.
//! An operand may have more leading rows than the result: only the first rows are read. That is
//! how a backward pass over the first half of a batch reads the activations of the whole batch.

use crate::Buf;

/// What stands in for the slope of an activation function on the way back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slope {
    /// The derivative f′(x).
    Derivative,
    /// The ratio f(x) / x, continued at x = 0.
    Ratio,
}

/// A number read off a row of logits l, with p = softmax(l) and natural logarithms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// ln Σ p over the first targets.
    LogProb,
    /// Σ p over the first targets − Σ p over the others.
    ProbDiff,
    /// Σ_v P_v (ln P_v − ln p_v), where P is the softmax of a second row.
    Divergence,
}

/// One step of a tape. `out` (or `dx`, …) is written, all other buffers are read.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "the formula on each op names its fields")]
pub enum Op {
    /// `out[b,t,:] = tokens[ids[b,t],:] + positions[t,:]`; ids \[B,T\], tokens \[V,D\],
    /// positions \[P,D\] with P ≥ T, out \[B,T,D\].
    Embed { ids: Buf, tokens: Buf, positions: Buf, out: Buf },

    /// `out[r,:] = (x[r,:] − μ_r) / σ_r · gain + bias` with `σ_r² = mean((x[r,:] − μ_r)²) + eps`;
    /// also `stats[r] = (μ_r, 1/σ_r)`.
    LayerNorm { x: Buf, gain: Buf, bias: Buf, eps: f32, out: Buf, stats: Buf },

    /// With `g = dy · gain`, `x̂ = (x − μ) / σ`:
    /// `dx = add + (g − mean(g) − x̂ · mean(g · x̂)) / σ`, or, when the scale 1/σ is held constant
    /// (`detach_scale`), `dx = add + (g − mean(g)) / σ`.
    LayerNormGrad {
        dy: Buf,
        x: Buf,
        stats: Buf,
        gain: Buf,
        add: Option<Buf>,
        detach_scale: bool,
        dx: Buf,
    },

    /// `out[r,j] = bias[j] + Σ_i x[r,i] · w[i,j]`; x \[…,I\], w \[I,J\] as GPT-2 stores it.
    Linear { x: Buf, w: Buf, bias: Option<Buf>, out: Buf },

    /// `out[r,i] = add[r,i] + Σ_c x[r,c] · w[i, first_col + c]`; x \[…,C\], w \[I,J\] with
    /// first_col + C ≤ J. The derivative of [`Op::Linear`], and the tied unembedding.
    LinearT { x: Buf, w: Buf, first_col: usize, add: Option<Buf>, out: Buf },

    /// `out[b,h,t,s] = softmax over s ≤ t of q[b,t,h]·k[b,s,h] / √E`, 0 for s > t;
    /// qkv \[B,T,3D\] holds q, k, v side by side; out \[B,H,T,T\].
    AttentionPattern { qkv: Buf, out: Buf },

    /// `out[b,t,h,:] = Σ_{s≤t} pattern[b,h,t,s] · v[b,s,h,:]`; out \[B,T,D\].
    AttentionMix { pattern: Buf, qkv: Buf, out: Buf },

    /// `out[b,h,t,s] = dz[b,t,h,:] · v[b,s,h,:]` for s ≤ t, else 0; out \[B,H,T,T\].
    AttentionMixGradPattern { dz: Buf, qkv: Buf, out: Buf },

    /// `out[b,s,h,:] = Σ_{t≥s} pattern[b,h,t,s] · dz[b,t,h,:]`; out \[B,T,D\].
    AttentionMixGradV { dz: Buf, pattern: Buf, out: Buf },

    /// `out[…,s] = y[…,s] · (dy[…,s] − Σ_u dy[…,u] · y[…,u])`, the derivative of y = softmax.
    SoftmaxGrad { dy: Buf, y: Buf, out: Buf },

    /// From the derivative of the scores S = q·k/√E, that of q and k side by side:
    /// `out[b,t,h,:] = Σ_{s≤t} ds[b,h,t,s] · k[b,s,h,:] / √E` and
    /// `out[b,s,D+h,:] = Σ_{t≥s} ds[b,h,t,s] · q[b,t,h,:] / √E`; out \[B,T,2D\].
    AttentionScoresGrad { ds: Buf, qkv: Buf, out: Buf },

    /// `out = gelu_new(x) = x · ½(1 + tanh(√(2/π)(x + 0.044715 x³)))`.
    Gelu { x: Buf, out: Buf },

    /// `dx = dy · gelu′(x)`, or `dy · gelu(x)/x`, by `slope`.
    GeluGrad { dy: Buf, x: Buf, slope: Slope, dx: Buf },

    /// `out = a + b`.
    Add { a: Buf, b: Buf, out: Buf },

    /// `out = scale · a · b`, element by element.
    Mul { a: Buf, b: Buf, scale: f32, out: Buf },

    /// `out[b,:] = x[b,T−1,:]`; x \[B,T,D\], out \[B,D\].
    LastRow { x: Buf, out: Buf },

    /// `out[b,T−1,:] = dy[b,:]`, all other positions 0; out \[B,T,D\].
    LastRowGrad { dy: Buf, out: Buf },

    /// `out[n,k] = x[n,:] · w[ids[n,k],:]`; x \[N,D\], w \[V,D\], ids and out \[N,K\].
    GatherDot { x: Buf, w: Buf, ids: Buf, out: Buf },

    /// `out[n,:] = Σ_k dy[n,k] · w[ids[n,k],:]`; out \[N,D\].
    GatherDotGrad { dy: Buf, w: Buf, ids: Buf, out: Buf },

    /// With `r' = r mod R`: `out[r,g] = Σ_c (act[R+r',first_col+c] − act[r',first_col+c]) · grad[r,c]`
    /// over the columns c of group g, of G groups of equal width; act \[2B,…,J\] holds the R rows of
    /// the base runs and then those of the source runs, grad \[N·B,…,C\] N coefficients of each,
    /// out \[N·B,…,G\].
    DeltaDot { act: Buf, grad: Buf, first_col: usize, out: Buf },

    /// `out[k·B+b,…] = x[b,…] + (k+1)/N · (x[B+b,…] − x[b,…])` for k < N in `cols` columns from
    /// `first_col` on, and `x[b,…]` in all others; x \[2B,…\] holds the base runs and then the source
    /// runs, out \[N·B,…\] N steps from each base to its source.
    Interpolate { x: Buf, first_col: usize, cols: usize, out: Buf },

    /// `out[r,:] = a[a_rows[r],:] + b[b_rows[r],:]`, where the number of an operand's rows stands for
    /// a row of zeros; a \[…,D\], b \[…,D\], a_rows and b_rows \[…\], out \[…,D\].
    AddRows { a: Buf, a_rows: Buf, b: Buf, b_rows: Buf, out: Buf },

    /// `out[r,c] = x[rows[r,1],c]` where c lies in block `blocks[r]` of `width` columns, else
    /// `x[rows[r,0],c]`; the number of x's rows stands for a row of zeros; x \[…,J\], rows \[R,2\],
    /// blocks \[R\], out \[R,J\].
    Splice { x: Buf, rows: Buf, blocks: Buf, width: usize, out: Buf },

    /// `out[r,h,:] = Σ_s p[s] · v[keys[r,s],h]` with p = softmax over s of
    /// `q[queries[r],h]·k[keys[r,s],h] / √E`, over those s alone whose `keys[r,s]` is a row of qkv and
    /// not its number of rows; qkv \[…,3D\], queries \[R\], keys \[R,T\], out \[R,D\].
    AttentionRows { qkv: Buf, queries: Buf, keys: Buf, heads: usize, out: Buf },

    /// `out[r,:] = x[r,:]` for the R rows of x, and then for each row of ids the mean of the rows that
    /// they name: `out[R+m,:] = Σ_k x[rows[m,k],:] / K`; x \[…,D\], rows \[M,K\], out \[R+M,D\].
    AppendMeans { x: Buf, rows: Buf, out: Buf },

    /// What putting a query or a key of the source run into the base run does through the softmax, to
    /// first order in the pattern: with p row t of the pattern of sequence b and head h, and p′ that row
    /// with one query, or one key, of sequence B+b in place of b's,
    /// `out[b,t,h] = Σ_s (p′[s] − p[s]) · dp[b,h,t,s]` for the query of t, and
    /// `out[b,s,H+h] = Σ_{t≥s} Σ_u (p′[u] − p[u]) · dp[b,h,t,u]` for the key of s;
    /// qkv \[2B,T,3D\], dp \[B,H,T,T\], out \[B,T,2H\].
    QkFix { qkv: Buf, dp: Buf, out: Buf },

    /// `out[n] = measure(logits[n,:])` with the targets of row n, of which the first `answers` are the
    /// first, and with the row `clean[clean_rows[n],:]` as the second; logits \[N,V\], clean \[C,V\],
    /// clean_rows \[N\], targets \[N,K\], out \[N,1\].
    Metric {
        logits: Buf,
        clean: Buf,
        clean_rows: Buf,
        targets: Buf,
        answers: usize,
        measure: Measure,
        out: Buf,
    },

    /// `out[n,v] = dy[n] · ∂ measure / ∂ logits[n,v]`, the second row being a constant; dy \[N,1\], out
    /// \[N,V\].
    MetricGrad {
        dy: Buf,
        logits: Buf,
        clean: Buf,
        clean_rows: Buf,
        targets: Buf,
        answers: usize,
        measure: Measure,
        out: Buf,
    },
}

impl Measure {
    /// As the listing prints it.
    fn name(self) -> &'static str {
        match self {
            Measure::LogProb => "log_prob",
            Measure::ProbDiff => "prob_diff",
            Measure::Divergence => "divergence",
        }
    }
}

impl Op {
    /// The op's one name: of its WGSL file, and of its reference and CPU functions.
    pub fn name(&self) -> &'static str {
        match self {
            Op::Embed { .. } => "embed",
            Op::LayerNorm { .. } => "layer_norm",
            Op::LayerNormGrad { .. } => "layer_norm_grad",
            Op::Linear { .. } => "linear",
            Op::LinearT { .. } => "linear_t",
            Op::AttentionPattern { .. } => "attention_pattern",
            Op::AttentionMix { .. } => "attention_mix",
            Op::AttentionMixGradPattern { .. } => "attention_mix_grad_pattern",
            Op::AttentionMixGradV { .. } => "attention_mix_grad_v",
            Op::SoftmaxGrad { .. } => "softmax_grad",
            Op::AttentionScoresGrad { .. } => "attention_scores_grad",
            Op::Gelu { .. } => "gelu",
            Op::GeluGrad { .. } => "gelu_grad",
            Op::Add { .. } => "add",
            Op::Mul { .. } => "mul",
            Op::LastRow { .. } => "last_row",
            Op::LastRowGrad { .. } => "last_row_grad",
            Op::GatherDot { .. } => "gather_dot",
            Op::GatherDotGrad { .. } => "gather_dot_grad",
            Op::DeltaDot { .. } => "delta_dot",
            Op::Interpolate { .. } => "interpolate",
            Op::AddRows { .. } => "add_rows",
            Op::Splice { .. } => "splice",
            Op::AttentionRows { .. } => "attention_rows",
            Op::AppendMeans { .. } => "append_means",
            Op::QkFix { .. } => "qk_fix",
            Op::Metric { .. } => "metric",
            Op::MetricGrad { .. } => "metric_grad",
        }
    }

    /// Every op's name, in the order of the enum.
    pub const NAMES: [&'static str; 28] = [
        "embed",
        "layer_norm",
        "layer_norm_grad",
        "linear",
        "linear_t",
        "attention_pattern",
        "attention_mix",
        "attention_mix_grad_pattern",
        "attention_mix_grad_v",
        "softmax_grad",
        "attention_scores_grad",
        "gelu",
        "gelu_grad",
        "add",
        "mul",
        "last_row",
        "last_row_grad",
        "gather_dot",
        "gather_dot_grad",
        "delta_dot",
        "interpolate",
        "add_rows",
        "splice",
        "attention_rows",
        "append_means",
        "qk_fix",
        "metric",
        "metric_grad",
    ];

    /// The buffers read, each with the word the listing uses for it.
    pub fn reads(&self) -> Vec<(&'static str, Buf)> {
        let mut reads = match *self {
            Op::Embed { ids, tokens, positions, .. } => {
                vec![("ids", ids), ("tokens", tokens), ("positions", positions)]
            }
            Op::LayerNorm { x, gain, bias, .. } => vec![("x", x), ("gain", gain), ("bias", bias)],
            Op::LayerNormGrad { dy, x, stats, gain, .. } => {
                vec![("dy", dy), ("x", x), ("stats", stats), ("gain", gain)]
            }
            Op::Linear { x, w, .. } | Op::LinearT { x, w, .. } => vec![("x", x), ("w", w)],
            Op::AttentionPattern { qkv, .. } => vec![("qkv", qkv)],
            Op::AttentionMix { pattern, qkv, .. } => vec![("pattern", pattern), ("qkv", qkv)],
            Op::AttentionMixGradPattern { dz, qkv, .. } => vec![("dz", dz), ("qkv", qkv)],
            Op::AttentionMixGradV { dz, pattern, .. } => vec![("dz", dz), ("pattern", pattern)],
            Op::SoftmaxGrad { dy, y, .. } => vec![("dy", dy), ("y", y)],
            Op::AttentionScoresGrad { ds, qkv, .. } => vec![("ds", ds), ("qkv", qkv)],
            Op::Gelu { x, .. } | Op::LastRow { x, .. } => vec![("x", x)],
            Op::GeluGrad { dy, x, .. } => vec![("dy", dy), ("x", x)],
            Op::Add { a, b, .. } | Op::Mul { a, b, .. } => vec![("a", a), ("b", b)],
            Op::LastRowGrad { dy, .. } => vec![("dy", dy)],
            Op::GatherDot { x, w, ids, .. } => vec![("x", x), ("w", w), ("ids", ids)],
            Op::GatherDotGrad { dy, w, ids, .. } => vec![("dy", dy), ("w", w), ("ids", ids)],
            Op::DeltaDot { act, grad, .. } => vec![("act", act), ("grad", grad)],
            Op::Interpolate { x, .. } => vec![("x", x)],
            Op::AddRows { a, a_rows, b, b_rows, .. } => {
                vec![("a", a), ("a_rows", a_rows), ("b", b), ("b_rows", b_rows)]
            }
            Op::Splice { x, rows, blocks, .. } => {
                vec![("x", x), ("rows", rows), ("blocks", blocks)]
            }
            Op::AttentionRows { qkv, queries, keys, .. } => {
                vec![("qkv", qkv), ("queries", queries), ("keys", keys)]
            }
            Op::AppendMeans { x, rows, .. } => vec![("x", x), ("rows", rows)],
            Op::QkFix { qkv, dp, .. } => vec![("qkv", qkv), ("dp", dp)],
            Op::Metric { logits, clean, clean_rows, targets, .. } => vec![
                ("logits", logits),
                ("clean", clean),
                ("clean_rows", clean_rows),
                ("targets", targets),
            ],
            Op::MetricGrad { dy, logits, clean, clean_rows, targets, .. } => vec![
                ("dy", dy),
                ("logits", logits),
                ("clean", clean),
                ("clean_rows", clean_rows),
                ("targets", targets),
            ],
        };
        match *self {
            Op::Linear { bias: Some(bias), .. } => reads.push(("bias", bias)),
            Op::LinearT { add: Some(add), .. } | Op::LayerNormGrad { add: Some(add), .. } => {
                reads.push(("add", add));
            }
            _ => {}
        }
        reads
    }

    /// The operands that are read row by row or tile by tile, which an executor may keep as halves or in
    /// several buffers if they are weights.
    pub fn matrices(&self) -> Vec<Buf> {
        match *self {
            Op::Embed { tokens, .. } => vec![tokens],
            Op::Linear { w, .. }
            | Op::LinearT { w, .. }
            | Op::GatherDot { w, .. }
            | Op::GatherDotGrad { w, .. } => vec![w],
            Op::AddRows { a, .. } => vec![a],
            _ => Vec::new(),
        }
    }

    /// The buffers written; the first is the op's result.
    pub fn writes(&self) -> Vec<Buf> {
        match *self {
            Op::LayerNorm { out, stats, .. } => vec![out, stats],
            Op::LayerNormGrad { dx, .. } | Op::GeluGrad { dx, .. } => vec![dx],
            Op::Embed { out, .. }
            | Op::Linear { out, .. }
            | Op::LinearT { out, .. }
            | Op::AttentionPattern { out, .. }
            | Op::AttentionMix { out, .. }
            | Op::AttentionMixGradPattern { out, .. }
            | Op::AttentionMixGradV { out, .. }
            | Op::SoftmaxGrad { out, .. }
            | Op::AttentionScoresGrad { out, .. }
            | Op::Gelu { out, .. }
            | Op::Add { out, .. }
            | Op::Mul { out, .. }
            | Op::LastRow { out, .. }
            | Op::LastRowGrad { out, .. }
            | Op::GatherDot { out, .. }
            | Op::GatherDotGrad { out, .. }
            | Op::DeltaDot { out, .. }
            | Op::Interpolate { out, .. }
            | Op::AddRows { out, .. }
            | Op::Splice { out, .. }
            | Op::AttentionRows { out, .. }
            | Op::AppendMeans { out, .. }
            | Op::QkFix { out, .. }
            | Op::Metric { out, .. }
            | Op::MetricGrad { out, .. } => vec![out],
        }
    }

    /// The op's constants, as the listing prints them.
    pub fn constants(&self) -> Vec<(&'static str, String)> {
        match self {
            Op::LayerNorm { eps, .. } => vec![("eps", format!("{eps:e}"))],
            Op::LayerNormGrad { detach_scale: true, .. } => vec![("scale", "detached".to_owned())],
            Op::LinearT { first_col, .. } | Op::DeltaDot { first_col, .. } if *first_col > 0 => {
                vec![("first_col", first_col.to_string())]
            }
            Op::GeluGrad { slope: Slope::Ratio, .. } => vec![("slope", "ratio".to_owned())],
            Op::Mul { scale, .. } if *scale != 1.0 => vec![("scale", scale.to_string())],
            Op::Splice { width, .. } => vec![("width", width.to_string())],
            Op::AttentionRows { heads, .. } => vec![("heads", heads.to_string())],
            Op::Interpolate { first_col, cols, .. } => {
                vec![("columns", format!("{first_col}..{}", first_col + cols))]
            }
            Op::Metric { answers, measure, .. } | Op::MetricGrad { answers, measure, .. } => {
                vec![("measure", measure.name().to_owned()), ("answers", answers.to_string())]
            }
            _ => Vec::new(),
        }
    }
}
