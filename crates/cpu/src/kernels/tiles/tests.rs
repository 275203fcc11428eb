//! Each of the products, `gemm`'s too, against sums in `f64`, with extents that are no multiple of anything.

use half::f16;
use relp_tape::{Piece, Storage};

use super::super::many_rows;
use super::*;
use crate::Cpu;

/// `out` = x·w, or added to it.
type Product = fn(&[f32], Panels<'_>, &mut [f32], bool);

const EXTENTS: [(usize, usize, usize); 9] = [
    (1, 1, 1),
    (3, 70, 65),
    (6, 2051, 7),
    (7, 96, 64),
    (15, 37, 50),
    (17, 1030, 200),
    (33, 130, 100),
    (64, 128, 131),
    (130, 70, 300),
];

/// Numbers without a pattern, which halves hold exactly.
fn number(seed: usize) -> f32 {
    let mixed = (seed as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mixed = (mixed ^ (mixed >> 31)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    ((mixed >> 54) as f32 - 512.0) / 512.0
}

/// A matrix \[rows,`cols`\] in both storages, row by row and in panels.
fn kept(values: &[f32], cols: usize, check: impl Fn(Panels<'_>, &str)) {
    let mut cpu = Cpu::new();
    let halves: Vec<u16> = values.iter().map(|value| f16::from_f32(*value).to_bits()).collect();
    for (storage, piece) in
        [(Storage::F32, Piece::F32(values)), (Storage::F16, Piece::F16(&halves))]
    {
        for width in [None, Some(1), Some(12), Some(64)] {
            cpu.reserve_weight("w", values.len(), storage);
            cpu.write_weight("w", 0, piece).unwrap();
            let weight = cpu.weight("w").unwrap();
            if let Some(width) = width {
                weight.put_into_panels(cols, width);
            }
            check(weight.as_panels(cols), &format!("{storage:?}, panels {width:?}"));
        }
    }
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
        let x: Vec<f32> = (0..rows * inner).map(number).collect();
        let w: Vec<f32> = (0..inner * cols).map(|at| number(at + 13)).collect();
        for accumulate in [false, true] {
            let expected = |at: usize| {
                let (row, col) = (at / cols, at % cols);
                let product =
                    |i: usize| f64::from(x[row * inner + i]) * f64::from(w[i * cols + col]);
                (0..inner).map(product).sum::<f64>() + if accumulate { 0.25 } else { 0.0 }
            };
            kept(&w, cols, |w, how| {
                for (product, by) in [(plain as Product, "tiles"), (many_rows::plain, "gemm")] {
                    let mut out = vec![0.25; rows * cols];
                    product(&x, w, &mut out, accumulate);
                    let what = format!("{rows} {inner} {cols}, {how}, {by}");
                    assert_close(&out, expected, inner, &what);
                }
            });
        }
    }
}

#[test]
fn transposed_is_the_sum_of_the_products() {
    for (rows, cols, i) in EXTENTS {
        // A window that begins in the midst of a panel.
        let (of, first_col) = (cols + 17, 14);
        let x: Vec<f32> = (0..rows * cols).map(number).collect();
        let w: Vec<f32> = (0..i * of).map(|at| number(at + 13)).collect();
        for accumulate in [false, true] {
            let expected = |at: usize| {
                let (row, at) = (at / i, at % i);
                let product =
                    |c: usize| f64::from(x[row * cols + c]) * f64::from(w[at * of + first_col + c]);
                (0..cols).map(product).sum::<f64>() + if accumulate { 0.25 } else { 0.0 }
            };
            kept(&w, of, |w, how| {
                let mut out = vec![0.25; rows * i];
                transposed(&x, w, Window { first_col, cols }, &mut out, accumulate);
                assert_close(&out, expected, cols, &format!("{rows} {cols} {i}, {how}"));
            });
        }
    }
}

/// With `gemm` beyond some rows this need not hold; here it does, to the bit.
#[test]
fn a_row_is_the_same_whichever_rows_are_computed_with_it() {
    let (rows, inner, cols) = (ROWS_TRANSPOSED + 7, 300, 70);
    let x: Vec<f32> = (0..rows * inner).map(number).collect();
    let w: Vec<f32> = (0..inner * cols).map(|at| number(at + 13)).collect();
    let last = rows - 1;
    let last_rows = &x[(last - 5) * inner..];
    let (all, some) = (vec![0.0; rows * cols], vec![0.0; 6 * cols]);
    kept(&w, cols, |w, how| {
        let (mut all, mut some) = (all.clone(), some.clone());
        plain(&x, w, &mut all, false);
        plain(last_rows, w, &mut some, false);
        assert_eq!(all[last * cols..], some[5 * cols..], "{how}");
    });
    kept(&w, inner, |w, how| {
        let (mut all, mut some) = (all.clone(), some.clone());
        let window = Window { first_col: 0, cols: inner };
        transposed(&x, w, window, &mut all, false);
        transposed(last_rows, w, window, &mut some, false);
        assert_eq!(all[last * cols..], some[5 * cols..], "{how}");
    });
}

#[test]
fn panels_are_undone() {
    let values: Vec<f32> = (0..7 * 30).map(number).collect();
    let mut cpu = Cpu::new();
    cpu.set_weight("w", &values);
    let weight = cpu.weight("w").unwrap();
    for width in [12, 1, 30, 64] {
        weight.put_into_panels(30, width);
        assert_eq!(weight.len(), values.len());
        weight.put_into_rows();
        assert_eq!(weight.as_values(), values, "of {width}");
    }
    weight.put_into_panels(30, 12);
    cpu.write_weight("w", 31, Piece::F32(&[5.0])).unwrap();
    let weight = cpu.weight("w").unwrap();
    assert_eq!(weight.as_values()[30..33], [values[30], 5.0, values[32]]);
}
