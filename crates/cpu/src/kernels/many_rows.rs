//! Products of many rows, by the `gemm` crate. It copies the matrix into the order of its tiles first, which for as many
//! rows costs nothing that counts.

#![allow(unsafe_code, reason = "gemm takes raw pointers; the lengths are asserted before")]

use std::ops::Range;

use gemm::Parallelism;

use super::halves;
use super::matmul::Window;
use crate::parallel;
use crate::weights::{Matrix, Panels};

/// The most rows for which a product in tiles is the faster one (`benches/README.md`); transposed, `gemm` copies longer.
const FEW_ROWS: usize = 96;
const FEW_ROWS_TRANSPOSED: usize = 256;

/// Whether it is faster; panels are in the order of tiles already.
pub(super) fn pays(w: Panels<'_>, rows: usize) -> bool {
    w.is_one() && rows > FEW_ROWS
}

/// The same of a transposed matrix.
pub(super) fn pays_transposed(w: Panels<'_>, rows: usize) -> bool {
    w.is_one() && rows > FEW_ROWS_TRANSPOSED
}

/// A matrix in a slice: element (i, j) lies at `i · row_stride + j · col_stride`.
#[derive(Clone, Copy)]
struct Strides {
    row: usize,
    col: usize,
}

/// `x` \[R,I\] times `w` \[I,J\]: `out` \[R,J\], to which it is added if `accumulate`.
pub(super) fn plain(x: &[f32], w: Panels<'_>, out: &mut [f32], accumulate: bool) {
    let (i, j) = (w.rows, w.cols);
    match w.values {
        Matrix::F32(w) => product(out, j, x, i, w, Strides { row: j, col: 1 }, accumulate),
        // Columns are widened a block at a time, so that a block stays in the cache.
        Matrix::F16(w) => blocks(out, j, x, i, accumulate, |columns, block| {
            for (block, w) in block.chunks_mut(columns.len()).zip(w.chunks(j)) {
                halves::widen(&w[columns.clone()], block);
            }
            Strides { row: columns.len(), col: 1 }
        }),
    }
}

/// `x` \[R,C\] times a window's columns of `w` \[I,J\]: `out` \[R,I\], to which it is added if `accumulate`.
pub(super) fn transposed(
    x: &[f32],
    w: Panels<'_>,
    window: Window,
    out: &mut [f32],
    accumulate: bool,
) {
    let (i, of, Window { first_col, cols }) = (w.rows, w.cols, window);
    match w.values {
        Matrix::F32(w) => {
            let transposed = Strides { row: 1, col: of };
            product(out, i, x, cols, &w[first_col..], transposed, accumulate);
        }
        Matrix::F16(w) => blocks(out, i, x, cols, accumulate, |rows, block| {
            for (block, row) in block.chunks_mut(cols).zip(rows) {
                halves::widen(&w[row * of + first_col..][..cols], block);
            }
            Strides { row: 1, col: cols }
        }),
    }
}

/// Values of a block of widened columns: they stay in a core's cache.
const BLOCK: usize = 1 << 17;

/// `out` \[R,N\] = `a` \[R,K\] · `b` \[K,N\], some columns of `b` at a time, which `widen` writes into
/// \[K·columns\] and tells how they lie there.
fn blocks(
    out: &mut [f32],
    n: usize,
    a: &[f32],
    k: usize,
    accumulate: bool,
    widen: impl Fn(Range<usize>, &mut [f32]) -> Strides + Sync,
) {
    let rows = out.len() / n;
    let wide = (BLOCK / k).clamp(1, n).next_multiple_of(16).min(n);
    let starts: Vec<usize> = (0..n).step_by(wide).collect();
    let found = parallel::map(&starts, rows * n * k, |&start| {
        let columns = start..(start + wide).min(n);
        let mut block = vec![0.0; k * columns.len()];
        let strides = widen(columns.clone(), &mut block);
        let mut part = vec![0.0; rows * columns.len()];
        let one_thread = Parallelism::None;
        product_on(&mut part, columns.len(), a, k, &block, strides, false, one_thread);
        (columns, part)
    });
    for (columns, part) in found {
        for (out, part) in out.chunks_mut(n).zip(part.chunks(columns.len())) {
            let out = &mut out[columns.clone()];
            if accumulate {
                out.iter_mut().zip(part).for_each(|(out, part)| *out += part);
            } else {
                out.copy_from_slice(part);
            }
        }
    }
}

/// `out` \[R,N\] = `a` \[R,K\] · `b` \[K,N\], added to `out` if `accumulate`.
fn product(
    out: &mut [f32],
    n: usize,
    a: &[f32],
    k: usize,
    b: &[f32],
    b_strides: Strides,
    accumulate: bool,
) {
    let parallelism = parallel::of_product(out.len() * k);
    product_on(out, n, a, k, b, b_strides, accumulate, parallelism);
}

#[allow(clippy::too_many_arguments, reason = "the operands of a product")]
fn product_on(
    out: &mut [f32],
    n: usize,
    a: &[f32],
    k: usize,
    b: &[f32],
    b_strides: Strides,
    accumulate: bool,
    parallelism: Parallelism,
) {
    let rows = out.len() / n;
    assert!(out.len() == rows * n && a.len() >= rows * k);
    assert!(b.len() > (k - 1) * b_strides.row + (n - 1) * b_strides.col);
    // SAFETY: `out` and `a` are whole row-major matrices and the last element of `b` lies within
    // its slice (both asserted above); `out` is exclusively borrowed, so nothing overlaps.
    unsafe {
        gemm::gemm(
            rows,
            n,
            k,
            out.as_mut_ptr(),
            1,
            n as isize,
            accumulate,
            a.as_ptr(),
            1,
            k as isize,
            b.as_ptr(),
            b_strides.col as isize,
            b_strides.row as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            parallelism,
        );
    }
}
