//! Attention and its derivatives. Every sum over positions stops at the causal mask.

use super::{add_scaled, dot, vectorised};
use crate::parallel;

/// The extents of an attention op: H heads over T positions, D vectorised together.
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

    /// The row of the pattern \[B,H,T,T\] that belongs to row `row` = b·T + t and head `h`.
    #[inline(always)]
    pub(super) fn pattern_row(self, x: &[f32], row: usize, h: usize) -> &[f32] {
        let (b, t) = (row / self.t, row % self.t);
        &x[((b * self.h + h) * self.t + t) * self.t..][..self.t]
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
pub(crate) fn attention_pattern(qkv: &[f32], heads: Heads, out: &mut [f32]) {
    let t = heads.t;
    let work = heads.work(out.len() / (t * heads.h));
    parallel::chunks(out, t * t, work, |bh, out| {
        vectorised(|| {
            let (b, h) = (bh / heads.h, bh % heads.h);
            for (row, out) in out.chunks_mut(t).enumerate() {
                let q = heads.of(qkv, 3, 0, b * t + row, h);
                let (seen, masked) = out.split_at_mut(row + 1);
                for (s, out) in seen.iter_mut().enumerate() {
                    *out = dot(q, heads.of(qkv, 3, 1, b * t + s, h)) * heads.scale();
                }
                let max = seen.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let mut sum = 0.0;
                for out in &mut *seen {
                    *out = (*out - max).exp();
                    sum += *out;
                }
                for out in seen {
                    *out /= sum;
                }
                masked.fill(0.0);
            }
        });
    });
}

/// `pattern` \[B,H,T,T\], `qkv` \[B,T,3D\] → `out` \[B,T,D\].
pub(crate) fn attention_mix(pattern: &[f32], qkv: &[f32], heads: Heads, out: &mut [f32]) {
    let work = heads.work(out.len() / heads.d);
    parallel::chunks(out, heads.d, work, |row, out| {
        vectorised(|| {
            let first = heads.first_row(row);
            for (h, out) in out.chunks_mut(heads.e()).enumerate() {
                out.fill(0.0);
                let weights = heads.pattern_row(pattern, row, h);
                for s in first..=row {
                    add_scaled(out, weights[s - first], heads.of(qkv, 3, 2, s, h));
                }
            }
        });
    });
}

/// `dz` \[B,T,D\], `qkv` \[B,T,3D\] → `out` \[B,H,T,T\].
pub(crate) fn attention_mix_grad_pattern(dz: &[f32], qkv: &[f32], heads: Heads, out: &mut [f32]) {
    let t = heads.t;
    let work = heads.work(out.len() / (t * heads.h));
    parallel::chunks(out, t * t, work, |bh, out| {
        vectorised(|| {
            let (b, h) = (bh / heads.h, bh % heads.h);
            for (row, out) in out.chunks_mut(t).enumerate() {
                let dz = heads.of(dz, 1, 0, b * t + row, h);
                let (seen, masked) = out.split_at_mut(row + 1);
                for (s, out) in seen.iter_mut().enumerate() {
                    *out = dot(dz, heads.of(qkv, 3, 2, b * t + s, h));
                }
                masked.fill(0.0);
            }
        });
    });
}

/// `dz` \[B,T,D\], `pattern` \[B,H,T,T\] → `out` \[B,T,D\].
pub(crate) fn attention_mix_grad_v(dz: &[f32], pattern: &[f32], heads: Heads, out: &mut [f32]) {
    let work = heads.work(out.len() / heads.d);
    parallel::chunks(out, heads.d, work, |row, out| {
        vectorised(|| {
            let first = heads.first_row(row);
            for (h, out) in out.chunks_mut(heads.e()).enumerate() {
                out.fill(0.0);
                for t in row..first + heads.t {
                    let weight = heads.pattern_row(pattern, t, h)[row - first];
                    add_scaled(out, weight, heads.of(dz, 1, 0, t, h));
                }
            }
        });
    });
}

/// `dy`, `y` \[R,C\] → `out` \[R,C\].
pub(crate) fn softmax_grad(dy: &[f32], y: &[f32], cols: usize, out: &mut [f32]) {
    vectorised(|| {
        for ((out, dy), y) in out.chunks_mut(cols).zip(dy.chunks(cols)).zip(y.chunks(cols)) {
            let mean = dot(dy, y);
            for ((out, dy), y) in out.iter_mut().zip(dy).zip(y) {
                *out = y * (dy - mean);
            }
        }
    });
}

/// `ds` \[B,H,T,T\], `qkv` \[B,T,3D\] → `out` \[B,T,2D\], of q and of k.
pub(crate) fn attention_scores_grad(ds: &[f32], qkv: &[f32], heads: Heads, out: &mut [f32]) {
    let scale = heads.scale();
    let work = 2 * heads.work(out.len() / (2 * heads.d));
    parallel::chunks(out, 2 * heads.d, work, |row, out| {
        vectorised(|| {
            let first = heads.first_row(row);
            let (dq, dk) = out.split_at_mut(heads.d);
            for (h, dq) in dq.chunks_mut(heads.e()).enumerate() {
                dq.fill(0.0);
                let ds = heads.pattern_row(ds, row, h);
                for s in first..=row {
                    add_scaled(dq, ds[s - first] * scale, heads.of(qkv, 3, 1, s, h));
                }
            }
            for (h, dk) in dk.chunks_mut(heads.e()).enumerate() {
                dk.fill(0.0);
                for t in row..first + heads.t {
                    let ds = heads.pattern_row(ds, t, h)[row - first];
                    add_scaled(dk, ds * scale, heads.of(qkv, 3, 0, t, h));
                }
            }
        });
    });
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
    let (e, rows) = (d / heads, (qkv.len() / (3 * d)) as u32);
    let scale = 1.0 / (e as f32).sqrt();
    let t = keys.len() / queries.len();
    let part = |row: u32, part: usize, h: usize| &qkv[(row as usize * 3 + part) * d + h * e..][..e];
    parallel::chunks(out, d, queries.len() * t * d, |r, out| {
        vectorised(|| {
            let mut weights = Vec::with_capacity(t);
            let seen = || keys[r * t..][..t].iter().copied().filter(|&key| key < rows);
            for (h, out) in out.chunks_mut(e).enumerate() {
                let q = part(queries[r], 0, h);
                weights.clear();
                weights.extend(seen().map(|key| dot(q, part(key, 1, h)) * scale));
                let max = weights.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let mut sum = 0.0;
                for weight in &mut weights {
                    *weight = (*weight - max).exp();
                    sum += *weight;
                }
                out.fill(0.0);
                for (weight, key) in weights.iter().zip(seen()) {
                    add_scaled(out, weight / sum, part(key, 2, h));
                }
            }
        });
    });
}
