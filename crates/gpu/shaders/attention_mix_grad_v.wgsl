// out[b,s,h,:] = Σ_{t≥s} pattern[b,h,t,s] · dz[b,t,h,:]

struct Params {
    N: u32, // B·T·D
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
    let n = (group.y * groups.x + group.x) * 64u + local;
    if (n >= params.N) {
        return;
    }
    let D = params.H * params.E;
    let col = n % D;
    let s = n / D % params.T;
    let b = n / D / params.T;
    let h = col / params.E;
    var sum = 0.0;
    for (var t = s; t < params.T; t += 1u) {
        let weight = pattern[((b * params.H + h) * params.T + t) * params.T + s];
        sum += weight * dz[(b * params.T + t) * D + col];
    }
    out[n] = sum;
}
