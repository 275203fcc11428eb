// Two uses of delta_dot of the same shape in one: out[r,g] of act and grad, and out_1[r,g] of act_1 and
// grad_1. One workgroup an element.

struct Params {
    N: u32, // elements of out
    R: u32, // rows of the base runs
    C: u32,
    J: u32,
    first_col: u32,
    G: u32,
}

const GROUP = 64u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> act: array<f32>; // [2R,J]: base runs, source runs
@group(0) @binding(2) var<storage, read> grad: array<f32>; // [n·R,C]
@group(0) @binding(3) var<storage, read_write> out: array<f32>; // [n·R,G]
@group(0) @binding(4) var<storage, read> act_1: array<f32>; // [2R,J]: base runs, source runs
@group(0) @binding(5) var<storage, read> grad_1: array<f32>; // [n·R,C]
@group(0) @binding(6) var<storage, read_write> out_1: array<f32>; // [n·R,G]

@compute @workgroup_size(GROUP)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let both = group.y * groups.x + group.x;
    if (both >= 2u * params.N) {
        return;
    }
    let n = both % params.N;
    let is_second = both >= params.N;
    let r = n / params.G;
    let width = params.C / params.G;
    let first = n % params.G * width;
    let base = r % params.R * params.J + params.first_col + first;
    let source = base + params.R * params.J;
    let coefficients = r * params.C + first;
    var sum = 0.0;
    if (is_second) {
        for (var c = local; c < width; c += GROUP) {
            sum += effect(act_1[source + c] - act_1[base + c], grad_1[coefficients + c]);
        }
    } else {
        for (var c = local; c < width; c += GROUP) {
            sum += effect(act[source + c] - act[base + c], grad[coefficients + c]);
        }
    }
    sum = sum_of_group(local, sum);
    if (local == 0u) {
        if (is_second) {
            out_1[n] = sum;
        } else {
            out[n] = sum;
        }
    }
}
