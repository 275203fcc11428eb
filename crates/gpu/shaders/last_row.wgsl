// out[b,:] = x[b,T−1,:]

struct Params {
    N: u32, // B·D
    T: u32,
    D: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>; // [B,T,D]
@group(0) @binding(2) var<storage, read_write> out: array<f32>; // [B,D]

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
    let b = n / params.D;
    let d = n % params.D;
    out[n] = x[(b * params.T + params.T - 1u) * params.D + d];
}
