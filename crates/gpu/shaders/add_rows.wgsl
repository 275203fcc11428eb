// out[r,:] = a[a_rows[r],:] + b[b_rows[r],:]; a row past the end stands for zeros.

struct Params {
    N: u32, // R·D
    D: u32,
    A: u32, // rows of a
    B: u32, // rows of b
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>; // [A,D]
@group(0) @binding(2) var<storage, read> a_rows: array<u32>; // [R]
@group(0) @binding(3) var<storage, read> b: array<f32>; // [B,D]
@group(0) @binding(4) var<storage, read> b_rows: array<u32>; // [R]
@group(0) @binding(5) var<storage, read_write> out: array<f32>; // [R,D]

// How a matrix is kept, only this function and its binding know.
fn a_of(n: u32) -> f32 {
    return a[n];
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
    let r = n / params.D;
    let d = n % params.D;
    let i = a_rows[r];
    let j = b_rows[r];
    var sum = 0.0;
    if (i < params.A) {
        sum = a_of(i * params.D + d);
    }
    if (j < params.B) {
        sum += b[j * params.D + d];
    }
    out[n] = sum;
}
