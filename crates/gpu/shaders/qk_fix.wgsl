// With p row t of the pattern of (b,h), and p′ that row with one query or key of the source run in it:
// out[b,t,h] = Σ_s (p′[s] − p[s]) · dp[b,h,t,s] for the query of t, and
// out[b,s,H+h] = Σ_{t≥s} Σ_u (p′[u] − p[u]) · dp[b,h,t,u] for the key of s.
// One workgroup an element; of a key, an invocation takes every 64th of the rows that see it.

struct Params {
    N: u32, // elements of out
    T: u32,
    H: u32,
    E: u32,
    B: u32,
    scale: f32, // 1/√E
}

const GROUP = 64u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> qkv: array<f32>; // [2B,T,3D], D = H·E
@group(0) @binding(2) var<storage, read> dp: array<f32>; // [B,H,T,T]
@group(0) @binding(3) var<storage, read_write> out: array<f32>; // [B,T,2H]

// The score of the query of one row of qkv and the key of another.
fn score(query: u32, key: u32, h: u32) -> f32 {
    let D = params.H * params.E;
    let q = query * 3u * D + h * params.E;
    let k = (key * 3u + 1u) * D + h * params.E;
    var sum = 0.0;
    for (var e = 0u; e < params.E; e += 1u) {
        sum += qkv[q + e] * qkv[k + e];
    }
    return sum * params.scale;
}

// Keys seen so far: the largest score, Σ exp(score − largest) and Σ exp(score − largest) · dp.
fn and(keys: vec3<f32>, score: f32, dp_of_key: f32) -> vec3<f32> {
    let largest = max(keys.x, score);
    let scale = exp(keys.x - largest);
    let weight = exp(score - largest);
    return vec3(largest, keys.y * scale + weight, keys.z * scale + weight * dp_of_key);
}

// Row t of the pattern changed by the query of row `query`, or by `moved` as the key at s.
fn change(first: u32, t: u32, h: u32, p: u32, query: u32, s: u32, moved: u32) -> f32 {
    var now = vec3(LOWEST, 0.0, 0.0);
    var then = now;
    for (var u = 0u; u <= t; u += 1u) {
        let score_now = score(first + t, first + u, h);
        now = and(now, score_now, dp[p + u]);
        var score_then = score_now;
        if (u == s || query != first + t) {
            score_then = score(query, select(first + u, moved, u == s), h);
        }
        then = and(then, score_then, dp[p + u]);
    }
    return then.z / then.y - now.z / now.y;
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
    let T = params.T;
    let h = n % params.H;
    let of_key = n / params.H % 2u == 1u;
    let row = n / (2u * params.H);
    let at = row % T;
    let first = row - at;
    let source = row + params.B * T;
    let head = (row / T * params.H + h) * T;

    var sum = 0.0;
    if (of_key) {
        for (var t = at + local; t < T; t += GROUP) {
            sum += change(first, t, h, (head + t) * T, first + t, at, source);
        }
    } else if (local == 0u) {
        // No key is moved.
        sum = change(first, at, h, (head + at) * T, source, T, source);
    }
    sum = sum_of_group(local, sum);
    if (local == 0u) {
        out[n] = sum;
    }
}
