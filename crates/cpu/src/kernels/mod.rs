//! One function an op, named like it. Operands may be longer than the result; what lies past its
//! rows is not read.

pub(crate) mod activation;
pub(crate) mod attention;
pub(crate) mod embedding;
pub(crate) mod gather;
pub(crate) mod halves;
#[cfg(not(target_arch = "wasm32"))]
mod many_rows;
pub(crate) mod matmul;
pub(crate) mod metric;
pub(crate) mod norm;
pub(crate) mod patching;
pub(crate) mod pointwise;
pub(crate) mod qk_fix;
pub(crate) mod softmax;
pub(crate) mod some_rows;
mod tiles;
mod weighted;

pub(crate) use tiles::PANEL;

use crate::vectors::vectorised;

/// Σ a·b in eight running sums, which the compiler keeps in vector registers.
#[inline(always)]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a_chunks, a_rest) = a.as_chunks::<8>();
    let (b_chunks, b_rest) = b.as_chunks::<8>();
    let mut sums = [0.0_f32; 8];
    for (a, b) in a_chunks.iter().zip(b_chunks) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    let [a, b, c, d, e, f, g, h] = sums;
    ((a + e) + (b + f)) + ((c + g) + (d + h)) + rest
}

/// All values as one, which `both` makes of two, in eight running ones.
#[inline(always)]
fn reduced(x: &[f32], of_none: f32, both: impl Fn(f32, f32) -> f32) -> f32 {
    let (chunks, rest) = x.as_chunks::<8>();
    let mut all = [of_none; 8];
    for chunk in chunks {
        for (all, x) in all.iter_mut().zip(chunk) {
            *all = both(*all, *x);
        }
    }
    let [a, b, c, d, e, f, g, h] = all;
    let all = both(both(both(a, e), both(b, f)), both(both(c, g), both(d, h)));
    rest.iter().fold(all, |all, x| both(all, *x))
}

/// Σ x.
#[inline(always)]
fn sum(x: &[f32]) -> f32 {
    reduced(x, 0.0, |a, b| a + b)
}

/// `out += scale · x`.
#[inline(always)]
fn add_scaled(out: &mut [f32], scale: f32, x: &[f32]) {
    for (out, x) in out.iter_mut().zip(x) {
        *out += scale * x;
    }
}
