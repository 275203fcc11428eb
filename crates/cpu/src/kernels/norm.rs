//! LayerNorm and its derivative.

use super::{dot, vectorised};

/// `x` \[R,D\] → `out` \[R,D\] and `stats` \[R,2\] = (μ, 1/σ).
pub(crate) fn layer_norm(
    x: &[f32],
    gain: &[f32],
    bias: &[f32],
    eps: f32,
    out: &mut [f32],
    stats: &mut [f32],
) {
    let d = gain.len();
    vectorised(|| {
        let rows = x.chunks(d).zip(out.chunks_mut(d)).zip(stats.as_chunks_mut().0);
        for ((x, out), stats) in rows {
            let mean = sum(x) / d as f32;
            for (out, x) in out.iter_mut().zip(x) {
                *out = x - mean;
            }
            let inv_sigma = 1.0 / (dot(out, out) / d as f32 + eps).sqrt();
            for ((out, gain), bias) in out.iter_mut().zip(gain).zip(bias) {
                *out = *out * inv_sigma * gain + bias;
            }
            *stats = [mean, inv_sigma];
        }
    });
}

/// `dy`, `x`, `add` \[R,D\], `stats` \[R,2\] → `dx` \[R,D\].
pub(crate) fn layer_norm_grad(
    dy: &[f32],
    x: &[f32],
    stats: &[f32],
    gain: &[f32],
    add: Option<&[f32]>,
    detach_scale: bool,
    dx: &mut [f32],
) {
    let d = gain.len();
    vectorised(|| {
        let rows = dx.chunks_mut(d).zip(dy.chunks(d)).zip(x.chunks(d)).zip(stats.as_chunks().0);
        for (row, (((dx, dy), x), &[mean, inv_sigma])) in rows.enumerate() {
            // g = dy · gain, kept in dx
            for ((dx, dy), gain) in dx.iter_mut().zip(dy).zip(gain) {
                *dx = dy * gain;
            }
            let g_mean = sum(dx) / d as f32;
            // mean(g · x̂) · x̂ = (mean(g · (x − μ)) / σ²) · (x − μ)
            let along = if detach_scale {
                0.0
            } else {
                (dot(dx, x) / d as f32 - g_mean * mean) * inv_sigma * inv_sigma
            };
            for (dx, x) in dx.iter_mut().zip(x) {
                *dx = (*dx - g_mean - (x - mean) * along) * inv_sigma;
            }
            if let Some(add) = add {
                for (dx, add) in dx.iter_mut().zip(&add[row * d..]) {
                    *dx += add;
                }
            }
        }
    });
}

/// Σ x in eight running sums.
#[inline(always)]
fn sum(x: &[f32]) -> f32 {
    let (chunks, rest) = x.as_chunks::<8>();
    let mut sums = [0.0_f32; 8];
    for chunk in chunks {
        for (sum, x) in sums.iter_mut().zip(chunk) {
            *sum += x;
        }
    }
    let [a, b, c, d, e, f, g, h] = sums;
    ((a + e) + (b + f)) + ((c + g) + (d + h)) + rest.iter().sum::<f32>()
}
