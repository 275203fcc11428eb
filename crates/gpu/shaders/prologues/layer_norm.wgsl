// A product of layer_norm(x) = (x − μ) / σ · gain + shift, which is never in memory: each workgroup computes μ and σ of
// its ROWS rows anew, as layer_norm.wgsl does, in the same order. A line with {r} in it stands for one a row.

@group(0) @binding(8) var<storage, read> gain: array<f32>; // [I]
@group(0) @binding(9) var<storage, read> shift: array<f32>; // [I]

const WAYS = 8u;

var<workgroup> of_each: array<vec4<f32>, GROUP>;
var<workgroup> of_ways: array<vec4<f32>, WAYS>;
// A component a row.
var<private> mean: vec4<f32>;
var<private> inv_sigma: vec4<f32>;

fn sum_of_group(local: u32, value: vec4<f32>) -> vec4<f32> {
    of_each[local] = value;
    workgroupBarrier();
    if (local < WAYS) {
        var sum = of_each[local];
        for (var other = local + WAYS; other < GROUP; other += WAYS) {
            sum += of_each[other];
        }
        of_ways[local] = sum;
    }
    workgroupBarrier();
    let firsts = (of_ways[0] + of_ways[1]) + (of_ways[2] + of_ways[3]);
    return firsts + ((of_ways[4] + of_ways[5]) + (of_ways[6] + of_ways[7]));
}

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
