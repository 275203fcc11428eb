// attention_pattern and attention_mix in one, where nobody else reads the pattern: it is never in memory.
// z[b,t,h,:] = Σ_{s≤t} pattern[b,h,t,s] · v[b,s,h,:] with
// pattern[b,h,t,s] = softmax over s ≤ t of q[b,t,h]·k[b,s,h] / √E. One workgroup a row (b,h,t).

struct Params {
    R: u32, // B·H·T
    T: u32,
    H: u32,
    E: u32,
    scale: f32, // 1/√E
}

const GROUP = 64u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> qkv: array<f32>; // [B,T,3D], D = H·E
@group(0) @binding(2) var<storage, read_write> z: array<f32>; // [B,T,D]

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
    let query = query_of(r);
    mix(local, query, attend(local, query), z_at(query));
}
