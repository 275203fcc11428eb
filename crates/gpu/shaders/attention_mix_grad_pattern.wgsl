// out[b,h,t,s] = dz[b,t,h,:] · v[b,s,h,:] for s ≤ t, else 0

struct Params {
    N: u32, // B·H·T·T
    T: u32,
    H: u32,
    E: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dz: array<f32>; // [B,T,D], D = H·E
@group(0) @binding(2) var<storage, read> qkv: array<f32>; // [≥B,T,3D]
@group(0) @binding(3) var<storage, read_write> out: array<f32>; // [B,H,T,T]

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
    let s = n % params.T;
    let t = n / params.T % params.T;
    let h = n / params.T / params.T % params.H;
    let b = n / params.T / params.T / params.H;
    var sums = vec4<f32>();
    if (s <= t) {
        let D = params.H * params.E;
        let z = (b * params.T + t) * D + h * params.E;
        let v = ((b * params.T + s) * 3u + 2u) * D + h * params.E;
        for (var e = 0u; e < params.E; e += 4u) {
            sums += kept(dz_quad(z + e), e, params.E) * kept(qkv_quad(v + e), e, params.E);
        }
    }
    out[n] = sums.x + sums.y + sums.z + sums.w;
}
