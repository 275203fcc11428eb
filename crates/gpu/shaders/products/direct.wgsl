// An invocation computes ROWS rows of 4 columns by itself, out of the buffers: without workgroup memory
// and barriers, which cost more than they save where an invocation is a part of a CPU's loop. A line
// with {r} in it stands for one a row.

@compute @workgroup_size(GROUP)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let corner = tile_corner(group, groups);
    let row = corner.x + local / COL_QUADS * ROWS;
    let col = corner.y + local % COL_QUADS * 4u;
    if (row >= rows() || col >= columns()) {
        return;
    }

    let row_{r} = row_of(row + {r}u);
    var total_{r} = vec4<f32>();
    for (var chunk = 0u; chunk < inner(); chunk += CHUNK) {
        let end = min(chunk + CHUNK, inner());
        var sum_{r} = vec4<f32>();
        for (var k = chunk; k < end; k += 4u) {
            let w = w_at(k, col);
            let x_{r} = x_at(row_{r}, k);
            sum_{r} += x_{r}.x * w[0];
            sum_{r} += x_{r}.y * w[1];
            sum_{r} += x_{r}.z * w[2];
            sum_{r} += x_{r}.w * w[3];
        }
        total_{r} += sum_{r};
    }
    finish(row + {r}u, col, total_{r});
}
