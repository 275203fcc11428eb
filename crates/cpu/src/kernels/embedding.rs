//! Token and position embeddings.

use crate::weights::Matrix;

/// `ids` \[B,T\], `tokens` \[V,D\], `positions` \[P,D\] → `out` \[B,T,D\].
pub(crate) fn embed(ids: &[u32], tokens: Matrix<'_>, positions: &[f32], t: usize, out: &mut [f32]) {
    let mut scratch = Vec::new();
    let d = out.len() / ids.len();
    for ((row, &id), out) in ids.iter().enumerate().zip(out.chunks_mut(d)) {
        let token = tokens.get(id as usize * d, d, &mut scratch).unwrap_or_default();
        let position = &positions[row % t * d..][..d];
        for ((out, token), position) in out.iter_mut().zip(token).zip(position) {
            *out = token + position;
        }
    }
}
