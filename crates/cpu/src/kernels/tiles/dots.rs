//! `out[r,i] = Σ_c x[r,c] · w[i,c]` of very few rows, which would leave most of a vector of rows empty: vectors run
//! along c, and are summed up at the end.

#![allow(
    unsafe_code,
    reason = "checked at every step, a browser takes nearly twice as long; the tile checks before"
)]

use std::array::from_fn;

use pulp::{Simd, WithSimd};

use super::ahead::ahead;
use super::{Place, alone, widened};
use crate::vectors::dispatch;
use crate::weights::Matrix;

/// Rows of a matrix, each of which begins `stride` after the last.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub(super) values: Matrix<'a>,
    pub(super) cols: usize,
    pub(super) stride: usize,
}

/// Whether this is faster than `transposed` for so many rows.
pub(super) fn pays(rows: usize) -> bool {
    rows <= 2 * X
}

/// Rows of w, and of x, whose sums are in registers at a time.
const W: usize = 4;
const X: usize = 2;
/// Rows of w that are widened at a time, if they have to be.
const BLOCK: usize = 16 * W;

/// `x` \[R,C\] times the rows of `w` that `out` has columns for.
pub(super) fn product(x: &[f32], w: Rows<'_>, out: &mut [&mut [f32]], accumulate: bool) {
    dispatch(Dots { x, w, out, accumulate });
}

struct Dots<'a, 'o> {
    x: &'a [f32],
    w: Rows<'a>,
    out: &'a mut [&'o mut [f32]],
    accumulate: bool,
}

impl WithSimd for Dots<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { x, w, out, accumulate: add } = self;
        let (cols, all) = (w.cols, out[0].len());
        let mut copy = Vec::new();
        for block in (0..all).step_by(BLOCK) {
            let many = BLOCK.min(all - block);
            let values = w.values.skip(block * w.stride);
            let Place { values, stride } = widened(values, w.stride, (many, cols), &mut copy);
            for at in (0..many).step_by(W) {
                let w = (&values[at * stride..], stride);
                for (x, out) in x.chunks(X * cols).zip(out.chunks_mut(X)) {
                    let tile = Tile { x, w, cols, at: block + at, out, add };
                    match ((many - at).min(W), tile.out.len()) {
                        (W, X) => alone(simd, Exact::<W, X>(tile)),
                        (W, _) => alone(simd, Exact::<W, 1>(tile)),
                        (rows, _) => tile.one_by_one(simd, rows),
                    }
                }
            }
        }
    }
}

struct Tile<'a, 'o> {
    x: &'a [f32],
    w: (&'a [f32], usize),
    cols: usize,
    at: usize,
    out: &'a mut [&'o mut [f32]],
    add: bool,
}

impl Tile<'_, '_> {
    /// The last rows of w, fewer than a tile has.
    #[inline(always)]
    fn one_by_one<S: Simd>(self, simd: S, rows: usize) {
        let Self { x, w: (w, stride), cols, at, out, add } = self;
        for (x, out) in x.chunks(cols).zip(out.chunks_mut(1)) {
            for row in 0..rows {
                let (w, at) = ((&w[row * stride..], stride), at + row);
                alone(simd, Exact::<1, 1>(Tile { x, w, cols, at, out: &mut *out, add }));
            }
        }
    }
}

/// `NW` rows of w with `NX` of x.
struct Exact<'a, 'o, const NW: usize, const NX: usize>(Tile<'a, 'o>);

impl<const NW: usize, const NX: usize> WithSimd for Exact<'_, '_, NW, NX> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Tile { x, w: (w, stride), cols, at, out, add } = self.0;
        assert!(NX * cols <= x.len() && (NW - 1) * stride + cols <= w.len());
        let x: [*const f32; NX] = from_fn(|row| x[row * cols..].as_ptr());
        let w: [*const f32; NW] = from_fn(|row| w[row * stride..].as_ptr());
        let mut sums = [[simd.splat_f32s(0.0); NX]; NW];
        let whole = cols - cols % S::F32_LANES;
        for c in (0..whole).step_by(S::F32_LANES) {
            for row in w {
                // What the next rows have to wait for.
                ahead(row.wrapping_add(NW * stride + c), S::F32_LANES);
            }
            // SAFETY: `c` begins a vector that ends within the `cols` values of each row, as asserted above.
            unsafe {
                let xs: [S::f32s; NX] =
                    from_fn(|row| x[row].add(c).cast::<S::f32s>().read_unaligned());
                for (sums, row) in sums.iter_mut().zip(w) {
                    let w = row.add(c).cast::<S::f32s>().read_unaligned();
                    for (sum, x) in sums.iter_mut().zip(xs) {
                        *sum = simd.mul_add_e_f32s(w, x, *sum);
                    }
                }
            }
        }
        for (i, (sums, w)) in sums.iter().zip(w).enumerate() {
            for ((sum, x), out) in sums.iter().zip(x).zip(out.iter_mut()) {
                // SAFETY: as above.
                let rest: f32 = (whole..cols).map(|c| unsafe { *w.add(c) * *x.add(c) }).sum();
                let sum = simd.reduce_sum_f32s(*sum) + rest;
                out[at + i] = if add { out[at + i] + sum } else { sum };
            }
        }
    }
}
