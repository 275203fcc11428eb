// out[b,t,h,:] = Σ_{s≤t} pattern[b,h,t,s] · v[b,s,h,:]

struct Params {
    N: u32, // B·T·D
    T: u32,
    H: u32,
    E: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> pattern: array<f32>; // [B,H,T,T]
@group(0) @binding(2) var<storage, read> qkv: array<f32>; // [≥B,T,3D], D = H·E
@group(0) @binding(3) var<storage, read_write> out: array<f32>; // [B,T,D]

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let n = (group.y * groups.x + group.x) * 64u + local;
    if (n >= params.N) {
        return;
    }
    let D = params.H * params.E;
    let col = n % D;
    let t = n / D % params.T;
    let b = n / D / params.T;
    let h = col / params.E;
    let row = ((b * params.H + h) * params.T + t) * params.T;
    // Every 4th key, as `mix` does.
    var total = 0.0;
    for (var slice = 0u; slice < 4u; slice += 1u) {
        var sum = 0.0;
        for (var s = slice; s <= t; s += 4u) {
            sum += pattern[row + s] * qkv[((b * params.T + s) * 3u + 2u) * D + col];
        }
        total += sum;
    }
    out[n] = total;
}
