// Writes the row of the pattern that a query `attend`s with. An invocation takes every 64th s.
fn keep_pattern(local: u32, query: Query, softmax: vec2<f32>, row: u32) {
    for (var first = 0u; first < query.keys; first += KEPT) {
        keep_weights(local, query, first, softmax);
        for (var s = local; s < block(query, first); s += GROUP) {
            pattern[row + first + s] = weights[s];
        }
    }
    for (var s = query.keys + local; s < params.T; s += GROUP) {
        pattern[row + s] = 0.0;
    }
}
