// out[b,h,t,s] = dz[b,t,h,:] · v[b,s,h,:] for s ≤ t, else 0. One workgroup a head of a row (b,t), of which an invocation
// takes every 64th s.

struct Params {
    R: u32, // B·T
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
    let n = group.y * groups.x + group.x;
    if (n >= rows() * params.H) {
        return;
    }
    let row = row_of(n % rows());
    let h = n / rows();
    let t = row % params.T;
    let D = params.H * params.E;
    let z = row * D + h * params.E;
    for (var s = local; s < params.T; s += 64u) {
        var sums = vec4<f32>();
        if (s <= t) {
            let v = ((row - t + s) * 3u + 2u) * D + h * params.E;
            for (var e = 0u; e < params.E; e += 4u) {
                sums += kept(dz_quad(z + e), e, params.E) * kept(qkv_quad(v + e), e, params.E);
            }
        }
        out[head_row(row, h) * params.T + s] = sums.x + sums.y + sums.z + sums.w;
    }
}
