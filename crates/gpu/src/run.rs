//! One run of a plan: upload, compute, read back.

use futures_channel::oneshot;
use relp_tape::{Content, Feed, Outputs};

use crate::device::Scopes;
use crate::{Gpu, GpuError, Plan};

/// What a [`Gpu`] has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Pipelines built.
    pub pipelines: usize,
    /// Command buffers submitted.
    pub submits: usize,
    /// Buffers mapped to be read.
    pub readbacks: usize,
}

impl Gpu {
    /// Runs a plan of this GPU, and returns its tape's outputs.
    ///
    /// # Errors
    /// If the feed does not fit the tape, the GPU was lost, its memory is full, or it refuses.
    pub async fn run(&mut self, plan: &mut Plan, feed: &Feed) -> Result<Outputs, GpuError> {
        self.faults.check()?;
        if !plan.faults.same_device(&self.faults) {
            return Err(GpuError::ForeignPlan);
        }
        let inputs = plan.inputs(feed)?;
        let scopes = Scopes::open(&self.device);
        for (buffer, bytes) in inputs {
            self.queue.write_buffer(buffer, 0, bytes);
        }
        self.queue.submit([plan.encode(&self.device)]);
        self.counts.submits += 1;
        let (sender, mapped) = oneshot::channel();
        let mapping = Mapping::of(&plan.staging, move |result| {
            // Nobody listens if the run was cancelled.
            let _ = sender.send(result);
        });
        self.counts.readbacks += 1;
        let reports = scopes.close();

        // A browser polls by itself; there it is a no-op.
        let _ = self.device.poll(wgpu::PollType::wait_indefinitely());
        // A loss first: it is the cause of whatever else is reported.
        let reports = reports.await;
        self.faults.check()?;
        reports?;
        match mapped.await {
            Ok(Ok(())) => mapping.read(plan),
            _ => {
                self.faults.report(GpuError::Readback);
                Err(GpuError::Readback)
            }
        }
    }

    /// What was done so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }
}

impl Plan {
    /// The content of every buffer that is given anew for each run, checked.
    fn inputs<'a>(&'a self, feed: &'a Feed) -> Result<Vec<(&'a wgpu::Buffer, &'a [u8])>, GpuError> {
        let mut inputs = Vec::new();
        for (buf, info) in self.tape.bufs() {
            let bytes = match info.content {
                Content::Input => bytemuck::cast_slice(feed.get_values(&self.tape, buf)?),
                Content::Ids { .. } => bytemuck::cast_slice(feed.get_ids(&self.tape, buf)?),
                Content::Weight | Content::Value => continue,
            };
            inputs.push((&self.buffers[buf.index()], bytes));
        }
        Ok(inputs)
    }

    fn encode(&self, device: &wgpu::Device) -> wgpu::CommandBuffer {
        let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        for step in &self.steps {
            pass.set_pipeline(&step.pipeline);
            pass.set_bind_group(0, &step.bindings, &[]);
            pass.dispatch_workgroups(step.grid.0, step.grid.1, 1);
        }
        drop(pass);
        for (buf, place) in &self.outputs {
            let buffer = &self.buffers[buf.index()];
            encoder.copy_buffer_to_buffer(buffer, 0, &self.staging, place.start, buffer.size());
        }
        encoder.finish()
    }
}

/// A buffer that is mapped or about to be, and is unmapped again in every case: also when the run
/// fails or its future is dropped.
struct Mapping<'a>(&'a wgpu::Buffer);

impl<'a> Mapping<'a> {
    fn of(
        buffer: &'a wgpu::Buffer,
        done: impl FnOnce(Result<(), wgpu::BufferAsyncError>) + Send + 'static,
    ) -> Self {
        buffer.map_async(wgpu::MapMode::Read, .., done);
        Self(buffer)
    }

    fn read(&self, plan: &Plan) -> Result<Outputs, GpuError> {
        let view = self.0.get_mapped_range(..).map_err(|_| GpuError::Readback)?;
        let values = |place: &std::ops::Range<u64>| {
            let bytes = &view[place.start as usize..place.end as usize];
            bytes.as_chunks().0.iter().copied().map(f32::from_le_bytes).collect()
        };
        Ok(Outputs::new(plan.outputs.iter().map(|(buf, place)| (*buf, values(place))).collect()))
    }
}

impl Drop for Mapping<'_> {
    fn drop(&mut self) {
        self.0.unmap();
    }
}
