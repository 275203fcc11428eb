//! Rows as columns, in the order in which the tiles read them.

/// `x` \[R,K\] as \[K,R\], with rows of zeros up to a whole number of vectors.
pub(super) struct Columns {
    pub(super) values: Vec<f32>,
    /// Rows of x, with those of zeros.
    pub(super) padded: usize,
}

/// As many values as the widest vector has.
const WIDEST: usize = 16;

impl Columns {
    pub(super) fn of(x: &[f32], rows: usize) -> Self {
        let cols = x.len() / rows;
        let padded = rows.next_multiple_of(WIDEST);
        let mut values = vec![0.0; cols * padded];
        // Some columns at a time, so that what is written stays in the cache.
        for from in (0..cols).step_by(WIDEST) {
            for (row, x) in x.chunks_exact(cols).enumerate() {
                let places = values[from * padded..].chunks_exact_mut(padded);
                for (place, x) in places.zip(&x[from..cols.min(from + WIDEST)]) {
                    place[row] = *x;
                }
            }
        }
        Self { values, padded }
    }
}
