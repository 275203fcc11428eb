// out[r,h,:] = Σ_s p[s] · v[keys[r,s],h] with p = softmax over s of q[queries[r],h]·k[keys[r,s],h] / √E,
// over those s alone whose key is a row. One workgroup a (r,h), which takes 64 keys at a time: no
// more than these are ever kept, however long the prompt.

struct Params {
    N: u32, // R·H
    T: u32,
    H: u32,
    E: u32,
    rows_of_qkv: u32,
    scale: f32, // 1/√E
}

const GROUP = 64u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> qkv: array<f32>; // [rows_of_qkv,3D], D = H·E
@group(0) @binding(2) var<storage, read> queries: array<u32>; // [R]
@group(0) @binding(3) var<storage, read> keys: array<u32>; // [R,T]
@group(0) @binding(4) var<storage, read_write> out: array<f32>; // [R,D]

var<workgroup> scores: array<f32, GROUP>;

// The score of key s; LOWEST where there is none.
fn score_at(r: u32, h: u32, s: u32) -> f32 {
    if (s >= params.T) {
        return LOWEST;
    }
    let key = keys[r * params.T + s];
    if (key >= params.rows_of_qkv) {
        return LOWEST;
    }
    let D = params.H * params.E;
    let q = queries[r] * 3u * D + h * params.E;
    let k = (key * 3u + 1u) * D + h * params.E;
    var score = 0.0;
    for (var e = 0u; e < params.E; e += 1u) {
        score += qkv[q + e] * qkv[k + e];
    }
    return score * params.scale;
}

@compute @workgroup_size(GROUP)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let n = group.y * groups.x + group.x;
    if (n >= params.N) {
        return;
    }
    let r = n / params.H;
    let h = n % params.H;
    let D = params.H * params.E;

    // The largest score of all, then the sum of all weights.
    var largest = LOWEST;
    for (var first = 0u; first < params.T; first += GROUP) {
        largest = max(largest, score_at(r, h, first + local));
    }
    largest = max_of_group(local, largest);
    var weights = 0.0;
    for (var first = 0u; first < params.T; first += GROUP) {
        let score = score_at(r, h, first + local);
        weights += select(0.0, exp(score - largest), score > LOWEST);
    }
    weights = sum_of_group(local, weights);

    // 64 columns of the head at a time, an invocation each.
    for (var first_e = 0u; first_e < params.E; first_e += GROUP) {
        let e = first_e + local;
        var z = 0.0;
        for (var first = 0u; first < params.T; first += GROUP) {
            let score = score_at(r, h, first + local);
            scores[local] = select(0.0, exp(score - largest) / weights, score > LOWEST);
            workgroupBarrier();
            if (e < params.E) {
                for (var s = 0u; s < min(GROUP, params.T - first); s += 1u) {
                    let key = keys[r * params.T + first + s];
                    if (key < params.rows_of_qkv) {
                        z += scores[s] * qkv[(key * 3u + 2u) * D + h * params.E + e];
                    }
                }
            }
            workgroupBarrier();
        }
        if (e < params.E) {
            out[r * D + h * params.E + e] = z;
        }
    }
}
