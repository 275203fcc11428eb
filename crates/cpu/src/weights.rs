//! Weights, in `f32` or as halves.

use std::collections::HashMap;
use std::sync::Arc;

use aligned_vec::{AVec, ConstAlign, avec};
use half::f16;
use half::slice::HalfBitsSliceExt;
use relp_tape::{Content, Op, Piece, Storage, Tape};

use crate::kernels::halves;
use crate::{Cpu, CpuError};

/// Weights by name.
pub(crate) type Weights = HashMap<String, Weight>;

/// A weight, whose values plans share.
#[derive(Clone)]
pub(crate) struct Weight {
    values: Values,
    /// Of a matrix that does not lie row by row.
    panels: Option<Extents>,
}

#[derive(Clone)]
enum Values {
    F32(Arc<Lines<f32>>),
    F16(Arc<Lines<f16>>),
}

/// Values that begin where a cache line does, so that no vector of a whole panel lies in two.
type Lines<T> = AVec<T, ConstAlign<64>>;

/// What a matrix in panels is, and how wide they are.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Extents {
    rows: usize,
    cols: usize,
    width: usize,
}

impl Extents {
    /// Values, with those that the last panel is filled up with.
    fn padded(self) -> usize {
        self.rows * self.cols.next_multiple_of(self.width)
    }
}

impl Weight {
    fn in_rows(values: Values) -> Self {
        Self { values, panels: None }
    }

    pub(crate) fn len(&self) -> usize {
        match (self.panels, &self.values) {
            (Some(Extents { rows, cols, .. }), _) => rows * cols,
            (None, Values::F32(values)) => values.len(),
            (None, Values::F16(values)) => values.len(),
        }
    }

    /// Whether it is the very same, and not one of the same name that came later.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (&self.values, &other.values) {
            (Values::F32(here), Values::F32(there)) => Arc::ptr_eq(here, there),
            (Values::F16(here), Values::F16(there)) => Arc::ptr_eq(here, there),
            _ => false,
        }
    }

    pub(crate) fn is_halves(&self) -> bool {
        matches!(self.values, Values::F16(_))
    }

    /// The values of what lies row by row in `f32`, as everything does that is no matrix.
    pub(crate) fn as_values(&self) -> &[f32] {
        match (self.panels, &self.values) {
            (None, Values::F32(values)) => values,
            _ => unreachable!("only matrices are kept otherwise"),
        }
    }

    /// What lies row by row.
    pub(crate) fn as_matrix(&self) -> Matrix<'_> {
        assert!(self.panels.is_none(), "a plan is made for matrices as they lie");
        self.matrix()
    }

    /// A matrix of so many columns, as it lies.
    pub(crate) fn as_panels(&self, cols: usize) -> Panels<'_> {
        match self.panels {
            Some(Extents { rows, cols, width }) => {
                Panels { values: self.matrix(), rows, cols, width }
            }
            None => Panels::of_rows(self.matrix(), cols),
        }
    }

    fn matrix(&self) -> Matrix<'_> {
        match &self.values {
            Values::F32(values) => Matrix::F32(values),
            Values::F16(values) => Matrix::F16(values),
        }
    }

    /// Puts a matrix of so many columns into panels. Who shares the values keeps them as they lay.
    pub(crate) fn put_into_panels(&mut self, cols: usize, width: usize) {
        let panels = Extents { rows: self.len() / cols, cols, width };
        if self.panels == Some(panels) {
            return;
        }
        self.put_into_rows();
        match &mut self.values {
            Values::F32(values) => {
                put(values, panels.padded(), 0.0, |from, to| into_panels(from, panels, to));
            }
            Values::F16(values) => {
                put(values, panels.padded(), f16::ZERO, |from, to| into_panels(from, panels, to));
            }
        }
        self.panels = Some(panels);
    }

    /// Undoes [`put_into_panels`](Self::put_into_panels).
    pub(crate) fn put_into_rows(&mut self) {
        let Some(panels) = self.panels.take() else { return };
        let len = panels.rows * panels.cols;
        match &mut self.values {
            Values::F32(values) => put(values, len, 0.0, |from, to| into_rows(from, panels, to)),
            Values::F16(values) => {
                put(values, len, f16::ZERO, |from, to| into_rows(from, panels, to));
            }
        }
    }
}

/// Has the values written in another order, to zeros at first. They stay where they are if they are as many and nobody
/// shares them: what is copied meanwhile is gone at once, and leaves no gap between what stays.
fn put<T: Copy>(
    values: &mut Arc<Lines<T>>,
    len: usize,
    zero: T,
    write: impl FnOnce(&[T], &mut [T]),
) {
    match Arc::get_mut(values) {
        Some(place) if place.len() == len => {
            let from = place.clone();
            write(&from, place);
        }
        _ => {
            let mut all = avec![[64]| zero; len];
            write(values, &mut all);
            *values = Arc::new(all);
        }
    }
}

fn into_panels<T: Copy>(rows: &[T], Extents { rows: many, cols, width }: Extents, all: &mut [T]) {
    for (at, panel) in all.chunks_exact_mut(many * width).enumerate() {
        let columns = at * width..cols.min((at + 1) * width);
        for (place, row) in panel.chunks_exact_mut(width).zip(rows.chunks_exact(cols)) {
            place[..columns.len()].copy_from_slice(&row[columns.clone()]);
        }
    }
}

fn into_rows<T: Copy>(panels: &[T], Extents { rows, cols, width }: Extents, all: &mut [T]) {
    for (r, row) in all.chunks_exact_mut(cols).enumerate() {
        for (row, panel) in row.chunks_mut(width).zip(panels.chunks_exact(rows * width)) {
            row.copy_from_slice(&panel[r * width..][..row.len()]);
        }
    }
}

