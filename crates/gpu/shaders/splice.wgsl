// out[r,c] = x[rows[r,1],c] where c lies in block blocks[r] of `width` columns, else x[rows[r,0],c];
// a row past the end stands for zeros.

struct Params {
    N: u32, // R·J
    J: u32,
    rows_of_x: u32,
    width: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>; // [rows_of_x,J]
@group(0) @binding(2) var<storage, read> rows: array<u32>; // [R,2]
@group(0) @binding(3) var<storage, read> blocks: array<u32>; // [R]
@group(0) @binding(4) var<storage, read_write> out: array<f32>; // [R,J]

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
    let r = n / params.J;
    let c = n % params.J;
    let spliced = u32(c / params.width == blocks[r]);
    let row = rows[2u * r + spliced];
    var value = 0.0;
    if (row < params.rows_of_x) {
        value = x[row * params.J + c];
    }
    out[n] = value;
}
