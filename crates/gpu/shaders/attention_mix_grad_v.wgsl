// out[b,s,h,:] = Σ_{t≥s} pattern[b,h,t,s] · dz[b,t,h,:]. A workgroup takes 64 columns of a row (b,s).

struct Params {
    R: u32, // B·T
    T: u32,
    H: u32,
    E: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dz: array<f32>; // [B,T,D], D = H·E
@group(0) @binding(2) var<storage, read> pattern: array<f32>; // [≥B,H,T,T]
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
    let s = row % params.T;
    let h = col / params.E;
    var sum = 0.0;
    for (var t = s; t < params.T; t += 1u) {
        let weight = pattern[head_row(row - s + t, h) * params.T + s];
        sum += weight * dz[(row - s + t) * D + col];
    }
    out[row * D + col] = sum;
}
