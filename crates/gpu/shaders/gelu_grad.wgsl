// dx = dy · gelu′(x), or dy · gelu(x)/x if is_ratio.

struct Params {
    N: u32,
    is_ratio: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<f32>; // [N]
@group(0) @binding(2) var<storage, read> x: array<f32>; // [≥N]
@group(0) @binding(3) var<storage, read_write> dx: array<f32>; // [N]

// √(2/π)
const SCALE = 0.7978845608028654;

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
    let u = SCALE * (x[n] + 0.044715 * x[n] * x[n] * x[n]);
    // ½(1 + tanh(u)) = 1 / (1 + exp(−2u)): see gelu.wgsl.
    let q = exp(-clamp(2.0 * u, -80.0, 80.0));
    let ratio = 1.0 / (1.0 + q);
    var slope = ratio;
    if (params.is_ratio == 0u) {
        // d ratio / dx = ratio · (1 − ratio) · 2u′, where 1 − ratio = q · ratio without cancellation.
        let inner_slope = SCALE * (1.0 + 3.0 * 0.044715 * x[n] * x[n]);
        slope += x[n] * (q * ratio) * ratio * 2.0 * inner_slope;
    }
    dx[n] = dy[n] * slope;
}
