//! The products of rows with a matrix that is read where it lies, once for all rows or for a block of them. A product for
//! any matrix would first copy it into the order of its tiles, which for few rows takes about as long as the product.

mod ahead;
mod columns;
mod dots;
mod plain;
mod transposed;

pub(super) use columns::WIDEST;
use columns::{Columns, Tiles};
use plain::Plain;
use pulp::{Simd, WithSimd};
use transposed::Transposed;

use super::halves;
use super::matmul::Window;
use crate::parallel;
use crate::vectors::{dispatch, vectorize};
use crate::weights::{Matrix, Panels};

/// The columns of a panel: natively as many as the widest tile has, in a browser those of its only one.
pub(crate) const PANEL: usize = if cfg!(target_arch = "wasm32") { 12 } else { 64 };

/// Rows of x that are computed at a time, so that they stay in the second cache.
const ROWS: usize = 96;
const ROWS_TRANSPOSED: usize = 256;

/// Tasks that a product is shared out in, a thread: more than one, so that no thread waits long for another, and as many as
/// share it out most evenly, the first if several do.
const TASKS: [usize; 3] = [4, 3, 5];

/// What a task is a multiple of, in columns: every width of vectors and tiles.
const WIDTHS: usize = 64;

/// Whether there are as many registers as AVX-512 and NEON have. A browser's are sixteen on most machines, whatever it
/// says.
pub(super) fn many_registers<S: Simd>() -> bool {
    S::REGISTER_COUNT >= 32 && !cfg!(target_arch = "wasm32")
}

/// Does a tile's work in a function of its own, so that the compiler finds registers for it alone.
#[inline(always)]
pub(super) fn alone<S: Simd, W: WithSimd>(simd: S, work: W) -> W::Output {
    #[cfg_attr(
        all(target_arch = "wasm32", feature = "relaxed-simd"),
        target_feature(enable = "relaxed-simd")
    )]
    #[inline(never)]
    fn by_itself<S: Simd, W: WithSimd>(simd: S, work: W) -> W::Output {
        work.with_simd(simd)
    }
    // Where vectors are no matter of the processor, `vectorize` makes no function.
    if cfg!(target_arch = "wasm32") { by_itself(simd, work) } else { vectorize(simd, work) }
}

/// Where what is read lies: as it is kept, or widened.
pub(super) struct Place<'s> {
    pub(super) values: &'s [f32],
    /// From a row to the next.
    pub(super) stride: usize,
}

/// Some columns of rows that lie `stride` apart: where they lie, or widened into `copy`.
#[inline(always)]
pub(super) fn widened<'s>(
    values: Matrix<'s>,
    stride: usize,
    (rows, cols): (usize, usize),
    copy: &'s mut Vec<f32>,
) -> Place<'s> {
    match values {
        Matrix::F32(values) => Place { values, stride },
        Matrix::F16(values) => {
            copy.resize(rows * cols, 0.0);
            for (copy, values) in copy.chunks_exact_mut(cols).zip(values.chunks(stride)) {
                halves::widen(&values[..cols], copy);
            }
            Place { values: copy, stride: cols }
        }
    }
}

/// `x` \[R,I\] times `w` \[I,J\]: `out` \[R,J\], to which it is added if `accumulate`.
pub(super) fn plain(x: &[f32], w: Panels<'_>, out: &mut [f32], accumulate: bool) {
    // Whole panels, if it lies in some.
    let whole = if w.is_one() { WIDTHS } else { w.width };
    for (x, out) in x.chunks(ROWS * w.rows).zip(out.chunks_mut(ROWS * w.cols)) {
        let tiles = Tiles::of(x, out.len() / w.cols, plain::MOST);
        shared_out(out, w.cols, whole, x.len() * w.cols, |first, out| {
            dispatch(Plain { x: &tiles, w, first, out, accumulate });
        });
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
    let i = w.rows;
    let work = x.len() * i;
    if w.is_one() && dots::pays(out.len() / i) {
        let Window { first_col, cols } = window;
        return shared_out(out, i, WIDTHS, work, |first, out| {
            let values = w.values.skip(first * w.width + first_col);
            dots::product(x, dots::Rows { values, cols, stride: w.width }, out, accumulate);
        });
    }
    let rows = ROWS_TRANSPOSED;
    for (x, out) in x.chunks(rows * window.cols).zip(out.chunks_mut(rows * i)) {
        let columns = Columns::of(x, out.len() / i);
        shared_out(out, i, WIDTHS, work, |first, out| {
            dispatch(Transposed { x: &columns, w, window, first, out, accumulate });
        });
    }
}

/// Calls `f(first column, those columns of every row)` until all of `out` \[R,`cols`\] is done; every task but the last
/// has a multiple of `whole` columns.
fn shared_out(
    out: &mut [f32],
    cols: usize,
    whole: usize,
    work: usize,
    f: impl Fn(usize, &mut [&mut [f32]]) + Sync + Send,
) {
    let threads = parallel::threads();
    let wide = TASKS.map(|tasks| cols.div_ceil(tasks * threads).next_multiple_of(whole));
    // The columns that the busiest thread has.
    let most = |wide: &usize| cols.div_ceil(*wide).div_ceil(threads) * wide;
    let wide = wide.into_iter().min_by_key(most).unwrap_or(cols);
    let mut parts: Vec<Vec<&mut [f32]>> = (0..cols.div_ceil(wide)).map(|_| Vec::new()).collect();
    for row in out.chunks_mut(cols) {
        for (part, piece) in parts.iter_mut().zip(row.chunks_mut(wide)) {
            part.push(piece);
        }
    }
    parallel::chunks(&mut parts, 1, work, |at, part| {
        part.iter_mut().for_each(|part| f(at * wide, part));
    });
}

#[cfg(test)]
mod tests;
