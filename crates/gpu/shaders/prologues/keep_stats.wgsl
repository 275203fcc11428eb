// What layer_norm's gradient reads, written by those that take the first columns.

@group(0) @binding(10) var<storage, read_write> stats: array<f32>; // [R,2]: μ, 1/σ

fn keep_stats(local: u32, first_row: u32, first_col: u32) {
    if (first_col == 0u && local < ROWS) {
        for (var row = row_of(first_row + local); row != NONE; row = same_as(row)) {
            stats[2u * row] = mean[local];
            stats[2u * row + 1u] = inv_sigma[local];
        }
    }
}
