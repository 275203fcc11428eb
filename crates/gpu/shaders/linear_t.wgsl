// out[r,i] = add[r,i] + Σ_c x[r,c] · w[i, first_col + c]
//
// How the sums are shared out is in `products/`, and what else is written in `epilogues/`.

struct Params {
    R: u32,
    C: u32,
    I: u32,
    J: u32,
    first_col: u32,
    has_add: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>; // [R,C]
@group(0) @binding(2) var<storage, read> w: array<f32>; // [I,J], first_col + C ≤ J
@group(0) @binding(3) var<storage, read> add: array<f32>; // [≥R,I] if has_add
@group(0) @binding(4) var<storage, read_write> out: array<f32>; // [R,I]

fn inner() -> u32 {
    return params.C;
}

fn columns() -> u32 {
    return params.I;
}

// x[row,c..c+4], with 0 past the end of the row.
fn x_at(row: u32, c: u32) -> vec4<f32> {
    return kept(x_quad(row * params.C + c), c, params.C);
}

// w[i..i+4,first_col+c..first_col+c+4], a column of the block for each c.
fn w_at(c: u32, i: u32) -> mat4x4<f32> {
    let last = params.I - 1u;
    let n = params.first_col + c;
    return transpose(mat4x4<f32>(
        w_quad(min(i, last) * params.J + n),
        w_quad(min(i + 1u, last) * params.J + n),
        w_quad(min(i + 2u, last) * params.J + n),
        w_quad(min(i + 3u, last) * params.J + n),
    ));
}

fn finish(r: u32, i: u32, sums: vec4<f32>) {
    if (r >= rows() || i >= params.I) {
        return;
    }
    for (var row = row_of(r); row != NONE; row = same_as(row)) {
        var value = sums;
        if (params.has_add != 0u) {
            value += add_quad(row * params.I + i);
        }
        store(row * params.I + i, params.I - i, value);
    }
}
