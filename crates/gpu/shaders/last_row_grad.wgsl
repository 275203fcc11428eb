// out[b,T−1,:] = dy[b,:], all other positions 0

struct Params {
    N: u32, // B·T·D
    T: u32,
    D: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<f32>; // [B,D]
@group(0) @binding(2) var<storage, read_write> out: array<f32>; // [B,T,D]

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
    let d = n % params.D;
    let t = n / params.D % params.T;
    let b = n / params.D / params.T;
    var value = 0.0;
    if (t == params.T - 1u) {
        value = dy[b * params.D + d];
    }
    out[n] = value;
}
