// With r' = r mod R: out[r,g] = Σ_c (act[R+r',first_col+c] − act[r',first_col+c]) · grad[r,c] over the
// columns c of group g. One workgroup an element.

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

@compute @workgroup_size(GROUP)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let n = group.y * groups.x + group.x;
    if (n >= params.N) {
        return;
    }
    let r = n / params.G;
    let width = params.C / params.G;
    let first = n % params.G * width;
    let base = r % params.R * params.J + params.first_col + first;
    let source = base + params.R * params.J;
    let coefficients = r * params.C + first;
    var sum = 0.0;
    for (var c = local; c < width; c += GROUP) {
        sum += effect(act[source + c] - act[base + c], grad[coefficients + c]);
    }
    sum = sum_of_group(local, sum);
    if (local == 0u) {
        out[n] = sum;
    }
}
