//! Recording ops: one method an op, which checks the operands' shapes and names the result.
//!
//! Every method panics if shapes do not fit: that is a mistake in the recording code.

use std::ops::Range;

use crate::{Buf, Content, Measure, Op, Slope, Tape};

impl Tape {
    /// Records [`Op::Embed`].
    #[track_caller]
    pub fn embed(&mut self, name: &str, ids: Buf, tokens: Buf, positions: Buf) -> Buf {
        let &[b, t] = self.dims(ids);
        let &[v, d] = self.dims(tokens);
        let &[p, positions_d] = self.dims(positions);
        assert_eq!(d, positions_d, "{name}: token and position embeddings differ in width");
        assert!(t <= p, "{name}: {t} positions, but only {p} have an embedding");
        self.assert_ids(ids, v);
        let out = self.value(name, &[b, t, d]);
        self.push(Op::Embed { ids, tokens, positions, out })
    }

    /// Records [`Op::LayerNorm`]; returns the result and its `stats` (μ, 1/σ) \[…,2\].
    #[track_caller]
    pub fn layer_norm(&mut self, name: &str, x: Buf, gain: Buf, bias: Buf, eps: f32) -> (Buf, Buf) {
        let shape = self.shape(x).to_vec();
        let d = self.info(x).cols();
        assert_eq!(self.shape(gain), [d], "{name}: gain");
        assert_eq!(self.shape(bias), [d], "{name}: bias");
        let out = self.value(name, &shape);
        let stats = self.value(&format!("{name}.stats"), &with_cols(&shape, 2));
        self.push(Op::LayerNorm { x, gain, bias, eps, out, stats });
        (out, stats)
    }

    /// Records [`Op::LayerNormGrad`].
    #[track_caller]
    #[allow(clippy::too_many_arguments, reason = "the operands of the op")]
    pub fn layer_norm_grad(
        &mut self,
        name: &str,
        dy: Buf,
        x: Buf,
        stats: Buf,
        gain: Buf,
        add: Option<Buf>,
        detach_scale: bool,
    ) -> Buf {
        let shape = self.shape(dy).to_vec();
        let d = self.info(dy).cols();
        self.assert_covers(x, &shape);
        self.assert_covers(stats, &with_cols(&shape, 2));
        assert_eq!(self.shape(gain), [d], "{name}: gain");
        if let Some(add) = add {
            self.assert_covers(add, &shape);
        }
        let dx = self.value(name, &shape);
        self.push(Op::LayerNormGrad { dy, x, stats, gain, add, detach_scale, dx })
    }

    /// Records [`Op::Linear`].
    #[track_caller]
    pub fn linear(&mut self, name: &str, x: Buf, w: Buf, bias: Option<Buf>) -> Buf {
        let &[i, j] = self.dims(w);
        assert_eq!(self.info(x).cols(), i, "{name}: x and w differ in the inner extent");
        if let Some(bias) = bias {
            assert_eq!(self.shape(bias), [j], "{name}: bias");
        }
        let out = self.value(name, &with_cols(self.shape(x), j));
        self.push(Op::Linear { x, w, bias, out })
    }

    /// Records [`Op::LinearT`].
    #[track_caller]
    pub fn linear_t(
        &mut self,
        name: &str,
        x: Buf,
        w: Buf,
        first_col: usize,
        add: Option<Buf>,
    ) -> Buf {
        let &[i, j] = self.dims(w);
        let c = self.info(x).cols();
        assert!(first_col + c <= j, "{name}: columns {first_col}+{c} of {j}");
        let shape = with_cols(self.shape(x), i);
        if let Some(add) = add {
            self.assert_covers(add, &shape);
        }
        let out = self.value(name, &shape);
        self.push(Op::LinearT { x, w, first_col, add, out })
    }

    /// Records [`Op::AttentionPattern`] of `heads` heads.
    #[track_caller]
    pub fn attention_pattern(&mut self, name: &str, qkv: Buf, heads: usize) -> Buf {
        let &[b, t, d3] = self.dims(qkv);
        assert!(d3 % (3 * heads) == 0, "{name}: width {d3} is not 3 × {heads} heads");
        let out = self.value(name, &[b, heads, t, t]);
        self.push(Op::AttentionPattern { qkv, out })
    }

    /// Records [`Op::AttentionMix`].
    #[track_caller]
    pub fn attention_mix(&mut self, name: &str, pattern: Buf, qkv: Buf) -> Buf {
        let &[b, h, t, _] = self.dims(pattern);
        let d = self.info(qkv).cols() / 3;
        assert!(d.is_multiple_of(h), "{name}: width {d} is not {h} heads");
        self.assert_covers(qkv, &[b, t, 3 * d]);
        let out = self.value(name, &[b, t, d]);
        self.push(Op::AttentionMix { pattern, qkv, out })
    }

