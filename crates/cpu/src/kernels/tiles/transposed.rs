//! `out[r,i] = Σ_c x[r,c] · w[i,c]`: a tile has some rows of w, and some vectors of rows of x. Every sum runs over
//! c in order, so that a row comes out the same whichever rows are computed with it.

#![allow(
    unsafe_code,
    reason = "checked at every step, a browser takes nearly twice as long; the tile checks before"
)]

use std::array::from_fn;

use pulp::{Simd, WithSimd};

use super::ahead::{LINE, ahead};
use super::columns::{Block, Columns, TOGETHER};
use super::{PANEL, Window, alone, halves, many_registers};
use crate::weights::{Matrix, Panels};

/// Columns that are gone through at a time, so that those of x stay in the second cache; of narrow panels, so many that
/// the processor can foresee what it needs of each.
const COLUMNS: usize = 1024;
const PANELS: usize = if cfg!(target_arch = "wasm32") { 8 } else { 4 };

/// Vectors of rows of x that a tile has at most. With four, it has half of its rows of w.
const VECTORS: usize = if cfg!(target_arch = "wasm32") { 4 } else { 2 };

/// Some columns of a product. Compiled for each kind of vectors.
pub(super) struct Transposed<'a, 'o> {
    pub(super) x: &'a Columns,
    pub(super) w: Panels<'a>,
    pub(super) window: Window,
    /// The first row of w that is meant.
    pub(super) first: usize,
    /// Of every row of x.
    pub(super) out: &'a mut [&'o mut [f32]],
    pub(super) accumulate: bool,
}

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
        let Self { x, w, window: Window { first_col, cols: all_cols }, first, out, accumulate } =
            self;
        let (all, padded) = (out[0].len(), x.padded());
        // As the tiles have them.
        let mut sums = vec![0.0; all * padded];
        let mut copy = Vec::new();
        let most = COLUMNS.min(PANELS * w.width);
        for from in (0..all_cols).step_by(most) {
            let cols = most.min(all_cols - from);
            for at in (0..all).step_by(N) {
                let rows = N.min(all - at);
                let w = Walk::of(w, first + at, first_col + from, (rows, cols), &mut copy);
                let sums = &mut sums[at * padded..];
                if rows == N {
                    Part { x, w, from, cols }.blocks::<S, N>(simd, sums);
                } else {
                    for row in 0..rows {
                        let w = Walk { values: &w.values[row * w.width..], ..w };
                        Part { x, w, from, cols }.blocks::<S, 1>(simd, &mut sums[row * padded..]);
                    }
                }
            }
        }
        for (row, out) in out.iter_mut().enumerate() {
            for (out, sums) in out.iter_mut().zip(sums.chunks_exact(padded)) {
                *out = if accumulate { *out + sums[row] } else { sums[row] };
            }
        }
    }
}

/// Some columns of some rows of w, panel by panel.
#[derive(Clone, Copy)]
struct Walk<'s> {
    /// From the first row in the first panel on.
    values: &'s [f32],
    /// The first column in the first panel.
    offset: usize,
    width: usize,
    /// From a panel to the next.
    between: usize,
}

impl<'s> Walk<'s> {
    /// Where they lie, or widened into `copy`.
    #[inline(always)]
    fn of(
        w: Panels<'s>,
        row: usize,
        col: usize,
        (rows, cols): (usize, usize),
        copy: &'s mut Vec<f32>,
    ) -> Self {
        let (width, between) = (w.width, w.rows * w.width);
        let (panel, offset) = (col / width, col % width);
        match w.values.skip(panel * between + row * width) {
            Matrix::F32(values) => Self { values, offset, width, between },
            Matrix::F16(values) => {
                copy.resize(rows * cols, 0.0);
                for (row, copy) in copy.chunks_exact_mut(cols).enumerate() {
                    let (mut copy, mut at, mut offset) = (copy, row * width, offset);
                    while !copy.is_empty() {
                        let (here, rest) = copy.split_at_mut((width - offset).min(copy.len()));
                        halves::widen(&values[at + offset..][..here.len()], here);
                        (copy, at, offset) = (rest, at + between, 0);
                    }
                }
                Self { values: copy, offset: 0, width: cols, between: rows * cols }
            }
        }
    }

    /// Values up to the end of the last of so many rows and columns.
    fn end(&self, rows: usize, cols: usize) -> usize {
        let last = (self.offset + cols - 1) / self.width;
        last * self.between + (rows - 1) * self.width + self.offset + cols - last * self.width
    }
}

/// Some columns of the product, of some rows of w.
struct Part<'a> {
    x: &'a Columns,
    w: Walk<'a>,
    from: usize,
    cols: usize,
}

