// Every row is computed.

const NONE = 0xffffffffu;

fn rows() -> u32 {
    return params.R;
}

// The r-th; past the last, the last.
fn row_of(r: u32) -> u32 {
    return min(r, params.R - 1u);
}

fn same_as(row: u32) -> u32 {
    return NONE;
}
