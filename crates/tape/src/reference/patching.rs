//! The ops that compare a base run with its source run, and that put parts of one into the other.

use std::ops::Range;

use super::{Heads, dot, plus, softmax};

/// `window`: the first column of `act`, the columns of `grad`, and those of `act`.
pub(super) fn delta_dot(
    act: &[f64],
    grad: &[f64],
    (first_col, cols, act_cols): (usize, usize, usize),
    groups: usize,
) -> Vec<f64> {
    let (base, source) = act.split_at(act.len() / 2);
    let rows = base.len() / act_cols;
    let mut out = Vec::with_capacity(grad.len() / cols * groups);
    for (r, grad) in grad.chunks(cols).enumerate() {
        let at = r % rows * act_cols + first_col;
        let delta: Vec<f64> = (at..at + cols).map(|i| source[i] - base[i]).collect();
        let width = cols / groups;
        out.extend(
            delta.chunks(width).zip(grad.chunks(width)).map(|(delta, grad)| dot(delta, grad)),
        );
    }
    out
}

pub(super) fn interpolate(x: &[f64], moving: Range<usize>, cols: usize, len: usize) -> Vec<f64> {
    let (base, source) = x.split_at(x.len() / 2);
    let steps = len / base.len();
    let at = |k: usize| {
        let part = (k + 1) as f64 / steps as f64;
        let moving = moving.clone();
        base.iter().zip(source).enumerate().map(move |(i, (base, source))| {
            if moving.contains(&(i % cols)) { base + part * (source - base) } else { *base }
        })
    };
    (0..steps).flat_map(at).collect()
}

/// Row `row` of `x`, or zeros where that is past its end.
fn row_or_zeros(x: &[f64], row: u32, cols: usize) -> Vec<f64> {
    x.chunks(cols).nth(row as usize).map_or_else(|| vec![0.0; cols], <[f64]>::to_vec)
}

pub(super) fn add_rows(
    (a, a_rows): (&[f64], &[u32]),
    (b, b_rows): (&[f64], &[u32]),
    cols: usize,
) -> Vec<f64> {
    let row = |(&i, &j)| plus(row_or_zeros(a, i, cols), Some(&row_or_zeros(b, j, cols)));
    a_rows.iter().zip(b_rows).flat_map(row).collect()
}

pub(super) fn splice(
    x: &[f64],
    rows: &[u32],
    blocks: &[u32],
    width: usize,
    cols: usize,
) -> Vec<f64> {
    let mut out = Vec::with_capacity(blocks.len() * cols);
    for (rows, &block) in rows.chunks(2).zip(blocks) {
        let mut row = row_or_zeros(x, rows[0], cols);
        let block = block as usize * width..(block as usize + 1) * width;
        row[block.clone()].copy_from_slice(&row_or_zeros(x, rows[1], cols)[block]);
        out.extend(row);
    }
    out
}

pub(super) fn attention_rows(
    qkv: &[f64],
    queries: &[u32],
    keys: &[u32],
    heads: usize,
    d: usize,
) -> Vec<f64> {
    let (e, rows) = (d / heads, qkv.len() / (3 * d));
    let part = |row: u32, part: usize, h: usize| &qkv[(row as usize * 3 + part) * d + h * e..][..e];
    let mut out = Vec::with_capacity(queries.len() * d);
    for (&query, keys) in queries.iter().zip(keys.chunks(keys.len() / queries.len())) {
        let seen: Vec<u32> = keys.iter().copied().filter(|&key| (key as usize) < rows).collect();
        for h in 0..heads {
            let score = |&key: &u32| dot(part(query, 0, h), part(key, 1, h)) / (e as f64).sqrt();
            let scores: Vec<f64> = seen.iter().map(score).collect();
            let mut z = vec![0.0; e];
            for (weight, &key) in softmax(&scores).into_iter().zip(&seen) {
                z.iter_mut().zip(part(key, 2, h)).for_each(|(z, v)| *z += weight * v);
            }
            out.extend(z);
        }
    }
    out
}

pub(super) fn append_means(x: &[f64], rows: &[u32], per_mean: usize, cols: usize) -> Vec<f64> {
    let mut out = x.to_vec();
    for rows in rows.chunks(per_mean) {
        let mut mean = vec![0.0; cols];
        for &row in rows {
            mean = plus(mean, Some(&x[row as usize * cols..][..cols]));
        }
        out.extend(mean.into_iter().map(|sum| sum / per_mean as f64));
    }
    out
}

/// `heads` are of the base runs alone.
pub(super) fn qk_fix(qkv: &[f64], dp: &[f64], heads: Heads) -> Vec<f64> {
    let mut out = vec![0.0; heads.b * heads.t * 2 * heads.h];
    for (b, h) in heads.each() {
        let q = |b: usize, t: usize| &qkv[heads.row(3, b, h, t, 0)];
        let k = |b: usize, s: usize| &qkv[heads.row(3, b, h, s, 1)];
        let source = b + heads.b;
        for t in 0..heads.t {
            let dp = &dp[heads.pattern_row(b, h, t)][..=t];
            let scores = |query: &[f64]| -> Vec<f64> {
                (0..=t).map(|s| dot(query, k(b, s)) * heads.scale()).collect()
            };
            let now = softmax(&scores(q(b, t)));
            let effect = |scores: &[f64]| -> f64 {
                let moved = softmax(scores);
                moved.iter().zip(&now).zip(dp).map(|((moved, p), dp)| (moved - p) * dp).sum()
            };
            out[(b * heads.t + t) * 2 * heads.h + h] = effect(&scores(q(source, t)));
            for s in 0..=t {
                let mut moved = scores(q(b, t));
                moved[s] = dot(q(b, t), k(source, s)) * heads.scale();
                out[(b * heads.t + s) * 2 * heads.h + heads.h + h] += effect(&moved);
            }
        }
    }
    out
}
