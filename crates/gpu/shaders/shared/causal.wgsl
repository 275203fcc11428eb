// A query of a sequence attends to the keys so far, which are rows of qkv [B,T,3D].

// Of a head in row b·T + t.
fn query_of(row: u32, h: u32) -> Query {
    let t = row % params.T;
    let col = h * params.E;
    return Query(row * 3u * params.H * params.E + col, col, row - t, t + 1u);
}

fn key_row(key: u32) -> u32 {
    return key;
}
