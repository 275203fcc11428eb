//! The weights, uploaded once and shared by all plans.

use std::collections::HashMap;

use crate::{Gpu, GpuError};

/// Weights by name.
#[derive(Debug, Default)]
pub(crate) struct Weights(HashMap<String, wgpu::Buffer>);

impl Weights {
    /// The weight's buffer, which must have `elements`.
    pub(crate) fn get(&self, name: &str, elements: usize) -> Result<&wgpu::Buffer, GpuError> {
        let buffer = self.0.get(name).ok_or_else(|| GpuError::MissingWeight(name.to_owned()))?;
        let found = (buffer.size() / 4) as usize;
        if found == elements {
            Ok(buffer)
        } else {
            Err(GpuError::WeightLength { name: name.to_owned(), expected: elements, found })
        }
    }
}

impl Gpu {
    /// Uploads a weight, row-major. Plans made before keep what they had.
    ///
    /// # Errors
    /// If it is larger than this GPU allows. That its memory is full is told by the next
    /// [`plan`](Self::plan).
    pub fn set_weight(&mut self, name: &str, values: &[f32]) -> Result<(), GpuError> {
        let buffer = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(name),
            size: self.check_size(name, values.len())?,
            usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        self.queue.write_buffer(&buffer, 0, bytemuck::cast_slice(values));
        self.weights.0.insert(name.to_owned(), buffer);
        Ok(())
    }
}
