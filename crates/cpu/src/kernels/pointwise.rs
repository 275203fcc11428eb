//! Sums and products, element by element.

use super::vectorised;

vectorised! {
    /// `out` = `a` + `b`.
    pub(crate) fn add<'a>(a: &'a [f32], b: &'a [f32], out: &'a mut [f32]) {
        for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
            *out = a + b;
        }
    }
}

vectorised! {
    /// `out` = `scale` · `a` · `b`.
    pub(crate) fn mul<'a>(a: &'a [f32], b: &'a [f32], scale: f32, out: &'a mut [f32]) {
        for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
            *out = scale * a * b;
        }
    }
}
