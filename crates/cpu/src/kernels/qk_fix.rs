//! What replaced queries and keys do through the softmax.

use super::attention::Heads;
use super::dot;
use crate::parallel;

/// Some of the keys of a query: Σ exp(score − max) and Σ exp(score − max) · dp, and that max.
#[derive(Clone, Copy)]
struct Keys {
    max: f32,
    weights: f32,
    weighted: f32,
}

impl Keys {
    const NONE: Self = Self { max: f32::NEG_INFINITY, weights: 0.0, weighted: 0.0 };

    fn one(score: f32, dp: f32) -> Self {
        Self { max: score, weights: 1.0, weighted: dp }
    }

    fn and(self, other: Self) -> Self {
        let max = self.max.max(other.max);
        let part = |keys: Self| {
            // Of no keys, there is nothing to scale.
            let scale = if keys.weights == 0.0 { 0.0 } else { (keys.max - max).exp() };
            (scale * keys.weights, scale * keys.weighted)
        };
        let ((a, a_weighted), (b, b_weighted)) = (part(self), part(other));
        Self { max, weights: a + b, weighted: a_weighted + b_weighted }
    }

    /// Σ p · dp, where p is the softmax over these keys.
    fn mean(self) -> f32 {
        self.weighted / self.weights
    }
}

/// `qkv` \[2B,T,3D\], `dp` \[B,H,T,T\] → `out` \[B,T,2H\], of queries and of keys.
pub(crate) fn qk_fix(qkv: &[f32], dp: &[f32], heads: Heads, out: &mut [f32]) {
    let (h, t) = (heads.h, heads.t);
    let rows = out.len() / (2 * h);
    // First [B,H,2,T], so that a head is one piece of work.
    let mut by_head = vec![0.0; out.len()];
    parallel::chunks(&mut by_head, 2 * t, out.len() * t * heads.e() / 2, |n, out| {
        let (b, h) = (n / h, n % h);
        one_head(qkv, dp, heads, (b * t, b * t + rows, h), out);
    });
    for (row, out) in out.chunks_mut(2 * h).enumerate() {
        let (b, t_of_row) = (row / t, row % t);
        for (i, out) in out.iter_mut().enumerate() {
            let (part, head) = (i / h, i % h);
            *out = by_head[((b * h + head) * 2 + part) * t + t_of_row];
        }
    }
}

/// `first` rows of base and source, and the head; `out` \[2,T\].
fn one_head(
    qkv: &[f32],
    dp: &[f32],
    heads: Heads,
    (base, source, h): (usize, usize, usize),
    out: &mut [f32],
) {
    let part = |part: usize, row: usize| heads.of(qkv, 3, part, row, h);
    let score = |q: usize, k: usize| dot(part(0, q), part(1, k)) * heads.scale();
    let (of_queries, of_keys) = out.split_at_mut(heads.t);
    of_keys.fill(0.0);
    let mut keys = Vec::with_capacity(heads.t);
    let mut after = Vec::with_capacity(heads.t);
    for t in 0..heads.t {
        let dp = heads.pattern_row(dp, base + t, h);
        let row = |query: usize| (0..=t).map(move |s| Keys::one(score(query, base + s), dp[s]));
        keys.clear();
        keys.extend(row(base + t));
        let now = keys.iter().fold(Keys::NONE, |all, &key| all.and(key)).mean();
        of_queries[t] = row(source + t).fold(Keys::NONE, Keys::and).mean() - now;
        // The keys after each, from the last on.
        after.clear();
        after.push(Keys::NONE);
        for &key in keys.iter().skip(1).rev() {
            after.push(after[after.len() - 1].and(key));
        }
        let mut before = Keys::NONE;
        for (s, &key) in keys.iter().enumerate() {
            let moved = Keys::one(score(base + t, source + s), dp[s]);
            of_keys[s] += before.and(after[t - s]).and(moved).mean() - now;
            before = before.and(key);
        }
    }
}
