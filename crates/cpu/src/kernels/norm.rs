//! LayerNorm and its derivative.

use super::some_rows::SomeRows;
use super::{dot, sum, vectorised};

/// `x` \[…,D\] → `out` \[…,D\] and `stats` \[…,2\] = (μ, 1/σ).
pub(crate) fn layer_norm(
    x: &[f32],
    affine: (&[f32], &[f32]),
    eps: f32,
    rows: &SomeRows,
    out: &mut [f32],
    stats: &mut [f32],
) {
    let d = affine.0.len();
    rows.each_of_two(out, stats, 4 * x.len(), |row, out, stats| {
        layer_norm_of(&x[row * d..][..d], affine, eps, out, stats);
    });
}

vectorised! {
    fn layer_norm_of<'a>(
        x: &'a [f32],
        affine: (&'a [f32], &'a [f32]),
        eps: f32,
        out: &'a mut [f32],
        stats: &'a mut [f32],
    ) {
        let (d, (gain, bias)) = (x.len() as f32, affine);
        let mean = sum(x) / d;
        for (out, x) in out.iter_mut().zip(x) {
            *out = x - mean;
        }
        let inv_sigma = 1.0 / (dot(out, out) / d + eps).sqrt();
        for ((out, gain), bias) in out.iter_mut().zip(gain).zip(bias) {
            *out = *out * inv_sigma * gain + bias;
        }
        stats.copy_from_slice(&[mean, inv_sigma]);
    }
}

/// What a LayerNorm had, and what it did: `x` \[…,D\], `stats` \[…,2\], `gain` \[D\].
#[derive(Clone, Copy)]
pub(crate) struct Normed<'a> {
    pub(crate) x: &'a [f32],
    pub(crate) stats: &'a [f32],
    pub(crate) gain: &'a [f32],
}

/// `dy`, `add` \[…,D\] → `dx` \[…,D\].
pub(crate) fn layer_norm_grad(
    dy: &[f32],
    Normed { x, stats, gain }: Normed<'_>,
    add: Option<&[f32]>,
    detach_scale: bool,
    rows: &SomeRows,
    dx: &mut [f32],
) {
    let d = gain.len();
    rows.each(dx, 4 * dy.len(), |row, dx| {
        let stats = &stats[2 * row..][..2];
        let normed = Normed { x: &x[row * d..][..d], stats, gain };
        let add = add.map(|add| &add[row * d..][..d]);
        layer_norm_grad_of(&dy[row * d..][..d], normed, add, detach_scale, dx);
    });
}

vectorised! {
    fn layer_norm_grad_of<'a>(
        dy: &'a [f32],
        normed: Normed<'a>,
        add: Option<&'a [f32]>,
        detach_scale: bool,
        dx: &'a mut [f32],
    ) {
        let Normed { x, stats, gain } = normed;
        let (d, mean, inv_sigma) = (x.len() as f32, stats[0], stats[1]);
        // g = dy · gain, kept in dx
        for ((dx, dy), gain) in dx.iter_mut().zip(dy).zip(gain) {
            *dx = dy * gain;
        }
        let g_mean = sum(dx) / d;
        // mean(g · x̂) · x̂ = (mean(g · (x − μ)) / σ²) · (x − μ)
        let along = if detach_scale {
            0.0
        } else {
            (dot(dx, x) / d - g_mean * mean) * inv_sigma * inv_sigma
        };
        for (dx, x) in dx.iter_mut().zip(x) {
            *dx = (*dx - g_mean - (x - mean) * along) * inv_sigma;
        }
        if let Some(add) = add {
            for (dx, add) in dx.iter_mut().zip(add) {
                *dx += add;
            }
        }
    }
}
