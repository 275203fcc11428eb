//! `out[r,j] = Σ_i x[r,i] · w[i,j]`: a tile has some rows of x, and some vectors of columns of w.

#![allow(
    unsafe_code,
    reason = "checked at every step, a browser takes nearly twice as long; the tile checks before"
)]

use std::array::from_fn;

use pulp::{Simd, WithSimd};

use super::ahead::{self, LINE, ahead};
use super::{Place, Tiles, alone, many_registers, widened};
use crate::weights::Panels;

/// Values of w that are gone through at a time, so that they stay in the nearest cache for all rows of x, while the next
/// come into the second.
const STRIP: usize = if cfg!(target_arch = "wasm32") { 4608 } else { 4096 };

/// The most rows of a tile: with its columns, as many sums as there are registers for.
pub(super) const MOST: usize = if cfg!(target_arch = "wasm32") { 3 } else { 6 };

/// Rows of w that a tile takes between two looks at whether it is done: a browser unrolls no loop.
const STEPS: usize = if cfg!(target_arch = "wasm32") { 8 } else { 1 };

/// Some columns of a product. Compiled for each kind of vectors.
pub(super) struct Plain<'a, 'o> {
    pub(super) x: &'a Tiles,
    pub(super) w: Panels<'a>,
    /// The first column of w that is meant.
    pub(super) first: usize,
    /// Of every row of x.
    pub(super) out: &'a mut [&'o mut [f32]],
    pub(super) accumulate: bool,
}

impl WithSimd for Plain<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if cfg!(target_arch = "wasm32") {
            self.tiles::<S, 3>(simd);
        } else if many_registers::<S>() {
            self.tiles::<S, 4>(simd);
        } else {
            self.tiles::<S, 2>(simd);
        }
    }
}

impl Plain<'_, '_> {
    #[inline(always)]
    fn tiles<S: Simd, const V: usize>(self, simd: S) {
        let Self { x, w, first, out, accumulate } = self;
        let cols = out[0].len();
        let wide = V * S::F32_LANES;
        let (mut copy, mut padded) = (Vec::new(), Vec::new());
        let most = rows_of_strip(x.cols(), wide);
        let mut col = 0;
        while col < cols {
            let (panel, offset) = ((first + col) / w.width, (first + col) % w.width);
            let here = wide.min(cols - col).min(w.width - offset);
            // What a panel is filled up with is read too.
            let read = wide.min(w.width - offset);
            for from in (0..x.cols()).step_by(most) {
                let inner = most.min(x.cols() - from);
                let add = accumulate || from > 0;
                let values = w.values.skip((panel * w.rows + from) * w.width + offset);
                let place = widened(values, w.width, (inner, read), &mut copy);
                let next = if from + inner < x.cols() {
                    w.place(from + inner, first + col)
                } else {
                    w.place(0, first + col + here)
                };
                let place = if read == wide {
                    place
                } else {
                    filled(place, read, wide, inner, &mut padded)
                };
                let strip = Strip { x, from, inner, w: place, next, add };
                if here == wide {
                    strip.rows::<S, V>(simd, out, col);
                } else {
                    strip.narrow::<S, V>(simd, out, col, here);
                }
            }
            col += here;
        }
    }
}

/// Of `all` rows of w those of a strip, of which each has about as many.
fn rows_of_strip(all: usize, wide: usize) -> usize {
    let strips = all.div_ceil((STRIP / wide).max(1));
    all.div_ceil(strips).next_multiple_of(STEPS)
}

/// So many columns as a tile is wide, of which the last are zeros.
fn filled<'s>(
    Place { values, stride }: Place<'_>,
    cols: usize,
    wide: usize,
    rows: usize,
    padded: &'s mut Vec<f32>,
) -> Place<'s> {
    padded.clear();
    padded.resize(rows * wide, 0.0);
    for (padded, values) in padded.chunks_exact_mut(wide).zip(values.chunks(stride)) {
        padded[..cols].copy_from_slice(&values[..cols]);
    }
    Place { values: padded, stride: wide }
}

/// A tile's columns of some rows of w, and what they are multiplied with.
struct Strip<'a> {
    x: &'a Tiles,
    from: usize,
    inner: usize,
    w: Place<'a>,
    /// Where the next strip begins, which has its rows as far apart, unless it is widened first.
    next: Option<*const f32>,
    add: bool,
}