    /// Records [`Op::AttentionMixGradPattern`] of `heads` heads.
    #[track_caller]
    pub fn attention_mix_grad_pattern(
        &mut self,
        name: &str,
        dz: Buf,
        qkv: Buf,
        heads: usize,
    ) -> Buf {
        let &[b, t, d] = self.dims(dz);
        assert!(d % heads == 0, "{name}: width {d} is not {heads} heads");
        self.assert_covers(qkv, &[b, t, 3 * d]);
        let out = self.value(name, &[b, heads, t, t]);
        self.push(Op::AttentionMixGradPattern { dz, qkv, out })
    }

    /// Records [`Op::AttentionMixGradV`].
    #[track_caller]
    pub fn attention_mix_grad_v(&mut self, name: &str, dz: Buf, pattern: Buf) -> Buf {
        let &[b, t, d] = self.dims(dz);
        let &[_, h, _, _] = self.dims(pattern);
        assert!(d % h == 0, "{name}: width {d} is not {h} heads");
        self.assert_covers(pattern, &[b, h, t, t]);
        let out = self.value(name, &[b, t, d]);
        self.push(Op::AttentionMixGradV { dz, pattern, out })
    }

    /// Records [`Op::SoftmaxGrad`].
    #[track_caller]
    pub fn softmax_grad(&mut self, name: &str, dy: Buf, y: Buf) -> Buf {
        let shape = self.shape(dy).to_vec();
        self.assert_covers(y, &shape);
        let out = self.value(name, &shape);
        self.push(Op::SoftmaxGrad { dy, y, out })
    }

    /// Records [`Op::AttentionScoresGrad`].
    #[track_caller]
    pub fn attention_scores_grad(&mut self, name: &str, ds: Buf, qkv: Buf) -> Buf {
        let &[b, h, t, _] = self.dims(ds);
        let d = self.info(qkv).cols() / 3;
        assert!(d.is_multiple_of(h), "{name}: width {d} is not {h} heads");
        self.assert_covers(qkv, &[b, t, 3 * d]);
        let out = self.value(name, &[b, t, 2 * d]);
        self.push(Op::AttentionScoresGrad { ds, qkv, out })
    }

    /// Records [`Op::Gelu`].
    pub fn gelu(&mut self, name: &str, x: Buf) -> Buf {
        let shape = self.shape(x).to_vec();
        let out = self.value(name, &shape);
        self.push(Op::Gelu { x, out })
    }

    /// Records [`Op::GeluGrad`].
    #[track_caller]
    pub fn gelu_grad(&mut self, name: &str, dy: Buf, x: Buf, slope: Slope) -> Buf {
        let shape = self.shape(dy).to_vec();
        self.assert_covers(x, &shape);
        let dx = self.value(name, &shape);
        self.push(Op::GeluGrad { dy, x, slope, dx })
    }

    /// Records [`Op::Add`]; the result has the shape of `a`.
    #[track_caller]
    pub fn add(&mut self, name: &str, a: Buf, b: Buf) -> Buf {
        let shape = self.shape(a).to_vec();
        self.assert_covers(b, &shape);
        let out = self.value(name, &shape);
        self.push(Op::Add { a, b, out })
    }

    /// Records [`Op::Mul`]; the result has the shape of `a`.
    #[track_caller]
    pub fn mul(&mut self, name: &str, a: Buf, b: Buf, scale: f32) -> Buf {
        let shape = self.shape(a).to_vec();
        self.assert_covers(b, &shape);
        let out = self.value(name, &shape);
        self.push(Op::Mul { a, b, scale, out })
    }

    /// Records [`Op::LastRow`].
    #[track_caller]
    pub fn last_row(&mut self, name: &str, x: Buf) -> Buf {
        let &[b, _, d] = self.dims(x);
        let out = self.value(name, &[b, d]);
        self.push(Op::LastRow { x, out })
    }

    /// Records [`Op::LastRowGrad`] for `positions` positions.
    #[track_caller]
    pub fn last_row_grad(&mut self, name: &str, dy: Buf, positions: usize) -> Buf {
        let &[b, d] = self.dims(dy);
        let out = self.value(name, &[b, positions, d]);
        self.push(Op::LastRowGrad { dy, out })
    }

    /// Records [`Op::GatherDot`].
    #[track_caller]
    pub fn gather_dot(&mut self, name: &str, x: Buf, w: Buf, ids: Buf) -> Buf {
        let &[n, d] = self.dims(x);
        let &[v, w_d] = self.dims(w);
        assert_eq!(d, w_d, "{name}: x and w differ in width");
        let &[_, k] = self.dims(ids);
        self.assert_covers(ids, &[n, k]);
        self.assert_ids(ids, v);
        let out = self.value(name, &[n, k]);
        self.push(Op::GatherDot { x, w, ids, out })
    }

