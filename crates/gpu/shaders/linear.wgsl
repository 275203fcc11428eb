// out[r,j] = bias[j] + Σ_i x[r,i] · w[i,j]
//
// A workgroup computes a tile of 32 × 32, an invocation 4 × 4 of it. Every sum runs over i in order,
// whatever the tile: a row comes out the same, to the bit, whichever rows are computed with it.

struct Params {
    R: u32,
    I: u32,
    J: u32,
    has_bias: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>; // [R,I]
@group(0) @binding(2) var<storage, read> w: array<f32>; // [I,J]
@group(0) @binding(3) var<storage, read> bias: array<f32>; // [J] if has_bias
@group(0) @binding(4) var<storage, read_write> out: array<f32>; // [R,J]

// How a matrix is kept, only this function and its binding know.
fn w_of(n: u32) -> f32 {
    return w[n];
}

// Rows, and columns, of a tile.
const TILE = 32u;
// The part of the sum that is in workgroup memory at a time.
const STEP = 16u;
// Quads a tile is wide, and one that spreads the quads of a column over the memory banks.
const STRIDE = 9u;

var<workgroup> x_tile: array<vec4<f32>, 144>; // [STEP,STRIDE]: 4 rows at one i
var<workgroup> w_tile: array<vec4<f32>, 144>; // [STEP,STRIDE]: 4 columns at one i

fn x_at(r: u32, i: u32) -> f32 {
    if (r < params.R && i < params.I) {
        return x[r * params.I + i];
    }
    return 0.0;
}

fn w_at(i: u32, j: u32) -> f32 {
    if (i < params.I && j < params.J) {
        return w_of(i * params.J + j);
    }
    return 0.0;
}

fn store(r: u32, j: u32, sum: f32) {
    if (r < params.R && j < params.J) {
        var value = sum;
        if (params.has_bias != 0u) {
            value += bias[j];
        }
        out[r * params.J + j] = value;
    }
}

fn store_quad(r: u32, j: u32, sums: vec4<f32>) {
    store(r, j, sums.x);
    store(r, j + 1u, sums.y);
    store(r, j + 2u, sums.z);
    store(r, j + 3u, sums.w);
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    // Neighbouring workgroups take the same columns of w.
    let tile = group.y * groups.x + group.x;
    let row_tiles = (params.R + TILE - 1u) / TILE;
    let first_r = tile % row_tiles * TILE;
    let first_j = tile / row_tiles * TILE;
    if (first_j >= params.J) {
        return;
    }
    let row_quad = local / 8u;
    let col_quad = local % 8u;

    var row_0 = vec4<f32>();
    var row_1 = vec4<f32>();
    var row_2 = vec4<f32>();
    var row_3 = vec4<f32>();
    for (var first_i = 0u; first_i < params.I; first_i += STEP) {
        // 16 · 8 quads each: two an invocation, neighbours reading along a row of x and of w.
        for (var n = local; n < STEP * 8u; n += 64u) {
            let x_i = n % STEP;
            let r = first_r + n / STEP * 4u;
            x_tile[x_i * STRIDE + n / STEP] = vec4<f32>(
                x_at(r, first_i + x_i),
                x_at(r + 1u, first_i + x_i),
                x_at(r + 2u, first_i + x_i),
                x_at(r + 3u, first_i + x_i),
            );
            let w_i = n / 8u;
            let j = first_j + n % 8u * 4u;
            w_tile[w_i * STRIDE + n % 8u] = vec4<f32>(
                w_at(first_i + w_i, j),
                w_at(first_i + w_i, j + 1u),
                w_at(first_i + w_i, j + 2u),
                w_at(first_i + w_i, j + 3u),
            );
        }
        workgroupBarrier();
        for (var i = 0u; i < STEP; i += 1u) {
            let xs = x_tile[i * STRIDE + row_quad];
            let ws = w_tile[i * STRIDE + col_quad];
            row_0 += xs.x * ws;
            row_1 += xs.y * ws;
            row_2 += xs.z * ws;
            row_3 += xs.w * ws;
        }
        workgroupBarrier();
    }

    let r = first_r + row_quad * 4u;
    let j = first_j + col_quad * 4u;
    store_quad(r, j, row_0);
    store_quad(r + 1u, j, row_1);
    store_quad(r + 2u, j, row_2);
    store_quad(r + 3u, j, row_3);
}
