//! `out[r,i] = Σ_c x[r,c] · w[i,c]`: a tile has some rows of w, and some vectors of rows of x. Every sum runs over
//! c in order, so that a row comes out the same whichever rows are computed with it.

#![allow(
    unsafe_code,
    reason = "checked at every step, a browser takes nearly twice as long; the tile checks before"
)]

use std::array::from_fn;

use pulp::{Simd, WithSimd};

use super::ahead::{Cache, LINE, ahead};
use super::{Product, many_registers};

/// Columns that are gone through at a time, so that those of x stay in the second cache.
const COLUMNS: usize = 1024;

/// Compiled for each kind of vectors.
pub(super) struct Transposed<'a, 'o>(pub(super) Product<'a, 'o>);

impl WithSimd for Transposed<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if many_registers::<S>() {
            self.tiles::<S, 8>(simd);
        } else {
            self.tiles::<S, 4>(simd);
        }
    }
}

impl Transposed<'_, '_> {
    #[inline(always)]
    fn tiles<S: Simd, const N: usize>(self, simd: S) {
        let Product { x, w, out, accumulate } = self.0;
        let all = out[0].len();
        let mut copy = Vec::new();
        for from in (0..w.cols).step_by(COLUMNS) {
            let cols = COLUMNS.min(w.cols - from);
            let x = (&x.values[from * x.padded..][..cols * x.padded], x.padded);
            let add = accumulate || from > 0;
            for at in (0..all).step_by(N) {
                let rows = N.min(all - at);
                let w = w.skip(at * w.stride + from).widened(rows, cols, &mut copy);
                if rows == N {
                    Part { x, w, cols, add, at }.vectors::<S, N>(simd, out);
                } else {
                    for row in 0..rows {
                        let w = (&w.0[row * w.1..], w.1);
                        Part { x, w, cols, add, at: at + row }.vectors::<S, 1>(simd, out);
                    }
                }
            }
        }
    }
}

/// Some columns of the product, of some rows of w.
struct Part<'a> {
    x: (&'a [f32], usize),
    w: (&'a [f32], usize),
    cols: usize,
    add: bool,
    at: usize,
}

impl Part<'_> {
    /// All rows of x, two vectors of them at a time, while these of w are near.
    #[inline(always)]
    fn vectors<S: Simd, const N: usize>(&self, simd: S, out: &mut [&mut [f32]]) {
        let mut first = 0;
        while first < out.len() {
            if out.len() - first > S::F32_LANES {
                simd.vectorize(Tile::<N, 2> { part: self, first, out });
                first += 2 * S::F32_LANES;
            } else {
                simd.vectorize(Tile::<N, 1> { part: self, first, out });
                first += S::F32_LANES;
            }
        }
    }
}

/// `N` rows of w with `V` vectors of rows of x. A function of its own, so that the compiler finds registers for it
/// alone.
struct Tile<'a, 'o, const N: usize, const V: usize> {
    part: &'a Part<'a>,
    first: usize,
    out: &'a mut [&'o mut [f32]],
}

impl<const N: usize, const V: usize> WithSimd for Tile<'_, '_, N, V> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { part, first, out } = self;
        let ((x, padded), (w, stride), cols) = (part.x, part.w, part.cols);
        assert!((cols - 1) * padded + first + V * S::F32_LANES <= x.len());
        assert!((N - 1) * stride + cols <= w.len());
        let mut sums = [[simd.splat_f32s(0.0); V]; N];
        let mut x = x[first..].as_ptr();
        let rows: [*const f32; N] = from_fn(|n| w[n * stride..].as_ptr());
        for c in 0..cols {
            if first == 0 && c % LINE == 0 {
                // What the next tile has to wait for.
                for row in rows {
                    ahead(row.wrapping_add(N * stride + c), LINE, Cache::Second);
                }
            }
            // SAFETY: at each of `cols` columns, `x` has V vectors and the N rows a value, both asserted above.
            unsafe {
                let vectors: [S::f32s; V] =
                    from_fn(|v| x.add(v * S::F32_LANES).cast::<S::f32s>().read_unaligned());
                for (sums, row) in sums.iter_mut().zip(rows) {
                    let w = simd.splat_f32s(*row.add(c));
                    for (sum, x) in sums.iter_mut().zip(vectors) {
                        *sum = simd.mul_add_e_f32s(w, x, *sum);
                    }
                }
            }
            x = x.wrapping_add(padded);
        }
        for (n, sums) in sums.iter().enumerate() {
            let sums: &[f32] = pulp::bytemuck::cast_slice(sums);
            for (out, sum) in out[first..].iter_mut().zip(sums) {
                let out = &mut out[part.at + n];
                *out = if part.add { *out + sum } else { *sum };
            }
        }
    }
}
