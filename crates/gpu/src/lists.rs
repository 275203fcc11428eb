//! Which rows a run computes, as its shaders are told.

use std::iter;

use relp_tape::{Beginnings, Rows};
use wgpu::BufferUsages;

use crate::Gpu;
use crate::plan::Owned;

/// After a row that no other is the same as.
const NONE: u32 = u32::MAX;

/// The lists of a part of a tape, one for each kind and number of rows.
#[derive(Debug, Default)]
pub(crate) struct Lists(Vec<List>);

#[derive(Debug)]
struct List {
    rows: Rows,
    of: usize,
    buffer: wgpu::Buffer,
}

impl Lists {
    /// The buffer of a list, made the first time.
    pub(crate) fn get(
        &mut self,
        gpu: &Gpu,
        owned: &mut Owned,
        rows: Rows,
        of: usize,
    ) -> wgpu::Buffer {
        let found = self.0.iter().find(|list| (list.rows, list.of) == (rows, of));
        if let Some(list) = found {
            return list.buffer.clone();
        }
        let usage = BufferUsages::STORAGE | BufferUsages::COPY_DST;
        let buffer = gpu.buffer(owned, "rows", 4 * (1 + 2 * of as u64), usage);
        self.0.push(List { rows, of, buffer: buffer.clone() });
        buffer
    }

    /// Fills them for a run.
    pub(crate) fn write(&self, queue: &wgpu::Queue, beginnings: &Beginnings) {
        for list in &self.0 {
            let words = words(list.rows, list.of, beginnings);
            queue.write_buffer(&list.buffer, 0, bytemuck::cast_slice(&words));
        }
    }
}

/// How many rows are computed, and which; then after each row another that is the same.
fn words(rows: Rows, of: usize, beginnings: &Beginnings) -> Vec<u32> {
    let computed: Vec<u32> =
        beginnings.computed(rows, of).into_iter().flatten().map(|row| row as u32).collect();
    let many = computed.len();
    let padding = iter::repeat_n(0, of - many);
    let mut words: Vec<u32> = iter::once(many as u32).chain(computed).chain(padding).collect();
    let mut next = vec![NONE; of];
    if rows == Rows::Distinct {
        // The last so far that is the same as a row, by what is computed of them.
        let mut first: Vec<usize> = (0..of).collect();
        let mut last = first.clone();
        for (range, to) in beginnings.copied() {
            for (row, copy) in range.zip(to..) {
                first[copy] = first[row];
                next[last[first[row]]] = copy as u32;
                last[first[row]] = copy;
            }
        }
    }
    words.extend(next);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_computed_or_after_one_that_is() {
        let tokens = [1, 2, 3, 4, 1, 2, 9, 4, 1, 2, 9, 9, 5, 2, 3, 4];
        let beginnings = Beginnings::of(&tokens, 4);
        let words = words(Rows::Distinct, 16, &beginnings);
        let (computed, next) = words[1..].split_at(16);
        let computed = &computed[..words[0] as usize];
        assert_eq!(computed, [0, 1, 2, 3, 6, 7, 11, 12, 13, 14, 15]);
        let mut found = Vec::new();
        for &row in computed {
            let mut row = row;
            while row != NONE {
                found.push(row);
                row = next[row as usize];
            }
        }
        assert_eq!(found, [0, 4, 8, 1, 5, 9, 2, 3, 6, 10, 7, 11, 12, 13, 14, 15]);
        let differing = super::words(Rows::Differing, 8, &beginnings);
        assert_eq!(differing[..7], [6, 2, 3, 4, 5, 6, 7]);
        assert_eq!(differing[9..], [NONE; 8]);
    }
}
