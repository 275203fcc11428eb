// A product computes some rows, of which others may be copies.

const NONE = 0xffffffffu;

@group(0) @binding({list}) var<storage, read> list: array<u32>; // [1+2R]: how many, which, and after each row one that is the same

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
