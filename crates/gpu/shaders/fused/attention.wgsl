// attention_pattern and attention_mix in one:
// pattern[b,h,t,s] = softmax over s ≤ t of q[b,t,h]·k[b,s,h] / √E, 0 for s > t, and
// z[b,t,h,:] = Σ_{s≤t} pattern[b,h,t,s] · v[b,s,h,:].
// One workgroup a row (b,h,t); an invocation takes every 64th column of z.

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
@group(0) @binding(2) var<storage, read_write> pattern: array<f32>; // [B,H,T,T]
@group(0) @binding(3) var<storage, read_write> z: array<f32>; // [B,T,D]

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
    let t = r % params.T;
    let h = r / params.T % params.H;
    let b = r / params.T / params.H;
    let D = params.H * params.E;
    let row = r * params.T;

    pattern_row(local, r);
    storageBarrier();

    for (var e = local; e < params.E; e += GROUP) {
        let col = h * params.E + e;
        var mixed = 0.0;
        for (var s = 0u; s <= t; s += 1u) {
            mixed += pattern[row + s] * qkv[((b * params.T + s) * 3u + 2u) * D + col];
        }
        z[(b * params.T + t) * D + col] = mixed;
    }
}
