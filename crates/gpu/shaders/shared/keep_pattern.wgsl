// Writes what a head in a row `attend`s to into its row of the pattern, and those of rows that are the same. An invocation
// takes every 64th s.
fn keep_pattern(local: u32, query: Query, softmax: vec2<f32>, row: u32, h: u32) {
    for (var first = 0u; first < query.keys; first += KEPT) {
        keep_weights(local, query, first, softmax);
        for (var s = local; s < block(query, first); s += GROUP) {
            keep_weight(row, h, first + s, weights[s]);
        }
    }
    for (var s = query.keys + local; s < params.T; s += GROUP) {
        keep_weight(row, h, s, 0.0);
    }
}

fn keep_weight(row: u32, h: u32, s: u32, weight: f32) {
    for (var copy = row; copy != NONE; copy = same_as(copy)) {
        pattern[head_row(copy, h) * params.T + s] = weight;
    }
}
