//! Halves as `f32`, without a branch, so that a loop of it is vectorised wherever there are vectors.

use half::f16;
use half::slice::HalfFloatSliceExt as _;

/// `out` = `values`, exactly.
#[inline(always)]
pub(crate) fn widen(values: &[f16], out: &mut [f32]) {
    for (out, bits) in out.iter_mut().zip(values.reinterpret_cast()) {
        *out = widened(*bits);
    }
}

#[inline(always)]
fn widened(bits: u16) -> f32 {
    let bits = u32::from(bits);
    let magnitude = bits & 0x7fff;
    // The exponents differ by 112, which a product with 2¹¹² makes good, also of numbers without a leading one.
    let finite = (f32::from_bits(magnitude << 13) * f32::from_bits((112 + 127) << 23)).to_bits();
    let endless = if magnitude >= 0x7c00 { 0x7f80_0000 } else { 0 };
    f32::from_bits((bits & 0x8000) << 16 | finite | endless)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_half_is_what_it_was() {
        let all: Vec<f16> = (0..=u16::MAX).map(f16::from_bits).collect();
        let mut found = vec![0.0; all.len()];
        widen(&all, &mut found);
        for (half, found) in all.iter().zip(found) {
            let expected = half.to_f32();
            let same = expected.to_bits() == found.to_bits();
            assert!(same || expected.is_nan() && found.is_nan(), "{half:?} became {found}");
        }
    }
}
