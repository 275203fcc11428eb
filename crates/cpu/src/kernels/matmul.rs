//! Matrix products: in tiles, or natively of many rows by the `gemm` crate.

#[cfg(not(target_arch = "wasm32"))]
use super::many_rows;
use super::tiles;
use crate::weights::Panels;

/// Which columns of a matrix are meant.
#[derive(Clone, Copy)]
pub(crate) struct Window {
    pub(crate) first_col: usize,
    pub(crate) cols: usize,
}

/// `x` \[R,I\], `w` \[I,J\], `bias` \[J\] → `out` \[R,J\].
pub(crate) fn linear(x: &[f32], w: Panels<'_>, bias: Option<&[f32]>, out: &mut [f32]) {
    if let Some(bias) = bias {
        out.chunks_mut(w.cols).for_each(|row| row.copy_from_slice(bias));
    }
    let x = &x[..out.len() / w.cols * w.rows];
    #[cfg(not(target_arch = "wasm32"))]
    if many_rows::pays(out.len() / w.cols) {
        return many_rows::plain(x, w, out, bias.is_some());
    }
    tiles::plain(x, w, out, bias.is_some());
}

/// `x` \[R,C\], a window of `w` \[I,J\], `add` \[R,I\] → `out` \[R,I\].
pub(crate) fn linear_t(
    x: &[f32],
    w: Panels<'_>,
    window: Window,
    add: Option<&[f32]>,
    out: &mut [f32],
) {
    if let Some(add) = add {
        out.copy_from_slice(&add[..out.len()]);
    }
    let x = &x[..out.len() / w.rows * window.cols];
    tiles::transposed(x, w, window, out, add.is_some());
}
