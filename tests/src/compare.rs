//! A comparator that reports where and by how much, and for which NaN is never equal.

use std::fmt;

/// How far `found` may be from `expected`: `|difference| ≤ relative · max|expected| + absolute`.
#[derive(Clone, Copy, Debug)]
pub struct Tolerance {
    /// Factor on the largest magnitude of the expected tensor.
    pub relative: f64,
    /// Added to it.
    pub absolute: f64,
}

impl Tolerance {
    /// For an `f32` executor against the goldens: 1e-4 of the tensor's largest magnitude + 1e-6.
    pub const GOLDEN: Self = Self { relative: 1e-4, absolute: 1e-6 };
}

/// Two tensors differ.
#[derive(Debug)]
pub struct Mismatch {
    what: String,
    differing: usize,
    total: usize,
    bound: f64,
    /// Index, expected, found.
    first: Vec<(usize, f64, f64)>,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, differing, total, bound, first } = self;
        write!(f, "{what}: {differing} of {total} values differ by more than {bound:e}")?;
        for (index, expected, found) in first {
            write!(f, "\n  [{index}] expected {expected:e}, found {found:e}")?;
        }
        Ok(())
    }
}

/// Compares two tensors element by element.
///
/// # Errors
/// If the lengths differ, or an element is off by more than `tolerance`, or either is NaN, or an
/// expected value is infinite.
pub fn compare<A, B>(
    what: &str,
    expected: &[A],
    found: &[B],
    tolerance: Tolerance,
) -> Result<(), Mismatch>
where
    A: Copy + Into<f64>,
    B: Copy + Into<f64>,
{
    let largest = expected.iter().map(|&x| x.into().abs()).fold(0.0, f64::max);
    let bound = tolerance.relative * largest + tolerance.absolute;
    let mut mismatch = Mismatch {
        what: what.to_owned(),
        differing: 0,
        total: expected.len(),
        bound,
        first: vec![],
    };
    if expected.len() != found.len() {
        mismatch.what =
            format!("{what}: {} values expected, {} found", expected.len(), found.len());
        mismatch.differing = expected.len().abs_diff(found.len());
        return Err(mismatch);
    }
    for (index, (&expected, &found)) in expected.iter().zip(found).enumerate() {
        let (expected, found) = (expected.into(), found.into());
        let close = expected.is_finite() && (expected - found).abs() <= bound;
        if !close {
            mismatch.differing += 1;
            if mismatch.first.len() < 8 {
                mismatch.first.push((index, expected, found));
            }
        }
    }
    if mismatch.differing == 0 { Ok(()) } else { Err(mismatch) }
}

/// [`compare`], and panics with the report.
///
/// # Panics
/// If the tensors differ.
#[track_caller]
pub fn assert_close<A, B>(what: &str, expected: &[A], found: &[B], tolerance: Tolerance)
where
    A: Copy + Into<f64>,
    B: Copy + Into<f64>,
{
    if let Err(mismatch) = compare(what, expected, found, tolerance) {
        panic!("{mismatch}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXACT: Tolerance = Tolerance { relative: 0.0, absolute: 0.0 };

    #[test]
    fn equal_tensors_pass() {
        compare("x", &[1.0, -2.0], &[1.0, -2.0], EXACT).unwrap();
        compare("x", &[1.0, -2.0], &[1.0, -2.0001], Tolerance::GOLDEN).unwrap();
    }

    #[test]
    fn a_difference_past_the_bound_fails_and_is_named() {
        let report = compare("x", &[1.0, 2.0], &[1.0, 2.1], Tolerance::GOLDEN).unwrap_err();
        assert_eq!((report.differing, report.first[0].0), (1, 1));
    }

    #[test]
    fn nan_is_never_equal() {
        let all = Tolerance { relative: f64::INFINITY, absolute: f64::INFINITY };
        for (expected, found) in [(f64::NAN, f64::NAN), (1.0, f64::NAN), (f64::NAN, 1.0)] {
            compare("x", &[expected], &[found], all).unwrap_err();
            compare("x", &[1.0, expected], &[1.0, found], Tolerance::GOLDEN).unwrap_err();
        }
    }

    #[test]
    fn infinities_and_other_lengths_fail() {
        compare("x", &[f64::INFINITY], &[f64::INFINITY], Tolerance::GOLDEN).unwrap_err();
        compare("x", &[1.0], &[f64::INFINITY], Tolerance::GOLDEN).unwrap_err();
        compare("x", &[1.0, 1.0], &[1.0], Tolerance::GOLDEN).unwrap_err();
        compare::<f64, f64>("x", &[], &[1.0], Tolerance::GOLDEN).unwrap_err();
    }
}
