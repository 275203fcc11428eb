// out[r,:] = (x[r,:] − μ_r) / σ_r · gain + bias with σ_r² = mean((x[r,:] − μ_r)²) + eps;
// stats[r] = (μ_r, 1/σ_r). One workgroup a row, of which an invocation takes every 64th quad.

struct Params {
    R: u32,
    D: u32,
    eps: f32,
}

const GROUP = 64u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>; // [R,D]
@group(0) @binding(2) var<storage, read> gain: array<f32>; // [D]
@group(0) @binding(3) var<storage, read> bias: array<f32>; // [D]
@group(0) @binding(4) var<storage, read_write> out: array<f32>; // [R,D]
@group(0) @binding(5) var<storage, read_write> stats: array<f32>; // [R,2]

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

    var sums = vec4<f32>();
    for (var d = 4u * local; d < params.D; d += 4u * GROUP) {
        sums += kept(x_quad(row + d), d, params.D);
    }
    let mean = sum_of_group(local, sums.x + sums.y + sums.z + sums.w) / f32(params.D);

    // The mean first: E[x²] − μ² would lose the variance of a row far from 0.
    var squares = vec4<f32>();
    for (var d = 4u * local; d < params.D; d += 4u * GROUP) {
        let centred = kept(x_quad(row + d) - mean, d, params.D);
        squares += centred * centred;
    }
    let of_squares = sum_of_group(local, squares.x + squares.y + squares.z + squares.w);
    let inv_sigma = inverseSqrt(of_squares / f32(params.D) + params.eps);

    for (var d = 4u * local; d < params.D; d += 4u * GROUP) {
        let value = (x_quad(row + d) - mean) * inv_sigma * gain_quad(d) + bias_quad(d);
        for (var copy = r; copy != NONE; copy = same_as(copy)) {
            put_out(copy * params.D + d, params.D - d, value);
        }
    }
    if (local == 0u) {
        for (var copy = r; copy != NONE; copy = same_as(copy)) {
            stats[2u * copy] = mean;
            stats[2u * copy + 1u] = inv_sigma;
        }
    }
}
