// out[k·B+b,…] = x[b,…] + (k+1)/steps · (x[B+b,…] − x[b,…]) in some columns, x[b,…] in the others

struct Params {
    N: u32, // elements of out
    half: u32, // elements of the base runs
    steps: u32,
    C: u32, // columns
    first_col: u32, // of those that move
    moving: u32, // how many do
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>; // [2B,…]: base runs, source runs
@group(0) @binding(2) var<storage, read_write> out: array<f32>; // [steps·B,…]

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
    let part = f32(n / params.half + 1u) / f32(params.steps);
    let i = n % params.half;
    // Of a column before the first that moves, the difference wraps round to a large number.
    let moves = i % params.C - params.first_col < params.moving;
    out[n] = x[i] + select(0.0, part, moves) * (x[params.half + i] - x[i]);
}
