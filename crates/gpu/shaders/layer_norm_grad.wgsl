// With g = dy · gain, x̂ = (x − μ) / σ:
// dx = add + (g − mean(g) − x̂ · mean(g · x̂)) / σ, or, when the scale 1/σ is held constant
// (detach_scale), dx = add + (g − mean(g)) / σ. One workgroup a row.

struct Params {
    R: u32,
    D: u32,
    detach_scale: u32,
    has_add: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<f32>; // [R,D]
@group(0) @binding(2) var<storage, read> x: array<f32>; // [≥R,D]
@group(0) @binding(3) var<storage, read> stats: array<f32>; // [≥R,2]: μ, 1/σ
@group(0) @binding(4) var<storage, read> gain: array<f32>; // [D]
@group(0) @binding(5) var<storage, read> add: array<f32>; // [≥R,D] if has_add
@group(0) @binding(6) var<storage, read_write> dx: array<f32>; // [R,D]

var<workgroup> partial: array<vec2<f32>, 128>;

// The sum of every invocation's value, as a tree: always in the same order.
fn sum_of_group(local: u32, value: vec2<f32>) -> vec2<f32> {
    partial[local] = value;
    workgroupBarrier();
    for (var width = 64u; width > 0u; width /= 2u) {
        if (local < width) {
            partial[local] += partial[local + width];
        }
        workgroupBarrier();
    }
    return partial[0];
}

@compute @workgroup_size(128)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let r = group.y * groups.x + group.x;
    if (r >= params.R) {
        return;
    }
    let row = r * params.D;
    let mean = stats[2u * r];
    let inv_sigma = stats[2u * r + 1u];

    // Σ g and Σ g · x̂
    var sums = vec2<f32>(0.0, 0.0);
    for (var d = local; d < params.D; d += 128u) {
        let g = dy[row + d] * gain[d];
        let x_hat = (x[row + d] - mean) * inv_sigma;
        sums += vec2<f32>(g, g * x_hat);
    }
    let means = sum_of_group(local, sums) / f32(params.D);
    let g_mean = means.x;
    let along = select(means.y, 0.0, params.detach_scale != 0u);

    for (var d = local; d < params.D; d += 128u) {
        let g = dy[row + d] * gain[d];
        let x_hat = (x[row + d] - mean) * inv_sigma;
        var sum = (g - g_mean - x_hat * along) * inv_sigma;
        if (params.has_add != 0u) {
            sum += add[row + d];
        }
        dx[row + d] = sum;
    }
}
