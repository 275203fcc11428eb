//! The product of few rows with the rows of a matrix, `out[r,i] = Σ_c x[r,c] · w[i,c]`, as the backward pass and
//! the unembedding have it. Every weight is read once, in order, where it lies; a product for any size would
//! first copy it, which for few rows takes longer than the product.

use pulp::{Arch, Simd, WithSimd};

use crate::parallel;

/// Whether this is faster than `gemm` for so many rows (`benches/README.md`): the more columns, the more its
/// copy takes, and the less it takes to begin and end a sum here.
pub(super) fn pays(rows: usize, cols: usize) -> bool {
    24 * rows <= cols
}

/// Rows of w, and of x, whose sums are in registers at a time: twelve, which every instruction set has.
const W: usize = 3;
const X: usize = 4;
/// Columns that are gone through at a time, so that what is read again is in the nearest cache.
const COLUMNS: usize = 768;
/// Rows of w that a thread takes at a time.
const BLOCK: usize = 16 * W;

/// `x` \[R,C\] times the rows of `w`, of which each begins `stride` after the last: `out` \[R,I\], to which it is
/// added if `accumulate`.
pub(super) fn product(
    x: &[f32],
    w: &[f32],
    (cols, stride): (usize, usize),
    i: usize,
    out: &mut [f32],
    accumulate: bool,
) {
    let rows = out.len() / i;
    let starts: Vec<usize> = (0..i).step_by(BLOCK).collect();
    let parts = parallel::map(&starts, rows * i * cols, |&start| {
        let mut out = vec![0.0; rows * BLOCK.min(i - start)];
        let w = &w[start * stride..];
        Arch::new().dispatch(Sums { x, rows, w, cols, stride, out: &mut out });
        out
    });
    for (start, part) in starts.into_iter().zip(parts) {
        for (at, sums) in part.chunks(rows).enumerate() {
            for (row, sum) in sums.iter().enumerate() {
                let out = &mut out[row * i + start + at];
                *out = if accumulate { *out + sum } else { *sum };
            }
        }
    }
}

/// The sums of some rows of w, \[I,R\].
struct Sums<'a> {
    x: &'a [f32],
    rows: usize,
    w: &'a [f32],
    cols: usize,
    stride: usize,
    out: &'a mut [f32],
}

impl WithSimd for Sums<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { x, rows, w, cols, stride, out } = self;
        let all = out.len() / rows;
        for at in (0..all).step_by(W) {
            for from in (0..cols).step_by(COLUMNS) {
                let many = COLUMNS.min(cols - from);
                let w = Piece { values: w, at, from, many, stride };
                for row in (0..rows).step_by(X) {
                    let x = Piece { values: x, at: row, from, many, stride: cols };
                    let place = (&mut *out, rows);
                    match ((all - at).min(W), (rows - row).min(X)) {
                        (3, 4) => add::<S, 3, 4>(simd, w, x, place),
                        (3, 3) => add::<S, 3, 3>(simd, w, x, place),
                        (3, 2) => add::<S, 3, 2>(simd, w, x, place),
                        (3, _) => add::<S, 3, 1>(simd, w, x, place),
                        (2, 4) => add::<S, 2, 4>(simd, w, x, place),
                        (2, 3) => add::<S, 2, 3>(simd, w, x, place),
                        (2, 2) => add::<S, 2, 2>(simd, w, x, place),
                        (2, _) => add::<S, 2, 1>(simd, w, x, place),
                        (_, 4) => add::<S, 1, 4>(simd, w, x, place),
                        (_, 3) => add::<S, 1, 3>(simd, w, x, place),
                        (_, 2) => add::<S, 1, 2>(simd, w, x, place),
                        _ => add::<S, 1, 1>(simd, w, x, place),
                    }
                }
            }
        }
    }
}

/// Some columns of some rows.
#[derive(Clone, Copy)]
struct Piece<'a> {
    values: &'a [f32],
    at: usize,
    from: usize,
    many: usize,
    stride: usize,
}

impl<'a> Piece<'a> {
    #[inline(always)]
    fn row(self, row: usize) -> &'a [f32] {
        &self.values[(self.at + row) * self.stride + self.from..][..self.many]
    }
}

/// Adds the products of `NW` rows of w and `NX` rows of x to their sums.
#[inline(always)]
fn add<S: Simd, const NW: usize, const NX: usize>(
    simd: S,
    w: Piece<'_>,
    x: Piece<'_>,
    (out, rows): (&mut [f32], usize),
) {
    let mut w_parts = [([].as_slice(), [].as_slice()); NW];
    let mut x_parts = [([].as_slice(), [].as_slice()); NX];
    for (row, part) in w_parts.iter_mut().enumerate() {
        *part = S::as_simd_f32s(w.row(row));
    }
    for (row, part) in x_parts.iter_mut().enumerate() {
        *part = S::as_simd_f32s(x.row(row));
    }
    // Of one length, as the compiler can see.
    let vectors = w.many / S::F32_LANES;
    for part in w_parts.iter_mut().chain(&mut x_parts) {
        part.0 = &part.0[..vectors];
    }
    let mut sums = [[simd.splat_f32s(0.0); NX]; NW];
    for at in 0..vectors {
        let mut xs = [simd.splat_f32s(0.0); NX];
        for (x, part) in xs.iter_mut().zip(&x_parts) {
            *x = part.0[at];
        }
        for (sums, part) in sums.iter_mut().zip(&w_parts) {
            let w = part.0[at];
            for (sum, x) in sums.iter_mut().zip(xs) {
                *sum = simd.mul_add_e_f32s(w, x, *sum);
            }
        }
    }
    for (i, (sums, w_part)) in sums.iter().zip(&w_parts).enumerate() {
        for (r, (sum, x_part)) in sums.iter().zip(&x_parts).enumerate() {
            let rest: f32 = w_part.1.iter().zip(x_part.1).map(|(w, x)| w * x).sum();
            out[(w.at + i) * rows + x.at + r] += simd.reduce_sum_f32s(*sum) + rest;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Extents that are no multiple of anything, and both ways of putting the sums away.
    #[test]
    fn it_is_the_sum_of_the_products() {
        for (rows, cols, i) in [(1, 1, 1), (15, 37, 50), (6, 2051, 7), (4, 1024, 48), (9, 130, 100)]
        {
            let stride = cols + 3;
            let number = |seed: usize| ((seed * 7919 % 1000) as f32 - 500.0) / 500.0;
            let x: Vec<f32> = (0..rows * cols).map(number).collect();
            let w: Vec<f32> = (0..i * stride).map(|at| number(at + 13)).collect();
            for accumulate in [false, true] {
                let mut out = vec![0.25; rows * i];
                product(&x, &w, (cols, stride), i, &mut out, accumulate);
                for row in 0..rows {
                    for at in 0..i {
                        let products = (0..cols)
                            .map(|c| f64::from(x[row * cols + c]) * f64::from(w[at * stride + c]));
                        let sum: f64 = products.sum::<f64>() + if accumulate { 0.25 } else { 0.0 };
                        let found = f64::from(out[row * i + at]);
                        let size = (cols as f64).sqrt();
                        assert!(
                            (sum - found).abs() < 1e-5 * size,
                            "{sum} {found} {rows} {cols} {i}"
                        );
                    }
                }
            }
        }
    }
}
