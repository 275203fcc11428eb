// attention_mix_grad_pattern and softmax_grad in one: with dp[b,h,t,s] = dz[b,t,h,:] · v[b,s,h,:] for
// s ≤ t, else 0,
// out[b,h,t,s] = y[b,h,t,s] · (dp[b,h,t,s] − Σ_u dp[b,h,t,u] · y[b,h,t,u]).
// One workgroup a head of a row (b,t); an invocation takes every 64th s.

struct Params {
    R: u32, // B·T
    T: u32,
    H: u32,
    E: u32,
}

const GROUP = 64u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dz: array<f32>; // [B,T,D], D = H·E
@group(0) @binding(2) var<storage, read> qkv: array<f32>; // [≥B,T,3D]
@group(0) @binding(3) var<storage, read> y: array<f32>; // [≥B,H,T,T]
@group(0) @binding(4) var<storage, read_write> dp: array<f32>; // [B,H,T,T]
@group(0) @binding(5) var<storage, read_write> out: array<f32>; // [B,H,T,T]

@compute @workgroup_size(GROUP)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let n = group.y * groups.x + group.x;
    if (n >= rows() * params.H) {
        return;
    }
    let row = row_of(n % rows());
    let h = n / rows();
    let t = row % params.T;
    let D = params.H * params.E;
    let z = row * D + h * params.E;
    let at = head_row(row, h) * params.T;

    // Each element of dp is read back by its own invocation.
    var sum = 0.0;
    for (var s = local; s < params.T; s += GROUP) {
        var slope = 0.0;
        if (s <= t) {
            let v = ((row - t + s) * 3u + 2u) * D + h * params.E;
            var sums = vec4<f32>();
            for (var e = 0u; e < params.E; e += 4u) {
                sums += kept(dz_quad(z + e), e, params.E) * kept(qkv_quad(v + e), e, params.E);
            }
            slope = sums.x + sums.y + sums.z + sums.w;
        }
        dp[at + s] = slope;
        sum += slope * y[at + s];
    }
    let mean = sum_of_group(local, sum);
    for (var s = local; s < params.T; s += GROUP) {
        out[at + s] = y[at + s] * (dp[at + s] - mean);
    }
}