impl Part<'_> {
    /// All rows of x, while these of w are near, into `sums` \[`N`,rows\].
    #[inline(always)]
    fn blocks<S: Simd, const N: usize>(&self, simd: S, sums: &mut [f32]) {
        for block in self.x.blocks(self.from) {
            for first in (0..block.rows).step_by(VECTORS * S::F32_LANES) {
                let vectors = (block.rows - first).div_ceil(S::F32_LANES).min(VECTORS);
                match (vectors, N) {
                    (1, _) => self.tile::<S, N, 1>(simd, block, first, 0, sums),
                    (2, _) => self.tile::<S, N, 2>(simd, block, first, 0, sums),
                    (_, 1) => self.tile::<S, 1, 4>(simd, block, first, 0, sums),
                    _ => (0..N).step_by(2).for_each(|row| {
                        self.tile::<S, 2, 4>(simd, block, first, row, sums);
                    }),
                }
            }
        }
    }

    #[inline(always)]
    fn tile<S: Simd, const N: usize, const V: usize>(
        &self,
        simd: S,
        block: Block<'_>,
        first: usize,
        row: usize,
        sums: &mut [f32],
    ) {
        let w = Walk { values: &self.w.values[row * self.w.width..], ..self.w };
        let padded = self.x.padded();
        let sums = &mut sums[row * padded + block.first + first..];
        let (cols, add) = (self.cols, self.from > 0);
        alone(simd, Tile::<N, V> { w, cols, block, first, sums, padded, add });
    }
}

/// `N` rows of w with `V` vectors of rows of x.
struct Tile<'a, 's, const N: usize, const V: usize> {
    w: Walk<'a>,
    cols: usize,
    block: Block<'a>,
    first: usize,
    sums: &'s mut [f32],
    padded: usize,
    add: bool,
}

impl<const N: usize, const V: usize> WithSimd for Tile<'_, '_, N, V> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // Of the widest vectors many processors compute one at a time, of those half as wide two.
        #[cfg(target_arch = "x86_64")]
        {
            use super::columns::HALF;

            if S::F32_LANES == 2 * HALF
                && self.block.rows - self.first <= HALF
                && let Some(simd) = pulp::x86::V3::try_new()
            {
                return self.in_order(simd);
            }
        }
        self.in_order(simd);
    }
}

impl<const N: usize, const V: usize> Tile<'_, '_, N, V> {
    #[inline(always)]
    fn in_order<S: Simd>(self, simd: S) {
        let (width, stride) = (self.w.width, self.block.stride);
        // A browser reckons with numbers that it knows beforehand in no time.
        if cfg!(target_arch = "wasm32") && (width, stride) == (PANEL, TOGETHER) {
            self.product(simd, PANEL, TOGETHER);
        } else if cfg!(not(target_arch = "wasm32")) && width == PANEL {
            self.product(simd, PANEL, stride);
        } else {
            self.product(simd, width, stride);
        }
    }

    #[inline(always)]
    fn product<S: Simd>(self, simd: S, width: usize, stride: usize) {
        let Self { w, cols, block, first, sums: out, padded, add } = self;
        let x = block.values;
        assert!((cols - 1) * stride + first + V * S::F32_LANES <= x.len());
        assert!(N * width <= w.between && w.end(N, cols) <= w.values.len());
        let mut sums = [[simd.splat_f32s(0.0); V]; N];
        let mut x = x[first..].as_ptr();
        let (mut panel, mut offset, mut left) = (w.values.as_ptr(), w.offset, cols);
        while left > 0 {
            let many = left.min(width - offset);
            let mut at = panel.wrapping_add(offset);
            for c in 0..many {
                // What the next tile has to wait for, a line of it at a time: many at once would wait for each other.
                let apart = LINE / N;
                if block.first + first == 0 && c % apart == 0 {
                    ahead(at.wrapping_add((N + c / apart % N) * width), LINE);
                }
                // SAFETY: at each of `cols` columns, `x` has V vectors and N rows of w a value, both asserted above.
                unsafe {
                    let vectors: [S::f32s; V] =
                        from_fn(|v| x.add(v * S::F32_LANES).cast::<S::f32s>().read_unaligned());
                    for (n, sums) in sums.iter_mut().enumerate() {
                        let w = simd.splat_f32s(*at.add(n * width));
                        for (sum, x) in sums.iter_mut().zip(vectors) {
                            *sum = simd.mul_add_e_f32s(w, x, *sum);
                        }
                    }
                }
                (x, at) = (x.wrapping_add(stride), at.wrapping_add(1));
            }
            (panel, offset, left) = (panel.wrapping_add(w.between), 0, left - many);
        }
        for (out, sums) in out.chunks_mut(padded).zip(sums) {
            let out = S::as_mut_simd_f32s(&mut out[..V * S::F32_LANES]).0;
            for (out, sum) in out.iter_mut().zip(sums) {
                *out = if add { simd.add_f32s(*out, sum) } else { sum };
            }
        }
    }
}
