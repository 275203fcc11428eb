// out = scale · a · b

struct Params {
    N: u32,
    scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>; // [N]
@group(0) @binding(2) var<storage, read> b: array<f32>; // [≥N]
@group(0) @binding(3) var<storage, read_write> out: array<f32>; // [N]

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
    out[n] = params.scale * a[n] * b[n];
}
