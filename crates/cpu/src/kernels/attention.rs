//! Attention and its derivatives. Every sum over positions stops at the causal mask.

use std::ops::Range;

use super::softmax::{shares, softmax};
use super::some_rows::SomeRows;
use super::tiles::WIDEST;
use super::weighted::{Sums, TOGETHER, Terms};
use super::{add_scaled, dot, vectorised};
use crate::parallel;

/// The extents of an attention op: H heads over T positions, D wide together.
#[derive(Clone, Copy)]
pub(crate) struct Heads {
    pub(super) h: usize,
    pub(super) t: usize,
    d: usize,
}

impl Heads {
    /// From the shape of a pattern, \[B,H,T,T\].
    pub(crate) fn new(pattern: &[usize], d: usize) -> Self {
        Self { h: pattern[1], t: pattern[2], d }
    }

    /// Width of a head.
    pub(super) fn e(self) -> usize {
        self.d / self.h
    }

    /// 1/√E.
    pub(super) fn scale(self) -> f32 {
        1.0 / (self.e() as f32).sqrt()
    }

    /// Head `h` in row `row` = b·T + t of `x` \[B,T,parts·D\]; `part` is 0 for q, 1 for k, 2 for v.
    #[inline(always)]
    pub(super) fn of(self, x: &[f32], parts: usize, part: usize, row: usize, h: usize) -> &[f32] {
        &x[(row * parts + part) * self.d + h * self.e()..][..self.e()]
    }

    /// Where in a pattern \[B,H,T,T\] that begins which belongs to row `row` = b·T + t and head `h`.
    fn pattern_place(self, row: usize, h: usize) -> usize {
        let (b, t) = (row / self.t, row % self.t);
        ((b * self.h + h) * self.t + t) * self.t
    }

    /// The row of a pattern \[B,H,T,T\] that belongs to row `row` = b·T + t and head `h`.
    #[inline(always)]
    pub(super) fn pattern_row(self, x: &[f32], row: usize, h: usize) -> &[f32] {
        &x[self.pattern_place(row, h)..][..self.t]
    }

    /// Multiply-adds of an op over `rows` rows.
    fn work(self, rows: usize) -> usize {
        rows * self.t * self.d / 2
    }

    /// The rows b·T .. of the sequence that `row` is in.
    fn first_row(self, row: usize) -> usize {
        row - row % self.t
    }
}

/// `qkv` \[B,T,3D\] → `out` \[B,H,T,T\].
pub(crate) fn attention_pattern(qkv: &[f32], heads: Heads, rows: &SomeRows, out: &mut [f32]) {
    heads.products((qkv, 3, 0), (qkv, 3, 1), heads.scale(), rows, out, |out, seen| {
        // Some that are not seen as well, so that vectors are filled: e to the power of this is 0.
        let (some, rest) = out.split_at_mut(seen.next_multiple_of(WIDEST).min(out.len()));
        some[seen..].fill(f32::NEG_INFINITY);
        rest.fill(0.0);
        softmax(some);
    });
}

/// `dz` \[B,T,D\], `qkv` \[B,T,3D\] → `out` \[B,H,T,T\].
pub(crate) fn attention_mix_grad_pattern(
    dz: &[f32],
    qkv: &[f32],
    heads: Heads,
    rows: &SomeRows,
    out: &mut [f32],
) {
    heads.products((dz, 1, 0), (qkv, 3, 2), 1.0, rows, out, |out, seen| out[seen..].fill(0.0));
}

/// `pattern` \[B,H,T,T\], `qkv` \[B,T,3D\] → `out` \[B,T,D\].
pub(crate) fn attention_mix(
    pattern: &[f32],
    qkv: &[f32],
    heads: Heads,
    rows: &SomeRows,
    out: &mut [f32],
) {
    let work = heads.work(out.len() / heads.d);
    heads.each(1, work, rows, out, |at, h, out| {
        heads.of_keys(pattern, (qkv, 3, 2), (at, h), 1.0, (out, heads.d));
    });
}

/// `dz` \[B,T,D\], `pattern` \[B,H,T,T\] → `out` \[B,T,D\].
pub(crate) fn attention_mix_grad_v(
    dz: &[f32],
    pattern: &[f32],
    heads: Heads,
    rows: &SomeRows,
    out: &mut [f32],
) {
    let work = heads.work(out.len() / heads.d);
    heads.each(1, work, rows, out, |at, h, out| {
        heads.of_queries(pattern, (dz, 1, 0), (at, h), 1.0, (out, heads.d));
    });
}

/// `ds` \[B,H,T,T\], `qkv` \[B,T,3D\] → `out` \[B,T,2D\], of q and of k.
pub(crate) fn attention_scores_grad(
    ds: &[f32],
    qkv: &[f32],
    heads: Heads,
    rows: &SomeRows,
    out: &mut [f32],
) {
    let (d, scale) = (heads.d, heads.scale());
    let work = 2 * heads.work(out.len() / (2 * d));
    heads.each(2, work, rows, out, |at, h, out| {
        heads.of_keys(ds, (qkv, 3, 1), (at.clone(), h), scale, (out, 2 * d));
        heads.of_queries(ds, (qkv, 3, 0), (at, h), scale, (&mut out[d..], 2 * d));
    });
}

/// \[B,T,parts·D\], how many parts it has, and which is meant: 0 for q, 1 for k, 2 for v.
type Part<'a> = (&'a [f32], usize, usize);

