//! Each of the products against sums in `f64`, with extents that are no multiple of anything.

use half::f16;

use super::*;

const EXTENTS: [(usize, usize, usize); 8] = [
    (1, 1, 1),
    (3, 70, 65),
    (6, 2051, 7),
    (7, 96, 64),
    (15, 37, 50),
    (17, 1030, 200),
    (33, 130, 100),
    (64, 128, 131),
];

/// Numbers without a pattern, which halves hold exactly.
fn number(seed: usize) -> f32 {
    let mixed = (seed as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mixed = (mixed ^ (mixed >> 31)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    ((mixed >> 54) as f32 - 512.0) / 512.0
}

/// Both storages of `values`, by turns.
fn stored(values: &[f32], halves: &[f16], check: impl Fn(Matrix<'_>)) {
    check(Matrix::F32(values));
    check(Matrix::F16(halves));
}

fn assert_close(found: &[f32], expected: impl Fn(usize) -> f64, inner: usize, what: &str) {
    for (at, found) in found.iter().enumerate() {
        let (expected, found) = (expected(at), f64::from(*found));
        let close = (expected - found).abs() < 1e-5 * (inner as f64).sqrt();
        assert!(close, "{what}: value {at} should be {expected} and is {found}");
    }
}

#[test]
fn plain_is_the_sum_of_the_products() {
    for (rows, inner, cols) in EXTENTS {
        let stride = cols + 3;
        let x: Vec<f32> = (0..rows * inner).map(number).collect();
        let w: Vec<f32> = (0..inner * stride).map(|at| number(at + 13)).collect();
        let halves: Vec<f16> = w.iter().map(|w| f16::from_f32(*w)).collect();
        for accumulate in [false, true] {
            let expected = |at: usize| {
                let (row, col) = (at / cols, at % cols);
                let product =
                    |i: usize| f64::from(x[row * inner + i]) * f64::from(w[i * stride + col]);
                (0..inner).map(product).sum::<f64>() + if accumulate { 0.25 } else { 0.0 }
            };
            stored(&w, &halves, |values| {
                let mut out = vec![0.25; rows * cols];
                plain(&x, Rows { values, cols, stride }, &mut out, accumulate);
                assert_close(&out, expected, inner, &format!("{rows} {inner} {cols}"));
            });
        }
    }
}

#[test]
fn transposed_is_the_sum_of_the_products() {
    for (rows, cols, i) in EXTENTS {
        let stride = cols + 3;
        let x: Vec<f32> = (0..rows * cols).map(number).collect();
        let w: Vec<f32> = (0..i * stride).map(|at| number(at + 13)).collect();
        let halves: Vec<f16> = w.iter().map(|w| f16::from_f32(*w)).collect();
        for accumulate in [false, true] {
            let expected = |at: usize| {
                let (row, at) = (at / i, at % i);
                let product =
                    |c: usize| f64::from(x[row * cols + c]) * f64::from(w[at * stride + c]);
                (0..cols).map(product).sum::<f64>() + if accumulate { 0.25 } else { 0.0 }
            };
            stored(&w, &halves, |values| {
                let mut out = vec![0.25; rows * i];
                transposed(&x, Rows { values, cols, stride }, i, &mut out, accumulate);
                assert_close(&out, expected, cols, &format!("{rows} {cols} {i}"));
            });
        }
    }
}

/// With `gemm` beyond some rows this need not hold; among few it does, to the bit.
#[test]
fn a_row_is_the_same_whichever_rows_are_computed_with_it() {
    let (rows, inner, cols) = (40, 300, 70);
    let x: Vec<f32> = (0..rows * inner).map(number).collect();
    let w: Vec<f32> = (0..inner * cols).map(|at| number(at + 13)).collect();
    let w_rows = |cols| Rows { values: Matrix::F32(&w), cols, stride: cols };
    let last = rows - 1;
    let (mut all, mut some) = (vec![0.0; rows * cols], vec![0.0; 6 * cols]);
    plain(&x, w_rows(cols), &mut all, false);
    plain(&x[(last - 5) * inner..], w_rows(cols), &mut some, false);
    assert_eq!(all[last * cols..], some[5 * cols..]);
    transposed(&x, w_rows(inner), cols, &mut all, false);
    transposed(&x[(last - 5) * inner..], w_rows(inner), cols, &mut some, false);
    assert_eq!(all[last * cols..], some[5 * cols..]);
}
