// From the derivative ds of the scores S = q·k/√E, that of q and k side by side:
// out[b,t,h,:] = Σ_{s≤t} ds[b,h,t,s] · k[b,s,h,:] / √E and
// out[b,s,D+h,:] = Σ_{t≥s} ds[b,h,t,s] · q[b,t,h,:] / √E. A workgroup takes 64 columns of a row.

struct Params {
    R: u32, // B·T
    T: u32,
    H: u32,
    E: u32,
    scale: f32, // 1/√E
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> ds: array<f32>; // [B,H,T,T]
@group(0) @binding(2) var<storage, read> qkv: array<f32>; // [≥B,T,3D], D = H·E
@group(0) @binding(3) var<storage, read_write> out: array<f32>; // [B,T,2D]

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let n = group.y * groups.x + group.x;
    let D = params.H * params.E;
    let across = (2u * D + 63u) / 64u;
    let of_both = n % across * 64u + local;
    if (n >= rows() * across || of_both >= 2u * D) {
        return;
    }
    let row = row_of(n / across);
    let is_k = of_both >= D;
    let col = of_both % D;
    let position = row % params.T;
    let first = row - position;
    let head = head_row(first, col / params.E) * params.T;
    var sum = 0.0;
    if (is_k) {
        let s = position;
        for (var t = s; t < params.T; t += 1u) {
            sum += ds[head + t * params.T + s] * qkv[(first + t) * 3u * D + col];
        }
    } else {
        let t = position;
        for (var s = 0u; s <= t; s += 1u) {
            sum += ds[head + t * params.T + s] * qkv[((first + s) * 3u + 1u) * D + col];
        }
    }
    out[row * 2u * D + of_both] = sum * params.scale;
}
