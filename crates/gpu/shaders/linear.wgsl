// out[r,j] = bias[j] + Σ_i x[r,i] · w[i,j]
//
// How the sums are shared out is in `products/`, what x is made of in `prologues/`, and what else is written in
// `epilogues/`.

struct Params {
    R: u32,
    I: u32,
    J: u32,
    has_bias: u32,
    eps: f32, // of a layer_norm before it
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>; // [R,I]
@group(0) @binding(2) var<storage, read> w: array<f32>; // [I,J]
@group(0) @binding(3) var<storage, read> bias: array<f32>; // [J] if has_bias
@group(0) @binding(4) var<storage, read_write> out: array<f32>; // [R,J]

fn inner() -> u32 {
    return params.I;
}

fn columns() -> u32 {
    return params.J;
}

// x[row,i..i+4], with 0 past the end of the row.
fn x_at(row: u32, i: u32) -> vec4<f32> {
    return kept(x_quad(row * params.I + i), i, params.I);
}

// w[i..i+4,j..j+4], a column of the block for each i.
fn w_at(i: u32, j: u32) -> mat4x4<f32> {
    let n = i * params.J + j;
    return mat4x4<f32>(
        w_quad(n),
        w_quad(n + params.J),
        w_quad(n + 2u * params.J),
        w_quad(n + 3u * params.J),
    );
}

fn finish(r: u32, j: u32, sums: vec4<f32>) {
    if (r >= rows() || j >= params.J) {
        return;
    }
    var value = sums;
    if (params.has_bias != 0u) {
        value += bias_quad(j);
    }
    for (var row = row_of(r); row != NONE; row = same_as(row)) {
        store(row * params.J + j, params.J - j, value);
    }
}
