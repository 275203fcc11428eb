// dx = dy · gelu′(x), or dy · gelu(x)/x if is_ratio: see shared/gelu.wgsl. An invocation takes 4
// elements.

struct Params {
    N: u32,
    is_ratio: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<f32>; // [N]
@group(0) @binding(2) var<storage, read> x: array<f32>; // [≥N]
@group(0) @binding(3) var<storage, read_write> dx: array<f32>; // [N]

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let n = ((group.y * groups.x + group.x) * 64u + local) * 4u;
    if (n < params.N) {
        put_dx(n, params.N - n, dy_quad(n) * gelu_slope(x_quad(n), params.is_ratio != 0u));
    }
}
