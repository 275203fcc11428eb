// out[b,t] = Σ_d (act[B+b,t,d] − act[b,t,d]) · grad[b,t,d]. One workgroup a row (b,t).

struct Params {
    R: u32, // B·T
    D: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> act: array<f32>; // [2B,T,D]: base runs, source runs
@group(0) @binding(2) var<storage, read> grad: array<f32>; // [B,T,D]
@group(0) @binding(3) var<storage, read_write> out: array<f32>; // [B,T]

var<workgroup> partial: array<f32, 128>;

// The sum of every invocation's value, as a tree: always in the same order.
fn sum_of_group(local: u32, value: f32) -> f32 {
    partial[local] = value;
    workgroupBarrier();
    for (var width = 64u; width > 0u; width /= 2u) {
        if (local < width) {
            partial[local] += partial[local + width];
        }
        workgroupBarrier();
    }
    return partial[0];
}

@compute @workgroup_size(128)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let r = group.y * groups.x + group.x;
    if (r >= params.R) {
        return;
    }
    let base = r * params.D;
    let source = (params.R + r) * params.D;
    var sum = 0.0;
    for (var d = local; d < params.D; d += 128u) {
        sum += (act[source + d] - act[base + d]) * grad[base + d];
    }
    sum = sum_of_group(local, sum);
    if (local == 0u) {
        out[r] = sum;
    }
}
