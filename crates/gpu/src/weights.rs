//! The weights, uploaded once and shared by all plans.

use std::collections::HashMap;

use relp_tape::{Piece, Storage};

use crate::{Gpu, GpuError};

/// Weights by name.
#[derive(Debug, Default)]
pub(crate) struct Weights(HashMap<String, Weight>);

/// A weight in one buffer, or in several if a shader may not see all of it through one.
#[derive(Clone, Debug)]
pub(crate) struct Weight {
    elements: usize,
    pub(crate) form: Form,
    pub(crate) buffers: Vec<wgpu::Buffer>,
}

/// How a shader has to read a weight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Form {
    /// As halves, two in a word.
    pub(crate) halves: bool,
    /// Elements of each buffer but the last, if there are several.
    pub(crate) split: Option<(u32, usize)>,
}

impl Form {
    /// How many buffers there are.
    pub(crate) fn buffers(self) -> usize {
        self.split.map_or(1, |(_, buffers)| buffers)
    }

    /// The first element of a buffer.
    pub(crate) fn begin(self, buffer: usize) -> u64 {
        self.split.map_or(0, |(elements, _)| u64::from(elements) * buffer as u64)
    }

    /// Whether every buffer begins with a whole quad of elements.
    pub(crate) fn holds_quads(self) -> bool {
        self.split.is_none_or(|(elements, _)| elements.is_multiple_of(4))
    }

    /// Whether it is one buffer of `f32`.
    pub(crate) fn is_plain(self) -> bool {
        self == Self::default()
    }
}

/// The most buffers of a weight: with an op's other operands, a shader may have eight.
const MOST_BUFFERS: usize = 4;

impl Weights {
    /// The weight, which must have `elements`.
    pub(crate) fn get(&self, name: &str, elements: usize) -> Result<&Weight, GpuError> {
        let weight = self.0.get(name).ok_or_else(|| GpuError::MissingWeight(name.to_owned()))?;
        let found = weight.elements;
        if found == elements {
            Ok(weight)
        } else {
            Err(GpuError::WeightLength { name: name.to_owned(), expected: elements, found })
        }
    }
}

impl Gpu {
    /// Makes room for a weight of so many elements, which are [written](Self::write_weight) then. Plans
    /// made before keep what they had.
    ///
    /// # Errors
    /// If it is larger than this GPU allows. That its memory is full is told by the next
    /// [`plan`](Self::plan).
    pub fn reserve_weight(
        &mut self,
        name: &str,
        elements: usize,
        storage: Storage,
    ) -> Result<(), GpuError> {
        let size = match storage {
            Storage::F32 => 4,
            Storage::F16 => 2,
        };
        // Whole words, and whole pairs of halves; of what is large also whole quads.
        let most = (self.max_weight_bytes() / size) as usize;
        let most = if most < 64 { most & !1 } else { most & !3 };
        let buffers = elements.div_ceil(most.max(1)).max(1);
        if buffers > MOST_BUFFERS {
            let bytes = size * elements as u64;
            let limit = self.max_weight_bytes() * MOST_BUFFERS as u64;
            return Err(GpuError::TooLarge { name: name.to_owned(), bytes, limit });
        }
        let buffer = |at: usize| {
            let elements = most.min(elements - at * most) as u64;
            self.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some(name),
                size: (size * elements).next_multiple_of(4),
                usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            })
        };
        let split = (buffers > 1).then_some((most as u32, buffers));
        let form = Form { halves: storage == Storage::F16, split };
        let buffers = (0..buffers).map(buffer).collect();
        self.weights.0.insert(name.to_owned(), Weight { elements, form, buffers });
        Ok(())
    }

    /// Writes consecutive values of a reserved weight, from the `at`-th on.
    ///
    /// Of halves, `at` has to be even, and the number of values too unless they are the last.
    ///
    /// # Errors
    /// If there is no such weight, it is kept otherwise, or it is too short.
    pub fn write_weight(
        &mut self,
        name: &str,
        at: usize,
        piece: Piece<'_>,
    ) -> Result<(), GpuError> {
        let missing = || GpuError::MissingWeight(name.to_owned());
        let weight = self.weights.0.get(name).ok_or_else(missing)?;
        let end = at + piece.len();
        let is_right = weight.form.halves == (piece.storage() == Storage::F16);
        if !is_right || end > weight.elements {
            let (name, found) = (name.to_owned(), weight.elements);
            return Err(GpuError::WeightLength { name, expected: end, found });
        }
        let most = weight.form.split.map_or(usize::MAX, |(most, _)| most as usize);
        let mut done = 0;
        while done < piece.len() {
            let (buffer, offset) = ((at + done) / most, (at + done) % most);
            let part = done..(done + most - offset).min(piece.len());
            let to = &weight.buffers[buffer];
            match piece {
                Piece::F32(values) => {
                    let bytes = bytemuck::cast_slice(&values[part.clone()]);
                    self.queue.write_buffer(to, 4 * offset as u64, bytes);
                }
                Piece::F16(bits) => {
                    let bytes: &[u8] = bytemuck::cast_slice(&bits[part.clone()]);
                    // Uploads are of whole words.
                    let padded = [bytes, &[0, 0]].concat();
                    let bytes = if bytes.len().is_multiple_of(4) { bytes } else { &padded };
                    self.queue.write_buffer(to, 2 * offset as u64, bytes);
                }
            }
            done = part.end;
        }
        Ok(())
    }

    /// Frees a weight that no plan needs any more.
    pub(crate) fn drop_weight(&mut self, name: &str) {
        if let Some(weight) = self.weights.0.remove(name) {
            weight.buffers.iter().for_each(wgpu::Buffer::destroy);
        }
    }

    /// Uploads a weight, row-major. Plans made before keep what they had.
    ///
    /// # Errors
    /// As of [`reserve_weight`](Self::reserve_weight).
    pub fn set_weight(&mut self, name: &str, values: &[f32]) -> Result<(), GpuError> {
        self.reserve_weight(name, values.len(), Storage::F32)?;
        self.write_weight(name, 0, Piece::F32(values))
    }
}
