//! `gelu_new` and its slopes.

use relp_tape::Slope;

use super::some_rows::SomeRows;
use super::vectorised;

/// Multiply-adds that one value costs, about.
const COST: usize = 24;

/// `x` \[…,C\] → `out` \[…,C\] = `gelu_new(x)`.
pub(crate) fn gelu(x: &[f32], cols: usize, rows: &SomeRows, out: &mut [f32]) {
    rows.each(out, COST * x.len(), |row, out| gelu_of(&x[row * cols..], out));
}

vectorised! {
    fn gelu_of<'a>(x: &'a [f32], out: &'a mut [f32]) {
        for (out, &x) in out.iter_mut().zip(x) {
            *out = x * ratio(x);
        }
    }
}

/// `dy`, `x` \[…,C\] → `dx` \[…,C\] = `dy` · slope of `gelu_new` at `x`.
pub(crate) fn gelu_grad(
    dy: &[f32],
    x: &[f32],
    (cols, slope): (usize, Slope),
    rows: &SomeRows,
    dx: &mut [f32],
) {
    rows.each(dx, COST * dy.len(), |row, dx| {
        gelu_grad_of(&dy[row * cols..], &x[row * cols..], slope, dx);
    });
}

vectorised! {
    fn gelu_grad_of<'a>(dy: &'a [f32], x: &'a [f32], slope: Slope, dx: &'a mut [f32]) {
        let values = dx.iter_mut().zip(dy.iter().zip(x));
        match slope {
            Slope::Derivative => values.for_each(|(dx, (dy, &x))| *dx = dy * derivative(x)),
            Slope::Ratio => values.for_each(|(dx, (dy, &x))| *dx = dy * ratio(x)),
        }
    }
}

/// √(2/π)
const SCALE: f32 = 0.797_884_6;
const CUBIC: f32 = 0.044_715;

/// gelu(x) / x = ½(1 + tanh(√(2/π)(x + 0.044715 x³))).
#[inline(always)]
fn ratio(x: f32) -> f32 {
    0.5 * (1.0 + tanh(SCALE * (x + CUBIC * x * x * x)))
}

#[inline(always)]
fn derivative(x: f32) -> f32 {
    let tanh = tanh(SCALE * (x + CUBIC * x * x * x));
    0.5 * (1.0 + tanh) + 0.5 * x * (1.0 - tanh * tanh) * SCALE * (1.0 + 3.0 * CUBIC * x * x)
}

/// tanh as an odd rational function, without branches, so that a loop of it is vectorised.
///
/// The [13/6] quotient that is common in numerical libraries; the test holds it to four units in
/// the last place of 1 over the whole range.
#[inline(always)]
fn tanh(x: f32) -> f32 {
    // Beyond this the result rounds to ±1.
    let x = x.clamp(-7.905_311, 7.905_311);
    let x2 = x * x;
    let mut p = -2.760_768_5e-16_f32;
    for c in [
        2.000_188e-13,
        -8.604_672e-11,
        5.122_297_1e-8,
        1.485_722_4e-5,
        6.372_619_3e-4,
        4.893_525e-3,
    ] {
        p = p * x2 + c;
    }
    let mut q = 1.198_258_4e-6_f32;
    for c in [1.185_347_1e-4, 2.268_434_6e-3, 4.893_525e-3] {
        q = q * x2 + c;
    }
    x * p / q
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tanh_is_within_four_ulp_of_one_and_odd() {
        for i in 0..=400_000 {
            let x = i as f32 * 5e-5;
            let exact = f64::from(x).tanh();
            let error = (f64::from(tanh(x)) - exact).abs();
            assert!(error <= 4.0 * f64::from(f32::EPSILON) * exact.max(1e-30), "{x}: {error:e}");
            assert_eq!(tanh(-x), -tanh(x));
        }
        assert_eq!(tanh(0.0), 0.0);
        assert_eq!((tanh(1e30), tanh(f32::INFINITY)), (1.0, 1.0));
        assert!(tanh(f32::NAN).is_nan());
    }

    #[test]
    fn the_ratio_is_one_half_at_zero_and_bounded() {
        assert_eq!(ratio(0.0), 0.5);
        assert_eq!((ratio(1e4), ratio(-1e4)), (1.0, 0.0));
        assert_eq!((derivative(1e4), derivative(-1e4)), (1.0, 0.0));
    }
}
