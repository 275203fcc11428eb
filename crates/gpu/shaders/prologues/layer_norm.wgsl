// A product of layer_norm(x) = (x − μ) / σ · gain + shift, which is never in memory: each workgroup computes μ and σ of
// its ROWS rows anew, as layer_norm.wgsl does, in the same order. A line with {r} in it stands for one a row.

@group(0) @binding(8) var<storage, read> gain: array<f32>; // [I]
@group(0) @binding(9) var<storage, read> shift: array<f32>; // [I]

alias Value = vec4<f32>;

// A component a row.
var<private> mean: vec4<f32>;
var<private> inv_sigma: vec4<f32>;

fn sum_of(quad: vec4<f32>) -> f32 {
    return quad.x + quad.y + quad.z + quad.w;
}

fn begin(local: u32, first_row: u32, first_col: u32) {
    let row_{r} = row_of(first_row + {r}u);
    var sums_{r} = vec4<f32>();
    for (var i = 4u * local; i < params.I; i += 4u * GROUP) {
        sums_{r} += x_at(row_{r}, i);
    }
    var sum: vec4<f32>;
    sum[{r}] = sum_of(sums_{r});
    mean = sum_of_group(local, sum) / f32(params.I);

    // The mean first: E[x²] − μ² would lose the variance of a row far from 0.
    var squares_{r} = vec4<f32>();
    for (var i = 4u * local; i < params.I; i += 4u * GROUP) {
        let centred_{r} = kept(x_at(row_{r}, i) - mean[{r}], i, params.I);
        squares_{r} += centred_{r} * centred_{r};
    }
    sum[{r}] = sum_of(squares_{r});
    inv_sigma = inverseSqrt(sum_of_group(local, sum) / f32(params.I) + params.eps);
    keep_stats(local, first_row, first_col);
}

fn loaded(x: vec4<f32>, i: u32, r: u32) -> vec4<f32> {
    let value = (x - mean[r]) * inv_sigma[r] * gain_quad(i) + shift_quad(i);
    return kept(value, i, params.I);
}
