// The first row and column of a workgroup's tile. Neighbouring workgroups take the same columns of w.
fn tile_corner(group: vec3<u32>, groups: vec3<u32>) -> vec2<u32> {
    let tile = group.y * groups.x + group.x;
    let row_tiles = (rows() + TILE_ROWS - 1u) / TILE_ROWS;
    return vec2<u32>(tile % row_tiles * TILE_ROWS, tile / row_tiles * (4u * COL_QUADS));
}
