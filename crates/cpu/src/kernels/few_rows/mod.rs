//! The products of few rows with a matrix that is read once, where it lies. A product for any size would first copy
//! the matrix into the order of its tiles, which for few rows takes about as long as the product.

mod ahead;
mod columns;
mod dots;
mod plain;
mod transposed;

use columns::Columns;
use plain::Plain;
use pulp::{Arch, Simd};
use transposed::Transposed;

use super::halves;
use crate::parallel;
use crate::weights::Matrix;

/// Tasks that a product is shared out in, a thread; more than one, so that no thread waits long for another.
const TASKS: usize = 4;

/// A matrix of which each row begins `stride` after the last.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub(super) values: Matrix<'a>,
    pub(super) cols: usize,
    pub(super) stride: usize,
}

impl<'a> Rows<'a> {
    /// What is left after so many values.
    fn skip(self, values: usize) -> Self {
        Self { values: self.values.skip(values), ..self }
    }

    /// Some columns of the first rows, each \[`cols`\]: where they lie, or widened into `copy`.
    #[inline(always)]
    fn widened<'s>(self, rows: usize, cols: usize, copy: &'s mut Vec<f32>) -> (&'s [f32], usize)
    where
        'a: 's,
    {
        match self.values {
            Matrix::F32(values) => (values, self.stride),
            Matrix::F16(values) => {
                copy.resize(rows * cols, 0.0);
                for (copy, values) in copy.chunks_exact_mut(cols).zip(values.chunks(self.stride)) {
                    halves::widen(&values[..cols], copy);
                }
                (copy, cols)
            }
        }
    }
}

/// What a thread computes: some columns of a product.
struct Product<'a, 'o> {
    x: &'a Columns,
    w: Rows<'a>,
    /// Of every row of x.
    out: &'a mut [&'o mut [f32]],
    accumulate: bool,
}

/// Whether there are as many registers as AVX-512 and NEON have. A browser's are sixteen on most machines, whatever it
/// says.
fn many_registers<S: Simd>() -> bool {
    S::REGISTER_COUNT >= 32 && !cfg!(target_arch = "wasm32")
}

/// `x` \[R,I\] times `w` \[I,J\]: `out` \[R,J\], to which it is added if `accumulate`.
pub(super) fn plain(x: &[f32], w: Rows<'_>, out: &mut [f32], accumulate: bool) {
    let rows = out.len() / w.cols;
    let columns = Columns::of(x, rows);
    let work = x.len() * w.cols;
    shared_out(out, w.cols, work, |start, out| {
        let w = w.skip(start);
        Arch::new().dispatch(Plain(Product { x: &columns, w, out, accumulate }));
    });
}

/// `x` \[R,C\] times the `i` rows of `w` \[I,C\]: `out` \[R,I\], to which it is added if `accumulate`.
pub(super) fn transposed(x: &[f32], w: Rows<'_>, i: usize, out: &mut [f32], accumulate: bool) {
    let rows = out.len() / i;
    let work = x.len() * i;
    if dots::pays(rows) {
        return shared_out(out, i, work, |start, out| {
            dots::product(x, w.skip(start * w.stride), out, accumulate);
        });
    }
    let columns = Columns::of(x, rows);
    shared_out(out, i, work, |start, out| {
        let w = w.skip(start * w.stride);
        Arch::new().dispatch(Transposed(Product { x: &columns, w, out, accumulate }));
    });
}

/// Calls `f(first column, those columns of every row)` until all of `out` \[R,`cols`\] is done.
fn shared_out(
    out: &mut [f32],
    cols: usize,
    work: usize,
    f: impl Fn(usize, &mut [&mut [f32]]) + Sync + Send,
) {
    // A multiple of every width of vectors and tiles.
    let wide = cols.div_ceil(TASKS * parallel::threads()).next_multiple_of(64);
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
