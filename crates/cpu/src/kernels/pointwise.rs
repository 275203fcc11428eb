//! Sums and products, element by element.

use super::vectorised;

/// `out` = `a` + `b`.
pub(crate) fn add(a: &[f32], b: &[f32], out: &mut [f32]) {
    vectorised(|| {
        for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
            *out = a + b;
        }
    });
}

/// `out` = `scale` · `a` · `b`.
pub(crate) fn mul(a: &[f32], b: &[f32], scale: f32, out: &mut [f32]) {
    vectorised(|| {
        for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
            *out = scale * a * b;
        }
    });
}
