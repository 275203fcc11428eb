// attention_pattern and attention_mix in one:
// pattern[b,h,t,s] = softmax over s ≤ t of q[b,t,h]·k[b,s,h] / √E, 0 for s > t, and
// z[b,t,h,:] = Σ_{s≤t} pattern[b,h,t,s] · v[b,s,h,:].
// One workgroup a head of a row (b,t). A pattern that nobody else reads is never in memory.

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
@group(0) @binding(3) var<storage, read_write> z: array<f32>; // [B,T,D]

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
    let softmax = attend(local, query);
    keep_pattern(local, query, softmax, row, h);
    mix(local, query, softmax, row);
}
