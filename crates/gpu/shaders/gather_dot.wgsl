// out[n,k] = x[n,:] · w[ids[n,k],:]. One workgroup an element.

struct Params {
    R: u32, // N·K
    K: u32,
    D: u32,
}

const GROUP = 128u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>; // [N,D]
@group(0) @binding(2) var<storage, read> w: array<f32>; // [V,D]
@group(0) @binding(3) var<storage, read> ids: array<u32>; // [≥N,K]
@group(0) @binding(4) var<storage, read_write> out: array<f32>; // [N,K]

// How a matrix is kept, only this function and its binding know.
fn w_of(n: u32) -> f32 {
    return w[n];
}

@compute @workgroup_size(GROUP)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let r = group.y * groups.x + group.x;
    if (r >= params.R) {
        return;
    }
    let x_row = r / params.K * params.D;
    let w_row = ids[r] * params.D;
    var sum = 0.0;
    for (var d = local; d < params.D; d += GROUP) {
        sum += x[x_row + d] * w_of(w_row + d);
    }
    sum = sum_of_group(local, sum);
    if (local == 0u) {
        out[r] = sum;
    }
}