    /// Records [`Op::GatherDotGrad`].
    #[track_caller]
    pub fn gather_dot_grad(&mut self, name: &str, dy: Buf, w: Buf, ids: Buf) -> Buf {
        let &[n, k] = self.dims(dy);
        let &[v, d] = self.dims(w);
        self.assert_covers(ids, &[n, k]);
        self.assert_ids(ids, v);
        let out = self.value(name, &[n, d]);
        self.push(Op::GatherDotGrad { dy, w, ids, out })
    }

    /// Records [`Op::DeltaDot`] with sums over `groups` groups of columns.
    #[track_caller]
    pub fn delta_dot(
        &mut self,
        name: &str,
        act: Buf,
        grad: Buf,
        first_col: usize,
        groups: usize,
    ) -> Buf {
        let (given, wanted) = (self.shape(act), self.shape(grad));
        let axes = wanted.len();
        assert!(
            given.len() == axes && given[1..axes - 1] == wanted[1..axes - 1],
            "{name}: act {given:?} and grad {wanted:?} differ"
        );
        assert!(
            given[0].is_multiple_of(2) && wanted[0].is_multiple_of(given[0] / 2),
            "{name}: act holds base and source runs, grad some coefficients of each"
        );
        let cols = wanted[axes - 1];
        assert!(first_col + cols <= given[axes - 1], "{name}: columns {first_col}+{cols}");
        assert!(cols.is_multiple_of(groups), "{name}: {cols} columns are not {groups} groups");
        let shape = with_cols(wanted, groups);
        let out = self.value(name, &shape);
        self.push(Op::DeltaDot { act, grad, first_col, out })
    }

    /// Records [`Op::Interpolate`] of these columns in `steps` steps.
    #[track_caller]
    pub fn interpolate(&mut self, name: &str, x: Buf, columns: Range<usize>, steps: usize) -> Buf {
        let mut shape = self.shape(x).to_vec();
        assert!(shape[0].is_multiple_of(2), "{name}: x holds base and source runs");
        assert!(columns.end <= self.info(x).cols(), "{name}: columns {columns:?}");
        shape[0] = shape[0] / 2 * steps;
        let out = self.value(name, &shape);
        let (first_col, cols) = (columns.start, columns.len());
        self.push(Op::Interpolate { x, first_col, cols, out })
    }

    /// Records [`Op::AddRows`].
    #[track_caller]
    pub fn add_rows(&mut self, name: &str, a: Buf, a_rows: Buf, b: Buf, b_rows: Buf) -> Buf {
        let d = self.info(a).cols();
        assert_eq!(self.info(b).cols(), d, "{name}: a and b differ in width");
        self.assert_ids(a_rows, self.info(a).rows() + 1);
        self.assert_ids(b_rows, self.info(b).rows() + 1);
        assert_eq!(self.shape(a_rows), self.shape(b_rows), "{name}: as many rows of a as of b");
        let shape = [self.shape(a_rows), &[d]].concat();
        let out = self.value(name, &shape);
        self.push(Op::AddRows { a, a_rows, b, b_rows, out })
    }

    /// Records [`Op::Splice`].
    #[track_caller]
    pub fn splice(&mut self, name: &str, x: Buf, rows: Buf, blocks: Buf, width: usize) -> Buf {
        let j = self.info(x).cols();
        assert!(j.is_multiple_of(width), "{name}: {j} columns are not blocks of {width}");
        let &[r, 2] = self.dims(rows) else { panic!("{name}: rows are two each") };
        assert_eq!(self.shape(blocks), [r], "{name}: a block a row");
        self.assert_ids(rows, self.info(x).rows() + 1);
        self.assert_ids(blocks, j / width);
        let out = self.value(name, &[r, j]);
        self.push(Op::Splice { x, rows, blocks, width, out })
    }

    /// Records [`Op::AttentionRows`].
    #[track_caller]
    pub fn attention_rows(
        &mut self,
        name: &str,
        qkv: Buf,
        queries: Buf,
        keys: Buf,
        heads: usize,
    ) -> Buf {
        let (n, d3) = (self.info(qkv).rows(), self.info(qkv).cols());
        assert!(d3.is_multiple_of(3 * heads), "{name}: width {d3} is not 3 × {heads} heads");
        let &[r, _] = self.dims(keys);
        assert_eq!(self.shape(queries), [r], "{name}: a query a row");
        self.assert_ids(queries, n);
        self.assert_ids(keys, n + 1);
        let out = self.value(name, &[r, d3 / 3]);
        self.push(Op::AttentionRows { qkv, queries, keys, heads, out })
    }