impl Heads {
    /// `out` \[B,H,T,T\] = `scale · x · y`ᵀ of each head. `finish` is given each query's row, and how many keys it sees, of
    /// which alone it holds the products.
    fn products(
        self,
        (x, parts, part): Part<'_>,
        (y, y_parts, y_part): Part<'_>,
        scale: f32,
        rows: &SomeRows,
        out: &mut [f32],
        finish: impl Fn(&mut [f32], usize) + Sync + Send,
    ) {
        let t = self.t;
        let work = rows.share_of(self.work(out.len() / (t * self.h)));
        parallel::chunks(out, t * t, work, |bh, out| {
            let (first, h) = (bh / self.h * t, bh % self.h);
            let Some(last) = rows.among(first..first + t, t).last() else { return };
            // Keys as columns, which vectors can run along, with some more that nothing is made of.
            let stride = t.next_multiple_of(WIDEST);
            let mut columns = vec![0.0; self.e() * stride];
            for s in 0..last.end - first {
                for (column, y) in
                    columns.chunks_mut(stride).zip(self.of(y, y_parts, y_part, first + s, h))
                {
                    column[s] = *y;
                }
            }
            for at in rows.among(first..first + t, TOGETHER) {
                let (many, last) = (at.len(), at.end - 1 - first);
                let x = &x[(at.start * parts + part) * self.d + h * self.e()..];
                let (weights, across) = (x, parts * self.d);
                let sums =
                    Sums { weights, across, along: 1, rows: &columns, stride, cols: last + 1 };
                let out = &mut out[(at.start - first) * t..(last + 1) * t];
                sums.add_up_into(out, (many, t), Terms::First(self.e()), scale);
                for (out, row) in out.chunks_mut(t).zip(at) {
                    finish(out, row - first + 1);
                }
            }
        });
    }

    /// Calls `f(rows, h, their values from the head on)` for some rows of `out` \[B,T,parts·D\] and all of their heads.
    fn each(
        self,
        parts: usize,
        work: usize,
        rows: &SomeRows,
        out: &mut [f32],
        f: impl Fn(Range<usize>, usize, &mut [f32]) + Sync + Send,
    ) {
        let cols = parts * self.d;
        parallel::chunks(out, TOGETHER * cols, rows.share_of(work), |at, out| {
            let first = at * TOGETHER;
            let all = first..first + out.len() / cols;
            for rows in rows.among(all, TOGETHER) {
                for h in 0..self.h {
                    let from = (rows.start - first) * cols + h * self.e();
                    f(rows.clone(), h, &mut out[from..]);
                }
            }
        });
    }

    /// Of some rows and a head, `out` = `scale` · Σ over the keys that they see, weighted by `pattern` \[B,H,T,T\].
    fn of_keys(
        self,
        pattern: &[f32],
        keys: Part<'_>,
        (rows, h): (Range<usize>, usize),
        scale: f32,
        (out, apart): (&mut [f32], usize),
    ) {
        let first = self.first_row(rows.start);
        let weights = &pattern[self.pattern_place(rows.start, h)..];
        let terms = Terms::Growing(rows.start - first + 1);
        let sums = self.sums(weights, (self.t, 1), keys, first, h);
        sums.add_up_into(out, (rows.len(), apart), terms, scale);
    }

    /// The same over the queries that see them.
    fn of_queries(
        self,
        pattern: &[f32],
        queries: Part<'_>,
        (rows, h): (Range<usize>, usize),
        scale: f32,
        (out, apart): (&mut [f32], usize),
    ) {
        let at = rows.start - self.first_row(rows.start);
        // From their own positions on.
        let weights = &pattern[self.pattern_place(rows.start, h) + at..];
        let terms = Terms::Shrinking(self.t - at);
        let sums = self.sums(weights, (1, self.t), queries, rows.start, h);
        sums.add_up_into(out, (rows.len(), apart), terms, scale);
    }

    /// Sums of a head's rows from `first` on.
    fn sums<'a>(
        self,
        weights: &'a [f32],
        (across, along): (usize, usize),
        (x, parts, part): Part<'a>,
        first: usize,
        h: usize,
    ) -> Sums<'a> {
        let (stride, cols) = (parts * self.d, self.e());
        let rows = &x[first * stride + part * self.d + h * cols..];
        Sums { weights, across, along, rows, stride, cols }
    }
}

/// `qkv` \[…,3D\], `queries` \[R\], `keys` \[R,T\] → `out` \[R,D\].
pub(crate) fn attention_rows(
    qkv: &[f32],
    queries: &[u32],
    keys: &[u32],
    heads: usize,
    d: usize,
    out: &mut [f32],
) {
    let t = keys.len() / queries.len();
    parallel::chunks(out, d, queries.len() * t * d, |r, out| {
        let (query, keys) = (queries[r], &keys[r * t..][..t]);
        attend(qkv, query, keys, heads, out);
    });
}

vectorised! {
    /// A query, with the keys that it sees and, past the last row, none.
    fn attend<'a>(qkv: &'a [f32], query: u32, keys: &'a [u32], heads: usize, out: &'a mut [f32]) {
        let d = out.len();
        let (e, rows) = (d / heads, (qkv.len() / (3 * d)) as u32);
        let scale = 1.0 / (e as f32).sqrt();
        let part = |row: u32, part: usize, h: usize| {
            &qkv[(row as usize * 3 + part) * d + h * e..][..e]
        };
        let seen = || keys.iter().copied().filter(|&key| key < rows);
        let mut weights = Vec::with_capacity(keys.len());
        for (h, out) in out.chunks_mut(e).enumerate() {
            let q = part(query, 0, h);
            weights.clear();
            weights.extend(seen().map(|key| dot(q, part(key, 1, h)) * scale));
            shares(&mut weights);
            out.fill(0.0);
            for (weight, key) in weights.iter().zip(seen()) {
                add_scaled(out, *weight, part(key, 2, h));
            }
        }
    }
}
