//! Sums of rows, each with a weight, of which attention consists: `out[r] = Σ_i weight[r,i] · row[i]`. Such matrices are
//! parts of larger ones, and too small to be brought into another order first, but for keys as columns.

#![allow(
    unsafe_code,
    reason = "checked at every step, a browser takes nearly twice as long; the tile checks before"
)]

use std::array::from_fn;
use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::add_scaled;
use super::tiles::{alone, many_registers};
use crate::vectors::dispatch;

/// Sums that are computed together: as many as there are registers for, two vectors wide, in a browser too.
pub(super) const TOGETHER: usize = 4;

/// What is summed.
#[derive(Clone, Copy)]
pub(super) struct Sums<'a> {
    /// The weight of row i in sum r is at `across · r + along · i`.
    pub(super) weights: &'a [f32],
    pub(super) across: usize,
    pub(super) along: usize,
    /// Row i begins at `stride · i`.
    pub(super) rows: &'a [f32],
    pub(super) stride: usize,
    /// Of each row.
    pub(super) cols: usize,
}

/// Which rows a sum has, of sums that come one after the other.
#[derive(Clone, Copy)]
pub(super) enum Terms {
    /// The first so many.
    First(usize),
    /// So many in the first sum, and one more in each.
    Growing(usize),
    /// All of so many in the first sum, and the first one less in each.
    Shrinking(usize),
}

impl Terms {
    #[inline(always)]
    fn of(self, sum: usize) -> Range<usize> {
        match self {
            Self::First(rows) => 0..rows,
            Self::Growing(rows) => 0..rows + sum,
            Self::Shrinking(rows) => sum..rows,
        }
    }
}

impl Sums<'_> {
    /// `out[r]` = `scale · Σ_i weight[r,i] · row[i]` for r below `many`, which is [`TOGETHER`] at most; they lie `apart`
    /// from each other.
    ///
    /// # Panics
    /// If one of them has no row, or what is asked for is not there.
    #[inline(always)]
    pub(super) fn add_up_into(
        self,
        out: &mut [f32],
        (many, apart): (usize, usize),
        terms: Terms,
        scale: f32,
    ) {
        dispatch(Compute { sums: self, out, many, apart, terms, scale });
    }
}

struct Compute<'a, 'o> {
    sums: Sums<'a>,
    out: &'o mut [f32],
    many: usize,
    apart: usize,
    terms: Terms,
    scale: f32,
}

impl WithSimd for Compute<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match self.many {
            1 => self.together::<S, 1>(simd),
            2 => self.together::<S, 2>(simd),
            3 => self.together::<S, 3>(simd),
            4 => self.together::<S, 4>(simd),
            many => unreachable!("{many} at a time"),
        }
    }
}

impl Compute<'_, '_> {
    #[inline(always)]
    fn together<S: Simd, const R: usize>(self, simd: S) {
        let Self { sums, out, apart, terms, scale, .. } = self;
        let Sums { weights, across, along, rows, stride, cols } = sums;
        // What all sums have.
        let (first, end) = (terms.of(R - 1).start, terms.of(0).end);
        assert!(first < end);
        let common = first..end;
        let lanes = S::F32_LANES;
        let mut col = 0;
        while col < cols {
            let tile = Tile { sums, common: common.clone(), out: &mut *out, apart, scale, col };
            // What is past the columns may be read, if it is there.
            let left = cols - col;
            let are_there = |vectors| rows.len() >= place(end - 1, stride, col + vectors * lanes);
            if many_registers::<S>() && left > 2 * lanes && are_there(4) {
                alone(simd, Exact::<R, 4>(tile));
                col += 4 * lanes;
            } else if left > lanes && are_there(2) {
                alone(simd, Exact::<R, 2>(tile));
                col += 2 * lanes;
            } else {
                alone(simd, Exact::<R, 1>(tile));
                col += lanes;
            }
        }
        for r in 0..R {
            let all = terms.of(r);
            for i in (all.start..first).chain(end..all.end) {
                let weight = scale * weights[across * r + along * i];
                add_scaled(&mut out[apart * r..][..cols], weight, &rows[stride * i..]);
            }
        }
    }
}

