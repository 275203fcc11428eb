// out[r,i] = add[r,i] + Σ_c x[r,c] · w[i, first_col + c]
//
// A workgroup computes a tile of 32 × 32, an invocation 4 × 4 of it. Every sum runs over c in order,
// whatever the tile: a row comes out the same, to the bit, whichever rows are computed with it.

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

var<workgroup> x_tile: array<vec4<f32>, 144>; // [STEP,STRIDE]: 4 rows of x at one c
var<workgroup> w_tile: array<vec4<f32>, 144>; // [STEP,STRIDE]: 4 rows of w at one c

fn x_at(r: u32, c: u32) -> f32 {
    if (r < params.R && c < params.C) {
        return x[r * params.C + c];
    }
    return 0.0;
}

fn w_at(i: u32, c: u32) -> f32 {
    if (i < params.I && c < params.C) {
        return w_of(i * params.J + params.first_col + c);
    }
    return 0.0;
}

fn store(r: u32, i: u32, sum: f32) {
    if (r < params.R && i < params.I) {
        var value = sum;
        if (params.has_add != 0u) {
            value += add[r * params.I + i];
        }
        out[r * params.I + i] = value;
    }
}

fn store_quad(r: u32, i: u32, sums: vec4<f32>) {
    store(r, i, sums.x);
    store(r, i + 1u, sums.y);
    store(r, i + 2u, sums.z);
    store(r, i + 3u, sums.w);
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    // Neighbouring workgroups take the same rows of w.
    let tile = group.y * groups.x + group.x;
    let row_tiles = (params.R + TILE - 1u) / TILE;
    let first_r = tile % row_tiles * TILE;
    let first_i = tile / row_tiles * TILE;
    if (first_i >= params.I) {
        return;
    }
    let row_quad = local / 8u;
    let col_quad = local % 8u;

    var row_0 = vec4<f32>();
    var row_1 = vec4<f32>();
    var row_2 = vec4<f32>();
    var row_3 = vec4<f32>();
    for (var first_c = 0u; first_c < params.C; first_c += STEP) {
        // 16 · 8 quads each: two an invocation, neighbours reading along a row of x and of w.
        for (var n = local; n < STEP * 8u; n += 64u) {
            let tile_c = n % STEP;
            let c = first_c + tile_c;
            let r = first_r + n / STEP * 4u;
            x_tile[tile_c * STRIDE + n / STEP] =
                vec4<f32>(x_at(r, c), x_at(r + 1u, c), x_at(r + 2u, c), x_at(r + 3u, c));
            let i = first_i + n / STEP * 4u;
            w_tile[tile_c * STRIDE + n / STEP] =
                vec4<f32>(w_at(i, c), w_at(i + 1u, c), w_at(i + 2u, c), w_at(i + 3u, c));
        }
        workgroupBarrier();
        for (var c = 0u; c < STEP; c += 1u) {
            let xs = x_tile[c * STRIDE + row_quad];
            let ws = w_tile[c * STRIDE + col_quad];
            row_0 += xs.x * ws;
            row_1 += xs.y * ws;
            row_2 += xs.z * ws;
            row_3 += xs.w * ws;
        }
        workgroupBarrier();
    }

    let r = first_r + row_quad * 4u;
    let i = first_i + col_quad * 4u;
    store_quad(r, i, row_0);
    store_quad(r + 1u, i, row_1);
    store_quad(r + 2u, i, row_2);
    store_quad(r + 3u, i, row_3);
}
