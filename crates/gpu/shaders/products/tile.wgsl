// A workgroup computes a tile of TILE_ROWS rows and 4 · COL_QUADS columns out of workgroup memory, and
// an invocation ROWS rows of 4 columns. A line with {r} in it stands for one a row.

// The part of the sum that is in workgroup memory at a time.
const STEP = 16u;
const STEP_QUADS = STEP / 4u;
// Strides in quads, one more than there are, to spread a column over the memory's banks.
const X_STRIDE = STEP_QUADS + 1u;
const W_STRIDE = COL_QUADS + 1u;

var<workgroup> x_tile: array<vec4<f32>, TILE_ROWS * X_STRIDE>; // [TILE_ROWS,X_STRIDE]: 4 terms of a row
var<workgroup> w_tile: array<vec4<f32>, STEP * W_STRIDE>; // [STEP,W_STRIDE]: a term of 4 columns

@compute @workgroup_size(GROUP)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let corner = tile_corner(group, groups);
    let first_row = corner.x;
    let first_col = corner.y;
    if (first_col >= columns()) {
        return;
    }
    let row = local / COL_QUADS * ROWS;
    let quad = local % COL_QUADS;

    var total_{r} = vec4<f32>();
    for (var chunk = 0u; chunk < inner(); chunk += CHUNK) {
        var sum_{r} = vec4<f32>();
        for (var first = chunk; first < min(chunk + CHUNK, inner()); first += STEP) {
            for (var n = local; n < TILE_ROWS * STEP_QUADS; n += GROUP) {
                let r = n / STEP_QUADS;
                let k = n % STEP_QUADS;
                x_tile[r * X_STRIDE + k] = x_at(row_of(first_row + r), first + 4u * k);
            }
            for (var n = local; n < STEP_QUADS * COL_QUADS; n += GROUP) {
                let k = n / COL_QUADS * 4u;
                let block = w_at(first + k, first_col + n % COL_QUADS * 4u);
                let at = k * W_STRIDE + n % COL_QUADS;
                w_tile[at] = block[0];
                w_tile[at + W_STRIDE] = block[1];
                w_tile[at + 2u * W_STRIDE] = block[2];
                w_tile[at + 3u * W_STRIDE] = block[3];
            }
            workgroupBarrier();
            for (var k = 0u; k < STEP_QUADS; k += 1u) {
                let at = 4u * k * W_STRIDE + quad;
                let w_0 = w_tile[at];
                let w_1 = w_tile[at + W_STRIDE];
                let w_2 = w_tile[at + 2u * W_STRIDE];
                let w_3 = w_tile[at + 3u * W_STRIDE];
                let x_{r} = x_tile[(row + {r}u) * X_STRIDE + k];
                sum_{r} += x_{r}.x * w_0;
                sum_{r} += x_{r}.y * w_1;
                sum_{r} += x_{r}.z * w_2;
                sum_{r} += x_{r}.w * w_3;
            }
            workgroupBarrier();
        }
        total_{r} += sum_{r};
    }
    finish(first_row + row + {r}u, first_col + 4u * quad, total_{r});
}
