// For few rows: a workgroup computes ROWS rows of 4 · COL_QUADS columns, and as many invocations share
// the sum of a quad as there are rows, each every so manieth chunk of it. The chunks' sums are then
// added in their order, one row an invocation. A line with {r} in it stands for one a row.

var<workgroup> parts: array<vec4<f32>, ROWS * GROUP>; // [slice,row,quad]: the sum of a chunk

@compute @workgroup_size(GROUP)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let corner = tile_corner(group, groups);
    let row = corner.x;
    let first_col = corner.y;
    if (first_col >= columns()) {
        return;
    }
    let slice = local / COL_QUADS;
    let quad = local % COL_QUADS;
    let col = first_col + 4u * quad;

    begin(local, row, first_col);
    let row_{r} = row_of(row + {r}u);
    var total = vec4<f32>();
    for (var round = 0u; round < inner(); round += ROWS * CHUNK) {
        let chunk = round + slice * CHUNK;
        let end = min(chunk + CHUNK, inner());
        var sum_{r} = vec4<f32>();
        for (var k = chunk; k < end; k += 4u) {
            let w = w_at(k, col);
            let x_{r} = loaded(x_at(row_{r}, k), k, {r}u);
            sum_{r} += x_{r}.x * w[0];
            sum_{r} += x_{r}.y * w[1];
            sum_{r} += x_{r}.z * w[2];
            sum_{r} += x_{r}.w * w[3];
        }
        parts[(slice * ROWS + {r}u) * COL_QUADS + quad] = sum_{r};
        workgroupBarrier();
        // From here on the slice is a row.
        total += parts[({r}u * ROWS + slice) * COL_QUADS + quad];
        workgroupBarrier();
    }
    finish(row + slice, col, total);
}
