// The row (b,h,t) of [B,H,T,…] that a head has of row b·T + t.
fn head_row(row: u32, h: u32) -> u32 {
    return (row / params.T * params.H + h) * params.T + row % params.T;
}
