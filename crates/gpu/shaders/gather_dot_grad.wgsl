// out[r,:] = Σ_k dy[r,k] · w[ids[r,k],:]

struct Params {
    N: u32, // rows · D
    K: u32,
    D: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<f32>; // [rows,K]
@group(0) @binding(2) var<storage, read> w: array<f32>; // [V,D]
@group(0) @binding(3) var<storage, read> ids: array<u32>; // [≥rows,K]
@group(0) @binding(4) var<storage, read_write> out: array<f32>; // [rows,D]

// How a matrix is kept, only this function and its binding know.
fn w_of(n: u32) -> f32 {
    return w[n];
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
    let row = n / params.D * params.K;
    let d = n % params.D;
    var sum = 0.0;
    for (var k = 0u; k < params.K; k += 1u) {
        sum += dy[row + k] * w_of(ids[row + k] * params.D + d);
    }
    out[n] = sum;
}
