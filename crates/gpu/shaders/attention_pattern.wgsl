// pattern[b,h,t,s] = softmax over s ≤ t of q[b,t,h]·k[b,s,h] / √E, 0 for s > t.
// One workgroup a head of a row (b,t).

struct Params {
    R: u32, // B·T
    T: u32,
    H: u32,
    E: u32,
    scale: f32, // 1/√E
}

const GROUP = 64u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> qkv: array<f32>; // [B,T,3D], D = H·E
@group(0) @binding(2) var<storage, read_write> pattern: array<f32>; // [B,H,T,T]

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
    let h = n / rows();
    let query = query_of(row, h);
    keep_pattern(local, query, attend(local, query), row, h);
}
