// z[r,h,:] = Σ_s p[s] · v[keys[r,s],h] with p = softmax over s of q[queries[r],h]·k[keys[r,s],h] / √E,
// over those s alone whose key is a row. One workgroup a (r,h).

struct Params {
    R: u32,
    T: u32,
    H: u32,
    E: u32,
    rows_of_qkv: u32,
    scale: f32, // 1/√E
}

const GROUP = 64u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> qkv: array<f32>; // [rows_of_qkv,3D], D = H·E
@group(0) @binding(2) var<storage, read> queries: array<u32>; // [R]
@group(0) @binding(3) var<storage, read> keys: array<u32>; // [R,T]
@group(0) @binding(4) var<storage, read_write> z: array<f32>; // [R,D]

fn key_row(at: u32) -> u32 {
    let row = keys[at];
    return select(NONE, row, row < params.rows_of_qkv);
}

@compute @workgroup_size(GROUP)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let n = group.y * groups.x + group.x;
    if (n >= rows() * params.H) {
        return;
    }
    let row = row_of(n % rows());
    let col = n / rows() * params.E;
    let q = queries[row] * 3u * params.H * params.E + col;
    let query = Query(q, col, row * params.T, params.T);
    mix(local, query, attend(local, query), row);
}
