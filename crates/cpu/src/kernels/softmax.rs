//! The softmax and its derivative.

use std::f32::consts::LOG2_E;

use super::some_rows::SomeRows;
use super::{dot, reduced, sum, vectorised};

vectorised! {
    /// Each value becomes its share: exp(x) / Σ exp(x).
    pub(super) fn softmax<'a>(values: &'a mut [f32]) {
        shares(values);
    }
}

/// The same, for what is vectorised itself.
#[inline(always)]
pub(super) fn shares(values: &mut [f32]) {
    let max = reduced(values, f32::NEG_INFINITY, |a, b| if a > b { a } else { b });
    for value in &mut *values {
        *value = exp(*value - max);
    }
    let share = 1.0 / sum(values);
    for value in values {
        *value *= share;
    }
}

/// `dy`, `y` \[…,C\] → `out` \[…,C\].
pub(crate) fn softmax_grad(dy: &[f32], y: &[f32], cols: usize, rows: &SomeRows, out: &mut [f32]) {
    rows.each(out, 4 * dy.len(), |row, out| {
        softmax_grad_of(&dy[row * cols..][..cols], &y[row * cols..][..cols], out);
    });
}

vectorised! {
    fn softmax_grad_of<'a>(dy: &'a [f32], y: &'a [f32], out: &'a mut [f32]) {
        let mean = dot(dy, y);
        for ((out, dy), y) in out.iter_mut().zip(dy).zip(y) {
            *out = y * (dy - mean);
        }
    }
}

/// ln 2 in two parts, of which the first has few digits, so that a whole multiple of it is exact.
const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
/// Added to a small number, it leaves the nearest whole one in the lowest digits, above the exponent of 1.
const WHOLE: f32 = 12_582_912.0 + 127.0;

/// eˣ of what is not above 0, without branches, so that a loop of it is vectorised.
///
/// eˣ = 2ⁿ · eʳ, with |r| ≤ ½ ln 2, of which the polynomial is that of the Cephes library's `expf`. The test holds it to
/// two units in the last place. What would be no normal number is 0.
#[inline(always)]
fn exp(x: f32) -> f32 {
    let shifted = x * LOG2_E + WHOLE;
    let n = shifted - WHOLE;
    let r = (x - n * LN_2[0]) - n * LN_2[1];
    let mut p = 1.987_569_1e-4_f32;
    for c in [1.398_2e-3, 8.333_452e-3, 4.166_579_6e-2, 0.166_666_65, 0.5] {
        p = p * r + c;
    }
    let power = f32::from_bits(shifted.to_bits() << 23);
    let y = (p * r * r + r + 1.0) * power;
    if x < -87.0 { 0.0 } else { y }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_within_two_ulp_and_zero_where_it_would_be_no_normal_number() {
        for i in 0..=870_000 {
            let x = -(i as f32) * 1e-4;
            let exact = f64::from(x).exp();
            let error = (f64::from(exp(x)) - exact).abs();
            assert!(error <= 2.0 * f64::from(f32::EPSILON) * exact, "{x}: {error:e} of {exact:e}");
        }
        assert_eq!(
            [exp(0.0), exp(-88.0), exp(-1e30), exp(f32::NEG_INFINITY)],
            [1.0, 0.0, 0.0, 0.0]
        );
        assert!(exp(f32::NAN).is_nan());
    }

    #[test]
    fn shares_of_any_number_of_values_add_up_to_one() {
        for many in 1..40 {
            let mut values: Vec<f32> = (0..many).map(|i| (i * 37 % 40) as f32 - 300.0).collect();
            let largest = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let all: f32 = values.iter().map(|value| (value - largest).exp()).sum();
            let expected: Vec<f32> = values.iter().map(|v| (v - largest).exp() / all).collect();
            softmax(&mut values);
            for (value, expected) in values.iter().zip(&expected) {
                assert!((value - expected).abs() <= 1e-6 * expected, "{value} {expected}");
            }
        }
        let mut broken = [1.0, f32::NAN, 0.0];
        softmax(&mut broken);
        assert!(broken.iter().all(|value| value.is_nan()));
    }
}
