//! Rows picked out of larger buffers, and products with them.

use super::{add_scaled, dot};
use crate::weights::Matrix;

/// `x` \[B,T,D\] → `out` \[B,D\].
pub(crate) fn last_row(x: &[f32], t: usize, d: usize, out: &mut [f32]) {
    for (out, x) in out.chunks_mut(d).zip(x.chunks(t * d)) {
        out.copy_from_slice(&x[(t - 1) * d..]);
    }
}

/// `dy` \[B,D\] → `out` \[B,T,D\].
pub(crate) fn last_row_grad(dy: &[f32], t: usize, d: usize, out: &mut [f32]) {
    out.fill(0.0);
    for (out, dy) in out.chunks_mut(t * d).zip(dy.chunks(d)) {
        out[(t - 1) * d..].copy_from_slice(dy);
    }
}

/// `x` \[N,D\], `w` \[V,D\], `ids` \[N,K\] → `out` \[N,K\].
pub(crate) fn gather_dot(
    x: &[f32],
    w: Matrix<'_>,
    ids: &[u32],
    d: usize,
    k: usize,
    out: &mut [f32],
) {
    let mut scratch = Vec::new();
    for ((out, x), ids) in out.chunks_mut(k).zip(x.chunks(d)).zip(ids.chunks(k)) {
        for (out, &id) in out.iter_mut().zip(ids) {
            *out = dot(x, w.get(id as usize * d, d, &mut scratch).unwrap_or_default());
        }
    }
}

/// `dy`, `ids` \[N,K\], `w` \[V,D\] → `out` \[N,D\].
pub(crate) fn gather_dot_grad(
    dy: &[f32],
    w: Matrix<'_>,
    ids: &[u32],
    d: usize,
    k: usize,
    out: &mut [f32],
) {
    let mut scratch = Vec::new();
    out.fill(0.0);
    for ((out, dy), ids) in out.chunks_mut(d).zip(dy.chunks(k)).zip(ids.chunks(k)) {
        for (&dy, &id) in dy.iter().zip(ids) {
            let row = w.get(id as usize * d, d, &mut scratch).unwrap_or_default();
            add_scaled(out, dy, row);
        }
    }
}
