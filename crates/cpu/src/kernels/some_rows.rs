//! Ops that compute some of their rows alone. All others keep what they had.

use std::ops::Range;
use std::{iter, mem};

use crate::parallel;

/// Values of a task that goes through rows, so that it is worth handing to another thread.
const TASK: usize = 4096;

/// Some rows of \[S,T,…\], or of \[S,G,T,…\] the same in each of the `G`.
pub(crate) struct SomeRows {
    /// Of s·T + t, in order, with others between them.
    ranges: Vec<Range<usize>>,
    /// How many there are, and S·T.
    many: usize,
    of: usize,
    groups: usize,
    positions: usize,
}

impl SomeRows {
    /// All rows of values of some shape.
    pub(crate) fn all(shape: &[usize]) -> Self {
        Self::new(shape, |of| iter::once(0..of).collect())
    }

    /// Those of S·T that `ranges(S·T)` says, of values of some shape.
    pub(crate) fn new(shape: &[usize], ranges: impl FnOnce(usize) -> Vec<Range<usize>>) -> Self {
        let (groups, positions) = groups_and_positions(shape);
        let of = shape.split_last().map_or(1, |(_, rows)| rows.iter().product::<usize>()) / groups;
        let mut joined: Vec<Range<usize>> = Vec::new();
        for range in ranges(of) {
            match joined.last_mut() {
                Some(last) if last.end == range.start => last.end = range.end,
                _ => joined.push(range),
            }
        }
        let many = joined.iter().map(Range::len).sum();
        Self { ranges: joined, many, of, groups, positions }
    }

    pub(crate) fn are_all(&self) -> bool {
        self.many == self.of
    }

    /// Of the work of all rows that of these.
    pub(crate) fn share_of(&self, work: usize) -> usize {
        work / self.of.max(1) * self.many
    }

    /// Whether row (s·G + g)·T + t is one.
    fn has(&self, row: usize) -> bool {
        let (t, s) = (row % self.positions, row / self.positions / self.groups);
        let row = s * self.positions + t;
        let at = self.ranges.partition_point(|range| range.end <= row);
        self.ranges.get(at).is_some_and(|range| range.contains(&row))
    }

    /// Those of some rows s·T + t, at most `together` at a time, of one sequence.
    pub(crate) fn among(
        &self,
        rows: Range<usize>,
        together: usize,
    ) -> impl Iterator<Item = Range<usize>> {
        let positions = self.positions;
        self.ranges.iter().flat_map(move |range| {
            let (mut at, end) = (range.start.max(rows.start), range.end.min(rows.end));
            iter::from_fn(move || {
                let next = end.min(at + together).min((at / positions + 1) * positions);
                (at < end).then(|| mem::replace(&mut at, next)..next)
            })
        })
    }

    /// Calls `f(row, its values)` for each of them; `work` is about the number of multiply-adds of all rows.
    pub(crate) fn each(
        &self,
        out: &mut [f32],
        work: usize,
        f: impl Fn(usize, &mut [f32]) + Sync + Send,
    ) {
        self.each_of_two(out, &mut [], work, |row, out, _| f(row, out));
    }

    /// The same with the rows of two matrices, of which the second may have no columns.
    pub(crate) fn each_of_two(
        &self,
        out: &mut [f32],
        beside: &mut [f32],
        work: usize,
        f: impl Fn(usize, &mut [f32], &mut [f32]) + Sync + Send,
    ) {
        let rows = self.of * self.groups;
        let (cols, cols_beside) = (out.len() / rows, beside.len() / rows);
        let together = TASK.div_ceil(cols);
        let mut rest = beside;
        let mut tasks = Vec::with_capacity(rows.div_ceil(together));
        for out in out.chunks_mut(together * cols) {
            let (here, after) = rest.split_at_mut(out.len() / cols * cols_beside);
            tasks.push((out, here));
            rest = after;
        }
        let all = self.are_all();
        parallel::chunks(&mut tasks, 1, self.share_of(work), |at, task| {
            for (out, beside) in task {
                let mut rest = &mut **beside;
                for (row, out) in out.chunks_mut(cols).enumerate() {
                    let (here, after) = rest.split_at_mut(cols_beside);
                    rest = after;
                    let row = at * together + row;
                    if all || self.has(row) {
                        f(row, out, here);
                    }
                }
            }
        });
    }

    fn gather(&self, values: &[f32], cols: usize, gathered: &mut Vec<f32>) {
        gathered.clear();
        for Range { start, end } in &self.ranges {
            gathered.extend_from_slice(&values[start * cols..end * cols]);
        }
    }
}

/// `G` and `T`.
fn groups_and_positions(shape: &[usize]) -> (usize, usize) {
    match *shape {
        [_, groups, positions, _] => (groups, positions),
        [.., positions, _] => (1, positions),
        _ => (1, 1),
    }
}

/// Where rows are brought together, kept from product to product: new memory would cost more than the copies.
#[derive(Default)]
pub(crate) struct Gathered {
    x: Vec<f32>,
    add: Vec<f32>,
    out: Vec<f32>,
}

/// Calls `product(x, add, out)` with these rows of each, of which x has `x_cols` columns. They are brought together for it, if
/// they are not already.
pub(crate) fn product(
    rows: &SomeRows,
    gathered: &mut Gathered,
    (x, x_cols, add): (&[f32], usize, Option<&[f32]>),
    out: &mut [f32],
    product: impl FnOnce(&[f32], Option<&[f32]>, &mut [f32]),
) {
    if rows.are_all() {
        return product(x, add, out);
    }
    assert_eq!(rows.groups, 1, "a product has rows of sequences");
    let cols = out.len() / rows.of;
    if let [Range { start, end }] = rows.ranges[..] {
        let (x, add) = (&x[x_cols * start..], add.map(|add| &add[cols * start..]));
        return product(x, add, &mut out[cols * start..cols * end]);
    }
    if rows.many == 0 {
        return;
    }
    gathered.out.resize(rows.many * cols, 0.0);
    rows.gather(x, x_cols, &mut gathered.x);
    let add = add.map(|add| {
        rows.gather(add, cols, &mut gathered.add);
        &gathered.add[..]
    });
    product(&gathered.x, add, &mut gathered.out);
    let mut some = &gathered.out[..];
    for Range { start, end } in &rows.ranges {
        let (here, rest) = some.split_at((end - start) * cols);
        out[start * cols..end * cols].copy_from_slice(here);
        some = rest;
    }
}

/// Puts rows s·T + t of \[S,G,T,…\] where others are the same.
pub(crate) fn copy(
    same: impl Iterator<Item = (Range<usize>, usize)>,
    shape: &[usize],
    out: &mut [f32],
) {
    let (groups, positions) = groups_and_positions(shape);
    let cols = shape.last().copied().unwrap_or(1);
    let place = |row: usize, group: usize| {
        ((row / positions * groups + group) * positions + row % positions) * cols
    };
    for (Range { start, end }, to) in same {
        for group in 0..groups {
            let from = place(start, group);
            out.copy_within(from..from + (end - start) * cols, place(to, group));
        }
    }
}
