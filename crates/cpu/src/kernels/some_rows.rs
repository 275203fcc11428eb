//! Products of some rows alone: they are brought together, and what comes of them is put where it belongs.

use std::ops::Range;

/// Some rows of a matrix.
pub(crate) struct SomeRows {
    ranges: Vec<Range<usize>>,
    /// How many there are, and the matrix has.
    many: usize,
    of: usize,
}

impl SomeRows {
    pub(crate) fn new(ranges: Vec<Range<usize>>, of: usize) -> Self {
        let many = ranges.iter().map(Range::len).sum();
        Self { ranges, many, of }
    }

    pub(crate) fn are_all(&self) -> bool {
        self.many == self.of
    }

    fn gather(&self, values: &[f32], gathered: &mut Vec<f32>) {
        let cols = values.len() / self.of;
        gathered.clear();
        for Range { start, end } in &self.ranges {
            gathered.extend_from_slice(&values[start * cols..end * cols]);
        }
    }
}

/// Where rows are brought together, kept from product to product: new memory would cost more than the copies.
#[derive(Default)]
pub(crate) struct Gathered {
    x: Vec<f32>,
    add: Vec<f32>,
    out: Vec<f32>,
}

/// Calls `product(x, add, out)` with these rows of each. All others of `out` become 0.
pub(crate) fn product(
    rows: &SomeRows,
    gathered: &mut Gathered,
    (x, add): (&[f32], Option<&[f32]>),
    out: &mut [f32],
    product: impl FnOnce(&[f32], Option<&[f32]>, &mut [f32]),
) {
    let cols = out.len() / rows.of;
    gathered.out.resize(rows.many * cols, 0.0);
    if rows.many > 0 {
        rows.gather(x, &mut gathered.x);
        let add = add.map(|add| {
            rows.gather(add, &mut gathered.add);
            &gathered.add[..]
        });
        product(&gathered.x, add, &mut gathered.out);
    }
    let (mut done, mut some) = (0, &gathered.out[..]);
    for Range { start, end } in &rows.ranges {
        let (here, rest) = some.split_at((end - start) * cols);
        out[done * cols..start * cols].fill(0.0);
        out[start * cols..end * cols].copy_from_slice(here);
        (done, some) = (*end, rest);
    }
    out[done * cols..].fill(0.0);
}

/// Puts rows where others are the same.
pub(crate) fn copy(
    same: impl Iterator<Item = (Range<usize>, usize)>,
    cols: usize,
    out: &mut [f32],
) {
    for (Range { start, end }, to) in same {
        out.copy_within(start * cols..end * cols, to * cols);
    }
}
