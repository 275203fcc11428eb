// A query of a sequence attends to the keys so far, which are rows of qkv [B,T,3D].

// Of row r = (b,h,t) of the pattern.
fn query_of(r: u32) -> Query {
    let t = r % params.T;
    let first = r / params.T / params.H * params.T;
    let col = r / params.T % params.H * params.E;
    return Query((first + t) * 3u * params.H * params.E + col, col, first, t + 1u);
}

fn key_row(key: u32) -> u32 {
    return key;
}

// Where z[b,t,h,:] begins.
fn z_at(query: Query) -> u32 {
    return (query.first + query.keys - 1u) * params.H * params.E + query.col;
}
