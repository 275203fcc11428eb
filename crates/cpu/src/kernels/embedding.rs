//! Token and position embeddings.

/// `ids` \[B,T\], `tokens` \[V,D\], `positions` \[P,D\] → `out` \[B,T,D\].
pub(crate) fn embed(ids: &[u32], tokens: &[f32], positions: &[f32], t: usize, out: &mut [f32]) {
    let d = out.len() / ids.len();
    for ((row, &id), out) in ids.iter().enumerate().zip(out.chunks_mut(d)) {
        let token = &tokens[id as usize * d..][..d];
        let position = &positions[row % t * d..][..d];
        for ((out, token), position) in out.iter_mut().zip(token).zip(position) {
            *out = token + position;
        }
    }
}
