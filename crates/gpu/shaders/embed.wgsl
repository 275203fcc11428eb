// out[b,t,:] = tokens[ids[b,t],:] + positions[t,:]

struct Params {
    N: u32, // B·T·D
    T: u32,
    D: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> ids: array<u32>; // [B,T]
@group(0) @binding(2) var<storage, read> tokens: array<f32>; // [V,D]
@group(0) @binding(3) var<storage, read> positions: array<f32>; // [P,D], P ≥ T
@group(0) @binding(4) var<storage, read_write> out: array<f32>; // [B,T,D]

// How a matrix is kept, only this function and its binding know.
fn tokens_of(n: u32) -> f32 {
    return tokens[n];
}

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
    let row = n / params.D;
    let d = n % params.D;
    let t = row % params.T;
    out[n] = tokens_of(ids[row] * params.D + d) + positions[t * params.D + d];
}