/// A matrix in panels of `width` columns, one after the other, the last filled up. Each lies row by row; a matrix that
/// does so itself is one panel.
#[derive(Clone, Copy)]
pub(crate) struct Panels<'a> {
    pub(crate) values: Matrix<'a>,
    pub(crate) rows: usize,
    pub(crate) cols: usize,
    pub(crate) width: usize,
}

impl<'a> Panels<'a> {
    /// A matrix that lies row by row.
    pub(crate) fn of_rows(values: Matrix<'a>, cols: usize) -> Self {
        Self { values, rows: values.len() / cols, cols, width: cols }
    }

    /// Where a value lies, or would: an address to ask for, not to read. Halves have none.
    pub(crate) fn place(&self, row: usize, col: usize) -> Option<*const f32> {
        let Matrix::F32(values) = self.values else { return None };
        let (panel, col) = (col / self.width, col % self.width);
        Some(values.as_ptr().wrapping_add((panel * self.rows + row) * self.width + col))
    }

    pub(crate) fn is_one(&self) -> bool {
        self.width == self.cols
    }
}

/// A matrix whose rows lie one after the other.
#[derive(Clone, Copy)]
pub(crate) enum Matrix<'a> {
    F32(&'a [f32]),
    F16(&'a [f16]),
}

impl<'a> Matrix<'a> {
    fn len(self) -> usize {
        match self {
            Matrix::F32(values) => values.len(),
            Matrix::F16(values) => values.len(),
        }
    }

    /// What is left after so many values.
    pub(crate) fn skip(self, values: usize) -> Self {
        match self {
            Matrix::F32(all) => Matrix::F32(&all[values..]),
            Matrix::F16(all) => Matrix::F16(&all[values..]),
        }
    }

    /// Some consecutive values; `scratch` holds them where they have to be widened.
    pub(crate) fn get<'s>(
        self,
        start: usize,
        len: usize,
        scratch: &'s mut Vec<f32>,
    ) -> Option<&'s [f32]>
    where
        'a: 's,
    {
        match self {
            Matrix::F32(values) => values.get(start..start + len),
            Matrix::F16(values) => {
                let values = values.get(start..start + len)?;
                scratch.resize(len, 0.0);
                halves::widen(values, scratch);
                Some(scratch)
            }
        }
    }
}

impl Cpu {
    /// Brings a tape's weights into the order that it reads them in.
    pub(crate) fn arrange(&mut self, tape: &Tape) {
        let Some(width) = self.panels else { return };
        let mut multiplied = vec![false; tape.bufs().len()];
        let mut read_by_rows = vec![false; tape.bufs().len()];
        for op in tape.ops() {
            for (_, buf) in op.reads() {
                match *op {
                    Op::Linear { w, .. } if w == buf => multiplied[buf.index()] = true,
                    Op::LinearT { w, .. } if w == buf => {}
                    _ => read_by_rows[buf.index()] = true,
                }
            }
        }
        for (buf, info) in tape.bufs().filter(|(_, info)| info.content == Content::Weight) {
            let Some(weight) = self.weights.get_mut(&info.name) else { continue };
            if read_by_rows[buf.index()] {
                weight.put_into_rows();
            } else if multiplied[buf.index()] && weight.len() == info.len() {
                weight.put_into_panels(info.cols(), width);
            }
        }
    }

    #[cfg(test)]
    pub(crate) fn weight(&mut self, name: &str) -> Option<&mut Weight> {
        self.weights.get_mut(name)
    }

    /// Makes room for a weight, of zeros until they are [written](Self::write_weight). Plans made before
    /// keep what they had.
    pub fn reserve_weight(&mut self, name: &str, len: usize, storage: Storage) {
        let values = match storage {
            Storage::F32 => Values::F32(Arc::new(avec![[64]| 0.0; len])),
            Storage::F16 => Values::F16(Arc::new(avec![[64]| f16::ZERO; len])),
        };
        self.weights.insert(name.to_owned(), Weight::in_rows(values));
    }

    /// Writes consecutive values of a reserved weight, from the `at`-th on.
    ///
    /// # Errors
    /// If there is no such weight, it is kept otherwise, or it is too short.
    pub fn write_weight(
        &mut self,
        name: &str,
        at: usize,
        piece: Piece<'_>,
    ) -> Result<(), CpuError> {
        let end = at + piece.len();
        let weight = self.weights.get_mut(name);
        let found = weight.as_ref().map_or(0, |weight| weight.len());
        let values = weight.map(|weight| {
            weight.put_into_rows();
            &mut weight.values
        });
        let written = match (values, piece) {
            (Some(Values::F32(values)), Piece::F32(piece)) => {
                let place = Arc::make_mut(values).get_mut(at..end);
                place.map(|place| place.copy_from_slice(piece))
            }
            (Some(Values::F16(values)), Piece::F16(piece)) => {
                let place = Arc::make_mut(values).get_mut(at..end);
                place.map(|place| place.copy_from_slice(piece.reinterpret_cast()))
            }
            _ => None,
        };
        written.ok_or_else(|| CpuError::Weight { name: name.to_owned(), expected: end, found })
    }

    /// Gives a weight, row-major. Plans made before keep what they had.
    pub fn set_weight(&mut self, name: &str, values: &[f32]) {
        self.weights.insert(
            name.to_owned(),
            Weight::in_rows(Values::F32(Arc::new(AVec::from_slice(64, values)))),
        );
    }
}
