// The rows of a list are computed, of which others may be copies: [1+2R], how many, which, and after each row one that is
// the same.

const NONE = 0xffffffffu;

fn rows() -> u32 {
    return list[0];
}

// The r-th; past the last, the last.
fn row_of(r: u32) -> u32 {
    return list[1u + min(r, rows() - 1u)];
}

fn same_as(row: u32) -> u32 {
    return list[1u + params.R + row];
}