struct Tile<'a, 'o> {
    sums: Sums<'a>,
    common: Range<usize>,
    out: &'o mut [f32],
    apart: usize,
    scale: f32,
    col: usize,
}

/// Some columns of `R` sums, `V` vectors wide, of which the last columns may be too many.
struct Exact<'a, 'o, const R: usize, const V: usize>(Tile<'a, 'o>);

impl<const R: usize, const V: usize> WithSimd for Exact<'_, '_, R, V> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Tile { sums, common, out, apart, scale, col } = self.0;
        let Sums { weights, across, along, rows, stride, cols } = sums;
        let wide = (V * S::F32_LANES).min(cols - col);
        let last = common.end - 1;
        assert!(weights.len() > place(R - 1, across, place(last, along, 0)));
        let whole = rows.len() >= place(last, stride, col + V * S::F32_LANES);
        assert!(whole || V == 1 && rows.len() >= place(last, stride, col + wide));
        let mut totals = [[simd.splat_f32s(0.0); V]; R];
        for i in common {
            let row = stride * i + col;
            let vectors: [S::f32s; V] = if whole {
                // SAFETY: there are so many values, as asserted for the last row.
                from_fn(|v| unsafe {
                    rows.as_ptr().add(row + v * S::F32_LANES).cast::<S::f32s>().read_unaligned()
                })
            } else {
                [simd.partial_load_f32s(&rows[row..row + wide]); V]
            };
            for (r, totals) in totals.iter_mut().enumerate() {
                // SAFETY: each sum has a weight of the row, as asserted for the last of both.
                let weight = unsafe { *weights.get_unchecked(across * r + along * i) };
                let weight = simd.splat_f32s(weight);
                for (total, vector) in totals.iter_mut().zip(vectors) {
                    *total = simd.mul_add_e_f32s(weight, vector, *total);
                }
            }
        }
        let scale = simd.splat_f32s(scale);
        for (r, totals) in totals.into_iter().enumerate() {
            let out = &mut out[apart * r + col..][..wide];
            for (out, total) in out.chunks_mut(S::F32_LANES).zip(totals) {
                simd.partial_store_f32s(out, simd.mul_f32s(scale, total));
            }
        }
    }
}

/// `i · stride + more`, or more than any slice has.
#[inline(always)]
fn place(i: usize, stride: usize, more: usize) -> usize {
    i.checked_mul(stride).and_then(|at| at.checked_add(more)).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_every_width_and_number_are_those_of_their_rows() {
        for cols in [1, 3, 4, 8, 15, 16, 17, 33, 64, 100] {
            for many in 1..=TOGETHER {
                for (terms, of) in [
                    (Terms::First(5), 5),
                    (Terms::Growing(2), many + 1),
                    (Terms::Shrinking(many + 2), many + 2),
                ] {
                    check(cols, many, terms, of);
                }
            }
        }
    }

    fn check(cols: usize, many: usize, terms: Terms, of: usize) {
        let (stride, apart) = (cols + 2, cols + 1);
        let value = |i: usize| ((i * 37 + 11) % 64) as f32 / 32.0 - 1.0;
        let rows: Vec<f32> = (0..of * stride - 2).map(value).collect();
        // What is not asked for must not count, whatever it is.
        let weight = |r: usize, i: usize| {
            if terms.of(r).contains(&i) { value(r * 7 + i) } else { f32::NAN }
        };
        for transposed in [false, true] {
            let (across, along) = if transposed { (1, many) } else { (of, 1) };
            let mut weights = vec![0.0; many * of];
            let mut expected = vec![-7.0; many * apart];
            for r in 0..many {
                for i in 0..of {
                    weights[across * r + along * i] = weight(r, i);
                }
                for c in 0..cols {
                    let products = terms.of(r).map(|i| weight(r, i) * rows[i * stride + c]);
                    expected[r * apart + c] = 0.5 * products.sum::<f32>();
                }
            }
            let sums = Sums { weights: &weights, across, along, rows: &rows, stride, cols };
            let mut out = vec![-7.0; many * apart];
            sums.add_up_into(&mut out, (many, apart), terms, 0.5);
            for (i, (out, expected)) in out.iter().zip(&expected).enumerate() {
                assert!((out - expected).abs() < 1e-5, "{cols} {many}: {i}: {out} {expected}");
            }
        }
    }
}
