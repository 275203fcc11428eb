//! Products of many rows, by the `gemm` crate. It copies what it multiplies into the order of its tiles first, which for as
//! many rows costs nothing that counts.

#![allow(unsafe_code, reason = "gemm takes raw pointers; the lengths are asserted before")]

use gemm::Parallelism;

use super::tiles::{Place, widened};
use crate::parallel;
use crate::weights::Panels;

/// The most rows for which a product in tiles is the faster one (`benches/README.md`).
const FEW_ROWS: usize = 96;

/// Columns of a task, of a matrix that does not lie in panels, which are narrower.
const WIDE: usize = 256;

/// Whether it is faster for so many rows.
pub(super) fn pays(rows: usize) -> bool {
    rows > FEW_ROWS
}

/// `x` \[R,I\] times `w` \[I,J\]: `out` \[R,J\], to which it is added if `accumulate`.
pub(super) fn plain(x: &[f32], w: Panels<'_>, out: &mut [f32], accumulate: bool) {
    let (i, j) = (w.rows, w.cols);
    let rows = out.len() / j;
    assert!(out.len() == rows * j && x.len() >= rows * i);
    let out = SharedOut(out.as_mut_ptr());
    let wide = w.width.min(WIDE);
    let starts: Vec<usize> = (0..j).step_by(wide).collect();
    parallel::map(&starts, rows * i * j, |&start| {
        let cols = wide.min(j - start);
        let (panel, offset) = (start / w.width, start % w.width);
        let values = w.values.skip(panel * i * w.width + offset);
        let mut copy = Vec::new();
        let Place { values, stride } = widened(values, w.width, (i, cols), &mut copy);
        assert!(values.len() >= (i - 1) * stride + cols);
        let out = out.from(start);
        // SAFETY: `x` and `out` are whole row-major matrices and `values` has so many columns of as many rows (asserted
        // above); `out` is exclusively borrowed by this function, and no two tasks have a column in common.
        unsafe {
            gemm::gemm(
                rows,
                cols,
                i,
                out,
                1,
                j as isize,
                accumulate,
                x.as_ptr(),
                1,
                i as isize,
                values.as_ptr(),
                1,
                stride as isize,
                1.0,
                1.0,
                false,
                false,
                false,
                Parallelism::None,
            );
        }
    });
}

/// Where a matrix begins whose columns are shared out.
struct SharedOut(*mut f32);

// SAFETY: it is an address alone; who writes there says why nobody else does.
unsafe impl Sync for SharedOut {}

impl SharedOut {
    /// Where a column begins.
    fn from(&self, column: usize) -> *mut f32 {
        self.0.wrapping_add(column)
    }
}
