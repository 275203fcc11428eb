// With g = dy · gain, x̂ = (x − μ) / σ:
// dx = add + (g − mean(g) − x̂ · mean(g · x̂)) / σ, or, when the scale 1/σ is held constant
// (detach_scale), dx = add + (g − mean(g)) / σ. One workgroup a row, of which an invocation takes every 64th quad.

struct Params {
    R: u32,
    D: u32,
    detach_scale: u32,
    has_add: u32,
}

const GROUP = 64u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<f32>; // [R,D]
@group(0) @binding(2) var<storage, read> x: array<f32>; // [≥R,D]
@group(0) @binding(3) var<storage, read> stats: array<f32>; // [≥R,2]: μ, 1/σ
@group(0) @binding(4) var<storage, read> gain: array<f32>; // [D]
@group(0) @binding(5) var<storage, read> add: array<f32>; // [≥R,D] if has_add
@group(0) @binding(6) var<storage, read_write> dx: array<f32>; // [R,D]

@compute @workgroup_size(GROUP)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let n = group.y * groups.x + group.x;
    if (n >= rows()) {
        return;
    }
    let r = row_of(n);
    let row = r * params.D;
    let mean = stats[2u * r];
    let inv_sigma = stats[2u * r + 1u];

    // Σ g and Σ g · x̂
    var sums = vec4<f32>();
    var sums_along = vec4<f32>();
    for (var d = 4u * local; d < params.D; d += 4u * GROUP) {
        let g = kept(dy_quad(row + d) * gain_quad(d), d, params.D);
        sums += g;
        sums_along += kept(g * (x_quad(row + d) - mean) * inv_sigma, d, params.D);
    }
    let g_mean = sum_of_group(local, sums.x + sums.y + sums.z + sums.w) / f32(params.D);
    var along = 0.0;
    if (params.detach_scale == 0u) {
        let sum = sums_along.x + sums_along.y + sums_along.z + sums_along.w;
        along = sum_of_group(local, sum) / f32(params.D);
    }

    for (var d = 4u * local; d < params.D; d += 4u * GROUP) {
        let g = dy_quad(row + d) * gain_quad(d);
        let x_hat = (x_quad(row + d) - mean) * inv_sigma;
        var value = (g - g_mean - x_hat * along) * inv_sigma;
        if (params.has_add != 0u) {
            value += add_quad(row + d);
        }
        put_dx(row + d, params.D - d, value);
    }
}
