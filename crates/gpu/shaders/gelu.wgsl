// out = gelu(x): see shared/gelu.wgsl. An invocation takes 4 elements.

struct Params {
    N: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>; // [N]
@group(0) @binding(2) var<storage, read_write> out: array<f32>; // [N]

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let n = ((group.y * groups.x + group.x) * 64u + local) * 4u;
    if (n < params.N) {
        put_out(n, params.N - n, gelu(x_quad(n)));
    }
}
