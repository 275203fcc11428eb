//! Rows as columns, in the order in which the tiles read them.

/// As many values as the widest vector has.
pub(in crate::kernels) const WIDEST: usize = 16;

/// As many values as half a vector of the widest has. Of no more rows a column is no longer, where that spares anything.
pub(super) const HALF: usize = if cfg!(target_arch = "wasm32") { WIDEST } else { WIDEST / 2 };

/// Rows that are near each other: of as many vectors as a tile has.
pub(super) const TOGETHER: usize = if cfg!(target_arch = "wasm32") { 16 } else { 32 };

/// `x` \[R,K\] in blocks of `TOGETHER` rows, which lie one after the other, each as \[K,rows\], the last with rows of zeros
/// up to a whole number of vectors.
pub(super) struct Columns {
    values: Vec<f32>,
    cols: usize,
    rows: usize,
}

/// Some columns of some rows, as \[columns,`stride`\].
#[derive(Clone, Copy)]
pub(super) struct Block<'a> {
    pub(super) values: &'a [f32],
    pub(super) stride: usize,
    /// The first row, and how many there are.
    pub(super) first: usize,
    pub(super) rows: usize,
}

impl Columns {
    pub(super) fn of(x: &[f32], rows: usize) -> Self {
        let cols = x.len() / rows;
        let padded = rows.next_multiple_of(if rows <= HALF { HALF } else { WIDEST });
        let mut all = Self { values: vec![0.0; padded * cols], cols, rows };
        let blocks = x.chunks(TOGETHER * cols).zip(all.values.chunks_mut(TOGETHER * cols));
        blocks.for_each(|(x, block)| transpose(x, cols, block.len() / cols, block));
        all
    }

    /// Rows, with those of zeros.
    pub(super) fn padded(&self) -> usize {
        self.values.len() / self.cols
    }

    /// Of every block the columns from a first on.
    #[inline(always)]
    pub(super) fn blocks(&self, from: usize) -> impl Iterator<Item = Block<'_>> {
        let blocks = self.values.chunks(TOGETHER * self.cols).enumerate();
        blocks.map(move |(at, values)| {
            let (stride, first) = (values.len() / self.cols, at * TOGETHER);
            let rows = TOGETHER.min(self.rows - first);
            Block { values: &values[from * stride..], stride, first, rows }
        })
    }
}

/// `x` \[R,K\] in tiles of about as many rows each, which lie one after the other, each as \[K,rows\].
pub(super) struct Tiles {
    values: Vec<f32>,
    cols: usize,
    rows: usize,
    tiles: usize,
}

impl Tiles {
    /// In as few tiles as there are if none has more than `most` rows.
    pub(super) fn of(x: &[f32], rows: usize, most: usize) -> Self {
        let cols = x.len() / rows;
        let tiles = rows.div_ceil(most);
        let mut all = Self { values: vec![0.0; x.len()], cols, rows, tiles };
        let (mut x, mut values) = (x, std::mem::take(&mut all.values));
        let mut left = &mut values[..];
        for rows in all.sizes() {
            let (tile, rest) = left.split_at_mut(rows * cols);
            transpose(&x[..rows * cols], cols, rows, tile);
            (x, left) = (&x[rows * cols..], rest);
        }
        all.values = values;
        all
    }

    /// Columns of x.
    pub(super) fn cols(&self) -> usize {
        self.cols
    }

    /// How many there are.
    pub(super) fn tiles(&self) -> usize {
        self.tiles
    }

    /// For every tile the columns of x from a first on, and how many rows it has.
    pub(super) fn from(&self, first: usize) -> impl Iterator<Item = (&[f32], usize)> {
        let mut values = &self.values[..];
        self.sizes().map(move |rows| {
            let (tile, rest) = values.split_at(rows * self.cols);
            values = rest;
            (&tile[first * rows..], rows)
        })
    }

    fn sizes(&self) -> impl Iterator<Item = usize> + use<> {
        let (mut rows, tiles) = (self.rows, self.tiles);
        (0..tiles).map(move |at| {
            let here = rows.div_ceil(tiles - at);
            rows -= here;
            here
        })
    }
}

/// `x` \[R,`cols`\] as \[`cols`,`stride`\].
fn transpose(x: &[f32], cols: usize, stride: usize, out: &mut [f32]) {
    // Some columns at a time, so that what is written stays in the cache.
    for from in (0..cols).step_by(WIDEST) {
        for (row, x) in x.chunks_exact(cols).enumerate() {
            let places = out[from * stride..].chunks_exact_mut(stride);
            for (place, x) in places.zip(&x[from..cols.min(from + WIDEST)]) {
                place[row] = *x;
            }
        }
    }
}
