// out[r,:] = x[r,:] for the rows of x, and then out[R+m,:] = Σ_k x[rows[m,k],:] / K.

struct Params {
    N: u32, // elements of out
    copied: u32, // elements of x
    D: u32,
    K: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>; // [R,D]
@group(0) @binding(2) var<storage, read> rows: array<u32>; // [M,K]
@group(0) @binding(3) var<storage, read_write> out: array<f32>; // [R+M,D]

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
    if (n < params.copied) {
        out[n] = x[n];
        return;
    }
    let mean = (n - params.copied) / params.D;
    let c = n % params.D;
    var sum = 0.0;
    for (var k = 0u; k < params.K; k += 1u) {
        sum += x[rows[mean * params.K + k] * params.D + c];
    }
    out[n] = sum / f32(params.K);
}
