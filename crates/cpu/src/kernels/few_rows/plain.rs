//! `out[r,j] = Σ_i x[r,i] · w[i,j]`: a tile has some rows of x, and some vectors of columns of w.

#![allow(
    unsafe_code,
    reason = "checked at every step, a browser takes nearly twice as long; the tile checks before"
)]

use std::array::from_fn;

use pulp::{Simd, WithSimd};

use super::ahead::{Cache, ahead};
use super::{Product, many_registers};

/// Rows of w that are gone through at a time, so that their columns of a tile stay in the second cache.
const INNER: usize = if cfg!(target_arch = "wasm32") { 64 } else { 768 };

/// Compiled for each kind of vectors.
pub(super) struct Plain<'a, 'o>(pub(super) Product<'a, 'o>);

impl WithSimd for Plain<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if many_registers::<S>() {
            self.tiles::<S, 4>(simd);
        } else {
            self.tiles::<S, 2>(simd);
        }
    }
}

impl Plain<'_, '_> {
    #[inline(always)]
    fn tiles<S: Simd, const V: usize>(self, simd: S) {
        let Product { x, w, out, accumulate } = self.0;
        let cols = out[0].len();
        let wide = V * S::F32_LANES;
        let inner = x.values.len() / x.padded;
        let mut copy = Vec::new();
        for from in (0..inner).step_by(INNER) {
            let many = INNER.min(inner - from);
            let xs = (&x.values[from * x.padded..][..many * x.padded], x.padded);
            let add = accumulate || from > 0;
            for col in (0..cols).step_by(wide) {
                let here = wide.min(cols - col);
                let w = w.skip(from * w.stride + col).widened(many, here, &mut copy);
                if here == wide {
                    rows::<S, V>(simd, xs, w, out, col, add);
                } else {
                    narrow::<S, V>(simd, xs, w, out, col, add);
                }
            }
        }
    }
}

/// The last columns, fewer than a tile has: they are computed in a place that is as wide.
#[inline(always)]
fn narrow<S: Simd, const V: usize>(
    simd: S,
    x: (&[f32], usize),
    (w, stride): (&[f32], usize),
    out: &mut [&mut [f32]],
    col: usize,
    add: bool,
) {
    let wide = V * S::F32_LANES;
    let cols = out[0].len() - col;
    let mut padded = vec![0.0; x.0.len() / x.1 * wide];
    for (padded, w) in padded.chunks_exact_mut(wide).zip(w.chunks(stride)) {
        padded[..cols].copy_from_slice(&w[..cols]);
    }
    let mut sums = vec![0.0; out.len() * wide];
    let mut places: Vec<&mut [f32]> = sums.chunks_exact_mut(wide).collect();
    rows::<S, V>(simd, x, (&padded, wide), &mut places, 0, false);
    for (out, sums) in out.iter_mut().zip(places) {
        for (out, sum) in out[col..].iter_mut().zip(sums) {
            *out = if add { *out + *sum } else { *sum };
        }
    }
}

/// The most rows of a tile: with its columns, as many sums as there are registers for.
const MOST: usize = if cfg!(target_arch = "wasm32") { 4 } else { 6 };

/// All rows of a tile's columns, in tiles of about as many rows each.
#[inline(always)]
fn rows<S: Simd, const V: usize>(
    simd: S,
    x: (&[f32], usize),
    w: (&[f32], usize),
    out: &mut [&mut [f32]],
    col: usize,
    add: bool,
) {
    let mut left = out.len().div_ceil(MOST);
    let mut row = 0;
    while row < out.len() {
        let many = (out.len() - row).div_ceil(left);
        let tile = Tile { x, w, row, out: &mut out[row..row + many], col, add };
        match many {
            6 => simd.vectorize(Exact::<6, V>(tile)),
            5 => simd.vectorize(Exact::<5, V>(tile)),
            4 => simd.vectorize(Exact::<4, V>(tile)),
            3 => simd.vectorize(Exact::<3, V>(tile)),
            2 => simd.vectorize(Exact::<2, V>(tile)),
            _ => simd.vectorize(Exact::<1, V>(tile)),
        }
        row += many;
        left -= 1;
    }
}

struct Tile<'a, 'o> {
    x: (&'a [f32], usize),
    w: (&'a [f32], usize),
    row: usize,
    out: &'a mut [&'o mut [f32]],
    col: usize,
    add: bool,
}

/// A tile of `R` rows and `V` vectors. A function of its own, so that the compiler finds registers for it alone.
struct Exact<'a, 'o, const R: usize, const V: usize>(Tile<'a, 'o>);

impl<const R: usize, const V: usize> WithSimd for Exact<'_, '_, R, V> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Tile { x: (x, padded), w: (w, stride), row, out, col, add } = self.0;
        let wide = V * S::F32_LANES;
        let inner = x.len() / padded;
        assert!(row + R <= padded && (inner - 1) * stride + wide <= w.len());
        let mut sums = [[simd.splat_f32s(0.0); V]; R];
        let (mut x, mut w) = (x[row..].as_ptr(), w.as_ptr());
        for _ in 0..inner {
            // The first rows of x ask for what the next tile has to wait for.
            if row == 0 {
                ahead(w.wrapping_add(wide), wide, Cache::Nearest);
            }
            // SAFETY: of `inner` rows, `x` has R values at `row`, and `w` has V vectors of columns, both asserted above.
            unsafe {
                let vectors: [S::f32s; V] =
                    from_fn(|v| w.add(v * S::F32_LANES).cast::<S::f32s>().read_unaligned());
                for (r, sums) in sums.iter_mut().enumerate() {
                    let x = simd.splat_f32s(*x.add(r));
                    for (sum, w) in sums.iter_mut().zip(vectors) {
                        *sum = simd.mul_add_e_f32s(x, w, *sum);
                    }
                }
            }
            x = x.wrapping_add(padded);
            w = w.wrapping_add(stride);
        }
        for (out, sums) in out.iter_mut().zip(sums) {
            let out = S::as_mut_simd_f32s(&mut out[col..col + wide]).0;
            for (out, sum) in out.iter_mut().zip(sums) {
                *out = if add { simd.add_f32s(*out, sum) } else { sum };
            }
        }
    }
}
