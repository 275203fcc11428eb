//! Matrix products, by the `gemm` crate.

#![allow(unsafe_code, reason = "gemm takes raw pointers; the lengths are asserted before")]

use crate::parallel;

/// A matrix in a slice: element (i, j) lies at `i · row_stride + j · col_stride`.
#[derive(Clone, Copy)]
struct Strides {
    row: usize,
    col: usize,
}

/// Which columns of a matrix of `of` columns are meant.
#[derive(Clone, Copy)]
pub(crate) struct Window {
    pub(crate) first_col: usize,
    pub(crate) cols: usize,
    pub(crate) of: usize,
}

/// `x` \[R,I\], `w` \[I,J\], `bias` \[J\] → `out` \[R,J\].
pub(crate) fn linear(
    x: &[f32],
    w: &[f32],
    bias: Option<&[f32]>,
    i: usize,
    j: usize,
    out: &mut [f32],
) {
    if let Some(bias) = bias {
        out.chunks_mut(j).for_each(|row| row.copy_from_slice(bias));
    }
    product(out, j, x, i, w, Strides { row: j, col: 1 }, bias.is_some());
}

/// `x` \[R,C\], a window of `w` \[I,J\], `add` \[R,I\] → `out` \[R,I\].
pub(crate) fn linear_t(
    x: &[f32],
    w: &[f32],
    window: Window,
    add: Option<&[f32]>,
    i: usize,
    out: &mut [f32],
) {
    if let Some(add) = add {
        out.copy_from_slice(&add[..out.len()]);
    }
    let transposed = Strides { row: 1, col: window.of };
    product(out, i, x, window.cols, &w[window.first_col..], transposed, add.is_some());
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
    let rows = out.len() / n;
    assert!(out.len() == rows * n && a.len() >= rows * k);
    assert!(b.len() > (k - 1) * b_strides.row + (n - 1) * b_strides.col);
    let parallelism = parallel::of_product(rows * n * k);
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
