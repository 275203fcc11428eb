// Row r = (b,h,t) of the pattern of `qkv`: the softmax over s ≤ t of q[b,t,h]·k[b,s,h] / √E, 0 for s > t. An invocation
// takes every 64th s. All of a workgroup call.
fn pattern_row(local: u32, r: u32) {
    let t = r % params.T;
    let h = r / params.T % params.H;
    let b = r / params.T / params.H;
    let D = params.H * params.E;
    let q = (b * params.T + t) * 3u * D + h * params.E;
    let row = r * params.T;

    // The scores and then their exponentials wait in the pattern, each read back by its own invocation.
    var largest = LOWEST;
    for (var s = local; s <= t; s += GROUP) {
        let k = ((b * params.T + s) * 3u + 1u) * D + h * params.E;
        var score = 0.0;
        for (var e = 0u; e < params.E; e += 1u) {
            score += qkv[q + e] * qkv[k + e];
        }
        score *= params.scale;
        pattern[row + s] = score;
        largest = max(largest, score);
    }
    largest = max_of_group(local, largest);

    var sum = 0.0;
    for (var s = local; s <= t; s += GROUP) {
        let weight = exp(pattern[row + s] - largest);
        pattern[row + s] = weight;
        sum += weight;
    }
    sum = sum_of_group(local, sum);

    for (var s = local; s < params.T; s += GROUP) {
        if (s <= t) {
            pattern[row + s] /= sum;
        } else {
            pattern[row + s] = 0.0;
        }
    }
}
