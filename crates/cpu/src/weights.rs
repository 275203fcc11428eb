//! Weights, in `f32` or as halves.

use std::collections::HashMap;
use std::iter::repeat_n;
use std::sync::Arc;

use half::f16;
use half::slice::HalfBitsSliceExt;
use relp_tape::{Piece, Storage};

use crate::kernels::halves;
use crate::{Cpu, CpuError};

/// Weights by name.
pub(crate) type Weights = HashMap<String, Weight>;

/// The values of a weight, which plans share.
#[derive(Clone)]
pub(crate) enum Weight {
    F32(Arc<[f32]>),
    F16(Arc<[f16]>),
}

impl Weight {
    pub(crate) fn len(&self) -> usize {
        match self {
            Weight::F32(values) => values.len(),
            Weight::F16(values) => values.len(),
        }
    }

    /// Whether it is the very same, and not one of the same name that came later.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Weight::F32(here), Weight::F32(there)) => Arc::ptr_eq(here, there),
            (Weight::F16(here), Weight::F16(there)) => Arc::ptr_eq(here, there),
            _ => false,
        }
    }

    pub(crate) fn as_matrix(&self) -> Matrix<'_> {
        match self {
            Weight::F32(values) => Matrix::F32(values),
            Weight::F16(values) => Matrix::F16(values),
        }
    }
}

/// A matrix whose rows lie one after the other.
#[derive(Clone, Copy)]
pub(crate) enum Matrix<'a> {
    F32(&'a [f32]),
    F16(&'a [f16]),
}

impl<'a> Matrix<'a> {
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
    /// Makes room for a weight, of zeros until they are [written](Self::write_weight). Plans made before
    /// keep what they had.
    pub fn reserve_weight(&mut self, name: &str, len: usize, storage: Storage) {
        // Collected at its place, so that there is never a second copy.
        let weight = match storage {
            Storage::F32 => Weight::F32(repeat_n(0.0, len).collect()),
            Storage::F16 => Weight::F16(repeat_n(f16::ZERO, len).collect()),
        };
        self.weights.insert(name.to_owned(), weight);
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
        let written = match (weight, piece) {
            (Some(Weight::F32(values)), Piece::F32(piece)) => {
                let place = Arc::make_mut(values).get_mut(at..end);
                place.map(|place| place.copy_from_slice(piece))
            }
            (Some(Weight::F16(values)), Piece::F16(piece)) => {
                let place = Arc::make_mut(values).get_mut(at..end);
                place.map(|place| place.copy_from_slice(piece.reinterpret_cast()))
            }
            _ => None,
        };
        written.ok_or_else(|| CpuError::Weight { name: name.to_owned(), expected: end, found })
    }

    /// Gives a weight, row-major. Plans made before keep what they had.
    pub fn set_weight(&mut self, name: &str, values: &[f32]) {
        self.weights.insert(name.to_owned(), Weight::F32(values.into()));
    }
}
