// out[…,s] = y[…,s] · (dy[…,s] − Σ_u dy[…,u] · y[…,u]). One workgroup a row.

struct Params {
    R: u32,
    S: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<f32>; // [R,S]
@group(0) @binding(2) var<storage, read> y: array<f32>; // [≥R,S]
@group(0) @binding(3) var<storage, read_write> out: array<f32>; // [R,S]

var<workgroup> partial: array<f32, 64>;

// The sum of every invocation's value, as a tree: always in the same order.
fn sum_of_group(local: u32, value: f32) -> f32 {
    partial[local] = value;
    workgroupBarrier();
    for (var width = 32u; width > 0u; width /= 2u) {
        if (local < width) {
            partial[local] += partial[local + width];
        }
        workgroupBarrier();
    }
    return partial[0];
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let r = group.y * groups.x + group.x;
    if (r >= params.R) {
        return;
    }
    let row = r * params.S;
    var sum = 0.0;
    for (var u = local; u < params.S; u += 64u) {
        sum += dy[row + u] * y[row + u];
    }
    let mean = sum_of_group(local, sum);
    for (var s = local; s < params.S; s += 64u) {
        out[row + s] = y[row + s] * (dy[row + s] - mean);
    }
}
