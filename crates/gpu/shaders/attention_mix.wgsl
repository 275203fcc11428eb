// out[b,t,h,:] = Σ_{s≤t} pattern[b,h,t,s] · v[b,s,h,:]. A workgroup takes 64 columns of a row (b,t).

struct Params {
    R: u32, // B·T
    T: u32,
    H: u32,
    E: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> pattern: array<f32>; // [B,H,T,T]
@group(0) @binding(2) var<storage, read> qkv: array<f32>; // [≥B,T,3D], D = H·E
@group(0) @binding(3) var<storage, read_write> out: array<f32>; // [B,T,D]

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let n = group.y * groups.x + group.x;
    let D = params.H * params.E;
    let across = (D + 63u) / 64u;
    let col = n % across * 64u + local;
    if (n >= rows() * across || col >= D) {
        return;
    }
    let row = row_of(n / across);
    let t = row % params.T;
    let at = head_row(row, col / params.E) * params.T;
    // Every 4th key, as `mix` does.
    var total = 0.0;
    for (var slice = 0u; slice < 4u; slice += 1u) {
        var sum = 0.0;
        for (var s = slice; s <= t; s += 4u) {
            sum += pattern[at + s] * qkv[((row - t + s) * 3u + 2u) * D + col];
        }
        total += sum;
    }
    for (var copy = row; copy != NONE; copy = same_as(copy)) {
        out[copy * D + col] = total;
    }
}