impl Strip<'_> {
    /// Fewer columns than a tile has: they are computed in a place that is as wide.
    #[inline(always)]
    fn narrow<S: Simd, const V: usize>(
        &self,
        simd: S,
        out: &mut [&mut [f32]],
        col: usize,
        cols: usize,
    ) {
        let wide = V * S::F32_LANES;
        let mut sums = vec![0.0; out.len() * wide];
        let mut places: Vec<&mut [f32]> = sums.chunks_exact_mut(wide).collect();
        let Self { x, from, inner, w: Place { values, stride }, next, add } = *self;
        let strip = Strip { x, from, inner, w: Place { values, stride }, next, add: false };
        strip.rows::<S, V>(simd, &mut places, 0);
        for (out, sums) in out.iter_mut().zip(places) {
            for (out, sum) in out[col..col + cols].iter_mut().zip(sums) {
                *out = if add { *out + *sum } else { *sum };
            }
        }
    }

    /// All rows of x.
    #[inline(always)]
    fn rows<S: Simd, const V: usize>(&self, simd: S, out: &mut [&mut [f32]], col: usize) {
        let mut out = out;
        for (at, (x, rows)) in self.x.from(self.from).enumerate() {
            let (here, rest) = out.split_at_mut(rows);
            out = rest;
            let tile = Tile { x, strip: self, at, out: here, col };
            match rows {
                6 => alone(simd, Exact::<6, V>(tile)),
                5 => alone(simd, Exact::<5, V>(tile)),
                4 => alone(simd, Exact::<4, V>(tile)),
                3 => alone(simd, Exact::<3, V>(tile)),
                2 => alone(simd, Exact::<2, V>(tile)),
                _ => alone(simd, Exact::<1, V>(tile)),
            }
        }
    }
}

struct Tile<'a, 'o> {
    x: &'a [f32],
    strip: &'a Strip<'a>,
    /// Which of the tiles that have these columns.
    at: usize,
    out: &'a mut [&'o mut [f32]],
    col: usize,
}

/// A tile of `R` rows and `V` vectors.
struct Exact<'a, 'o, const R: usize, const V: usize>(Tile<'a, 'o>);

impl<const R: usize, const V: usize> WithSimd for Exact<'_, '_, R, V> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Tile { x, strip, at, out, col } = self.0;
        let Strip { inner, w: Place { values: w, stride }, next, add, .. } = *strip;
        let wide = V * S::F32_LANES;
        assert!(inner * R <= x.len() && (inner - 1) * stride + wide <= w.len());
        let mut sums = [[simd.splat_f32s(0.0); V]; R];
        // Of each row in the next strip, every tile asks for some cache lines, so that none has to wait.
        let lines = wide.div_ceil(LINE);
        let each = lines.div_ceil(strip.x.tiles());
        let next = next.filter(|_| ahead::CAN && at * each < lines);
        // SAFETY: of `inner` rows, `x` has R values, and `w` has V vectors, both asserted above.
        unsafe {
            let (x, w) = (x.as_ptr(), w.as_ptr());
            match next.map(|next| (each, next.wrapping_add(at * each * LINE))) {
                None => products::<S, R, V, 0>(simd, x, w, w, inner, stride, &mut sums),
                Some((1, next)) => {
                    products::<S, R, V, 1>(simd, x, w, next, inner, stride, &mut sums);
                }
                Some((2, next)) => {
                    products::<S, R, V, 2>(simd, x, w, next, inner, stride, &mut sums);
                }
                Some((_, next)) => {
                    products::<S, R, V, 4>(simd, x, w, next, inner, stride, &mut sums);
                }
            }
        }
        for (out, sums) in out.iter_mut().zip(sums) {
            let out = S::as_mut_simd_f32s(&mut out[col..col + wide]).0;
            for (out, sum) in out.iter_mut().zip(sums) {
                *out = if add { simd.add_f32s(*out, sum) } else { sum };
            }
        }
    }
}

/// Adds the products of all of a tile's rows of w.
///
/// # Safety
/// Of `inner` rows, `x` has `R` values, and `w` has `V` vectors, `stride` values apart. Of as many rows, `next` is
/// where `LINES` cache lines begin, which need not be there.
#[inline(always)]
unsafe fn products<S: Simd, const R: usize, const V: usize, const LINES: usize>(
    simd: S,
    mut x: *const f32,
    mut w: *const f32,
    mut next: *const f32,
    inner: usize,
    stride: usize,
    sums: &mut [[S::f32s; V]; R],
) {
    for _ in 0..inner / STEPS {
        for _ in 0..STEPS {
            if LINES > 0 {
                ahead(next, LINES * LINE);
                next = next.wrapping_add(stride);
            }
            // SAFETY: it is the caller's promise.
            unsafe { step(simd, x, w, sums) };
            (x, w) = (x.wrapping_add(R), w.wrapping_add(stride));
        }
    }
    for _ in inner / STEPS * STEPS..inner {
        // SAFETY: it is the caller's promise.
        unsafe { step(simd, x, w, sums) };
        (x, w) = (x.wrapping_add(R), w.wrapping_add(stride));
    }
}

/// Adds the products of a value of each row of x and a row's vectors of w.
///
/// # Safety
/// `x` has `R` values and `w` has `V` vectors.
#[inline(always)]
unsafe fn step<S: Simd, const R: usize, const V: usize>(
    simd: S,
    x: *const f32,
    w: *const f32,
    sums: &mut [[S::f32s; V]; R],
) {
    // SAFETY: it is the caller's promise.
    let vectors: [S::f32s; V] =
        from_fn(|v| unsafe { w.add(v * S::F32_LANES).cast::<S::f32s>().read_unaligned() });
    for (r, sums) in sums.iter_mut().enumerate() {
        // SAFETY: it is the caller's promise.
        let x = simd.splat_f32s(unsafe { *x.add(r) });
        for (sum, w) in sums.iter_mut().zip(vectors) {
            *sum = simd.mul_add_e_f32s(x, w, *sum);
        }
    }
}
