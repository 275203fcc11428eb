//! What compares a base run with its source run, and what puts parts of one into the other.

use super::some_rows::SomeRows;
use super::{add_scaled, vectorised};
use crate::weights::Matrix;

/// Which columns of `act` belong to the columns of `grad`.
#[derive(Clone, Copy)]
pub(crate) struct Window {
    pub(crate) first_col: usize,
    pub(crate) cols: usize,
    pub(crate) of: usize,
}

/// `act` \[2R,J\], `grad` \[N·R,C\] → `out` \[N·R,G\].
pub(crate) fn delta_dot(
    act: &[f32],
    grad: &[f32],
    Window { first_col, cols, of }: Window,
    groups: usize,
    needed: &SomeRows,
    out: &mut [f32],
) {
    let (base, source) = act.split_at(act.len() / 2);
    let (rows, width) = (base.len() / of, cols / groups);
    // Where the runs are the same, there is no effect.
    out.fill(0.0);
    needed.each(out, 4 * grad.len(), |row, out| {
        let at = row % rows * of + first_col;
        let (base, source) = (&base[at..at + cols], &source[at..at + cols]);
        let grad = &grad[row * cols..][..cols];
        effects(base, source, grad, width, out);
    });
}

vectorised! {
    /// The effect of each group of so many columns.
    fn effects<'a>(
        base: &'a [f32],
        source: &'a [f32],
        grad: &'a [f32],
        width: usize,
        out: &'a mut [f32],
    ) {
        if width == 1 {
            for (out, ((b, s), g)) in out.iter_mut().zip(base.iter().zip(source).zip(grad)) {
                *out = (s - b) * g;
            }
            return;
        }
        let parts = base.chunks(width).zip(source.chunks(width)).zip(grad.chunks(width));
        for (out, ((base, source), grad)) in out.iter_mut().zip(parts) {
            *out = effect(base, source, grad);
        }
    }
}

/// Σ (source − base) · grad in `f64`, as the two activations are often close to each other.
#[inline(always)]
fn effect(base: &[f32], source: &[f32], grad: &[f32]) -> f32 {
    const TOGETHER: usize = 8;
    let mut sums = [0.0_f64; TOGETHER];
    let mut add = |base: &[f32], source: &[f32], grad: &[f32]| {
        for (sum, ((b, s), g)) in sums.iter_mut().zip(base.iter().zip(source).zip(grad)) {
            *sum += f64::from(s - b) * f64::from(*g);
        }
    };
    let (base, base_rest) = base.as_chunks::<TOGETHER>();
    let (source, source_rest) = source.as_chunks::<TOGETHER>();
    let (grad, grad_rest) = grad.as_chunks::<TOGETHER>();
    for ((base, source), grad) in base.iter().zip(source).zip(grad) {
        add(base, source, grad);
    }
    add(base_rest, source_rest, grad_rest);
    sums.iter().sum::<f64>() as f32
}

/// `x` \[2B,…\] → `out` \[N·B,…\].
pub(crate) fn interpolate(x: &[f32], window: Window, out: &mut [f32]) {
    let (base, source) = x.split_at(x.len() / 2);
    let steps = out.len() / base.len();
    let moving = window.first_col..window.first_col + window.cols;
    for (k, out) in out.chunks_mut(base.len()).enumerate() {
        let part = (k + 1) as f32 / steps as f32;
        out.copy_from_slice(base);
        for (out, source) in out.chunks_mut(window.of).zip(source.chunks(window.of)) {
            for (out, source) in out[moving.clone()].iter_mut().zip(&source[moving.clone()]) {
                *out += part * (source - *out);
            }
        }
    }
}

/// `x` \[…,D\], `rows` \[M,K\] → `out` \[R+M,D\].
pub(crate) fn append_means(x: &[f32], rows: &[u32], per_mean: usize, cols: usize, out: &mut [f32]) {
    let (copy, means) = out.split_at_mut(x.len());
    copy.copy_from_slice(x);
    for (mean, rows) in means.chunks_mut(cols).zip(rows.chunks(per_mean)) {
        mean.fill(0.0);
        for &row in rows {
            add_scaled(mean, 1.0, &x[row as usize * cols..][..cols]);
        }
        mean.iter_mut().for_each(|sum| *sum /= per_mean as f32);
    }
}

/// Row `row` of `x`; `None` where that is past its end, which stands for zeros.
fn row_of(x: &[f32], row: u32, cols: usize) -> Option<&[f32]> {
    x.get(row as usize * cols..)?.get(..cols)
}

/// `a`, `b` \[…,D\], `a_rows`, `b_rows` \[R\] → `out` \[R,D\].
pub(crate) fn add_rows(
    a: Matrix<'_>,
    a_rows: &[u32],
    b: &[f32],
    b_rows: &[u32],
    cols: usize,
    out: &mut [f32],
) {
    let mut scratch = Vec::new();
    for ((out, &i), &j) in out.chunks_mut(cols).zip(a_rows).zip(b_rows) {
        match (a.get(i as usize * cols, cols, &mut scratch), row_of(b, j, cols)) {
            (Some(a), Some(b)) => {
                for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
                    *out = a + b;
                }
            }
            (Some(row), None) | (None, Some(row)) => out.copy_from_slice(row),
            (None, None) => out.fill(0.0),
        }
    }
}

/// `x` \[…,J\], `rows` \[R,2\], `blocks` \[R\] → `out` \[R,J\].
pub(crate) fn splice(
    x: &[f32],
    rows: &[u32],
    blocks: &[u32],
    width: usize,
    cols: usize,
    out: &mut [f32],
) {
    let copy = |out: &mut [f32], row: Option<&[f32]>| match row {
        Some(row) => out.copy_from_slice(row),
        None => out.fill(0.0),
    };
    for ((out, rows), &block) in out.chunks_mut(cols).zip(rows.chunks(2)).zip(blocks) {
        copy(out, row_of(x, rows[0], cols));
        let block = block as usize * width..(block as usize + 1) * width;
        let source = row_of(x, rows[1], cols).map(|row| &row[block.clone()]);
        copy(&mut out[block], source);
    }
}