    /// Records [`Op::AppendMeans`].
    #[track_caller]
    pub fn append_means(&mut self, name: &str, x: Buf, rows: Buf) -> Buf {
        let (n, d) = (self.info(x).rows(), self.info(x).cols());
        let &[m, _] = self.dims(rows);
        self.assert_ids(rows, n);
        let out = self.value(name, &[n + m, d]);
        self.push(Op::AppendMeans { x, rows, out })
    }

    /// Records [`Op::QkFix`].
    #[track_caller]
    pub fn qk_fix(&mut self, name: &str, qkv: Buf, dp: Buf) -> Buf {
        let &[b, h, t, _] = self.dims(dp);
        let d3 = self.info(qkv).cols();
        assert!(d3.is_multiple_of(3 * h), "{name}: width {d3} is not 3 × {h} heads");
        assert_eq!(self.shape(qkv), [2 * b, t, d3], "{name}: base and source runs");
        let out = self.value(name, &[b, t, 2 * h]);
        self.push(Op::QkFix { qkv, dp, out })
    }

    /// Records [`Op::Metric`]; `clean` is a buffer of logits and the ids of its rows.
    #[track_caller]
    pub fn metric(
        &mut self,
        name: &str,
        logits: Buf,
        (clean, clean_rows): (Buf, Buf),
        targets: Buf,
        answers: usize,
        measure: Measure,
    ) -> Buf {
        let &[n, v] = self.dims(logits);
        let &[c, clean_v] = self.dims(clean);
        assert_eq!(v, clean_v, "{name}: logits of different vocabularies");
        let &[_, k] = self.dims(targets);
        assert!(answers <= k, "{name}: {answers} answers of {k} targets");
        self.assert_covers(targets, &[n, k]);
        self.assert_covers(clean_rows, &[n]);
        self.assert_ids(clean_rows, c);
        self.assert_ids(targets, v);
        let out = self.value(name, &[n, 1]);
        self.push(Op::Metric { logits, clean, clean_rows, targets, answers, measure, out })
    }

    /// Records [`Op::MetricGrad`], the derivative of `metric`, which is an [`Op::Metric`].
    #[track_caller]
    pub fn metric_grad(&mut self, name: &str, dy: Buf, metric: &Op) -> Buf {
        let Op::Metric { logits, clean, clean_rows, targets, answers, measure, .. } = *metric
        else {
            panic!("{name}: {} is not a metric", metric.name())
        };
        let &[n, 1] = self.dims(dy) else { panic!("{name}: dy is a number a row") };
        let &[_, v] = self.dims(logits);
        self.assert_covers(logits, &[n, v]);
        let out = self.value(name, &[n, v]);
        self.push(Op::MetricGrad { dy, logits, clean, clean_rows, targets, answers, measure, out })
    }

    fn value(&mut self, name: &str, shape: &[usize]) -> Buf {
        self.push_buf(name.to_owned(), shape, Content::Value)
    }

    #[track_caller]
    fn push(&mut self, op: Op) -> Buf {
        let out = op.writes()[0];
        op.reads().into_iter().for_each(|(_, buf)| self.assert_there(buf));
        self.ops.push(op);
        out
    }

    #[track_caller]
    fn dims<const N: usize>(&self, buf: Buf) -> &[usize; N] {
        let info = self.info(buf);
        let Ok(dims) = info.shape.as_slice().try_into() else {
            panic!("{} should have {N} axes, has the shape {:?}", info.name, info.shape);
        };
        dims
    }

    /// `buf` has the given shape, or more of the first axis.
    #[track_caller]
    fn assert_covers(&self, buf: Buf, shape: &[usize]) {
        let info = self.info(buf);
        assert!(
            info.shape.len() == shape.len()
                && info.shape[0] >= shape[0]
                && info.shape[1..] == shape[1..],
            "{} has the shape {:?}, which does not cover {shape:?}",
            info.name,
            info.shape
        );
    }

    /// `ids` holds ids that can index `rows` rows.
    #[track_caller]
    fn assert_ids(&self, ids: Buf, rows: usize) {
        let info = self.info(ids);
        assert!(
            matches!(info.content, Content::Ids { below } if below as usize <= rows),
            "{} cannot index {rows} rows",
            info.name
        );
    }
}

fn with_cols(shape: &[usize], cols: usize) -> Vec<usize> {
    let mut shape = shape.to_vec();
    if let Some(last) = shape.last_mut() {
        *last = cols;
    }
    shape
}
