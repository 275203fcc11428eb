// How much a query attends to each of its keys, over which it streams: KEPT of them wait in workgroup memory. Where that
// is all, each score is computed once, else a block at a time and anew for each use. A shader says which keys a query
// has (`key_row`). All of a workgroup call.

struct Query {
    // Where q, and in a row of as many columns each q, k and v of the head begin.
    q: u32,
    col: u32,
    // The first key, as `key_row` takes it, and how many there are.
    first: u32,
    keys: u32,
}

var<workgroup> weights: array<f32, KEPT>;

// q · k / √E; LOWEST where there is no key.
fn score_of(query: Query, s: u32) -> f32 {
    let row = key_row(query.first + s);
    if (row == NONE) {
        return LOWEST;
    }
    let k = (row * 3u + 1u) * params.H * params.E + query.col;
    var sums = vec4<f32>();
    for (var e = 0u; e < params.E; e += 4u) {
        sums += kept(qkv_quad(query.q + e), e, params.E) * kept(qkv_quad(k + e), e, params.E);
    }
    return (sums.x + sums.y + sums.z + sums.w) * params.scale;
}

// The keys of the block from `first` on.
fn block(query: Query, first: u32) -> u32 {
    return min(KEPT, query.keys - first);
}

// Puts the scores of a block into `weights`, each read back by its own invocation; their largest.
fn keep_scores(local: u32, query: Query, first: u32) -> f32 {
    var largest = LOWEST;
    for (var s = local; s < block(query, first); s += GROUP) {
        let score = score_of(query, first + s);
        weights[s] = score;
        largest = max(largest, score);
    }
    return largest;
}

// exp(score − largest) of a score that is kept; 0 where there is no key. What is no number stays so, that it be seen.
fn exponential(query: Query, first: u32, s: u32, largest: f32) -> f32 {
    if (key_row(query.first + first + s) == NONE) {
        return 0.0;
    }
    return exp(weights[s] - largest);
}

// Makes the scores of a block its weights.
fn weigh(local: u32, query: Query, first: u32, softmax: vec2<f32>) {
    for (var s = local; s < block(query, first); s += GROUP) {
        weights[s] = exponential(query, first, s, softmax.x) / softmax.y;
    }
}

// The largest score of all, and the sum of exp(score − largest). A block that is the only one is weighed.
fn attend(local: u32, query: Query) -> vec2<f32> {
    var largest = LOWEST;
    for (var first = 0u; first < query.keys; first += KEPT) {
        largest = max(largest, keep_scores(local, query, first));
    }
    largest = max_of_group(local, largest);

    var sum = 0.0;
    for (var first = 0u; first < query.keys; first += KEPT) {
        if (query.keys > KEPT) {
            keep_scores(local, query, first);
        }
        for (var s = local; s < block(query, first); s += GROUP) {
            sum += exponential(query, first, s, largest);
        }
    }
    let softmax = vec2<f32>(largest, sum_of_group(local, sum));
    if (query.keys <= KEPT) {
        weigh(local, query, 0u, softmax);
    }
    return softmax;
}

// Has the weights of a block in `weights`.
fn keep_weights(local: u32, query: Query, first: u32, softmax: vec2<f32>) {
    if (query.keys > KEPT) {
        keep_scores(local, query, first);
        weigh(local, query, first, softmax);
    }
}
