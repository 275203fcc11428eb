//! One run of a plan: upload, compute, read back.

use std::ops::Range;

use futures_channel::oneshot;
use relp_tape::{Buf, Content, Feed, Outputs};
use web_time::Instant;

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
        self.start(plan, feed).await?;
        while self.step(plan).await? {}
        self.finish(plan).await
    }

    /// Begins a run that is taken in parts with [`step`](Self::step).
    ///
    /// # Errors
    /// As of [`run`](Self::run).
    pub async fn start(&mut self, plan: &mut Plan, feed: &Feed) -> Result<(), GpuError> {
        self.faults.check()?;
        if !plan.faults.same_device(&self.faults) {
            return Err(GpuError::ForeignPlan);
        }
        let given = feed.given_forward(&plan.tape)?;
        let beginnings = plan.beginnings(feed)?;
        let inputs = plan.inputs(feed)?;
        let begun = plan.forward.known().begin(given);
        // What the forward part was given lies there with what it computed.
        let skipped = if begun.is_kept() { plan.tape.forward().bufs() } else { 0 };
        let scopes = Scopes::open(&self.device);
        for (_, buffer, bytes) in inputs.into_iter().filter(|(buf, ..)| buf.index() >= skipped) {
            self.queue.write_buffer(buffer, 0, bytes);
        }
        if let Some(beginnings) = &beginnings {
            plan.share_out(beginnings);
            let of_forward = (!begun.is_kept()).then_some(&plan.forward.lists);
            for lists in of_forward.into_iter().chain([&plan.lists]) {
                lists.write(&self.queue, beginnings);
            }
        }
        plan.first = if begun.is_kept() { plan.forward.steps.len() } else { 0 };
        plan.next = plan.first;
        plan.begun = begun;
        let reports = scopes.close().await;
        self.faults.check()?;
        reports
    }

    /// Submits as many steps as take no longer than about an eighth of a second, and waits for them;
    /// false when all that is left can go with the readback in [`finish`](Self::finish).
    ///
    /// # Errors
    /// As of [`run`](Self::run).
    ///
    /// # Panics
    /// If meanwhile another run has begun of a plan that shares the buffers of the forward part.
    pub async fn step(&mut self, plan: &mut Plan) -> Result<bool, GpuError> {
        plan.forward.known().assert_last(&plan.begun);
        let part = plan.part(self.pace.most());
        if part.end == plan.steps.len() {
            return Ok(false);
        }
        let began = Instant::now();
        let work = plan.steps[part.clone()].iter().map(|step| step.work).sum();
        let scopes = Scopes::open(&self.device);
        let (sender, done) = oneshot::channel();
        self.queue.submit([plan.encode(&self.device, part.clone(), false)]);
        self.counts.submits += 1;
        self.queue.on_submitted_work_done(move || {
            // Nobody listens if the run was cancelled.
            let _ = sender.send(());
        });
        let reports = scopes.close();
        let _ = self.device.poll(wgpu::PollType::wait_indefinitely());
        let reports = reports.await;
        self.faults.check()?;
        reports?;
        // A sender that is dropped belongs to a device that is lost.
        let finished = done.await;
        self.faults.check()?;
        finished.map_err(|_| GpuError::Readback)?;
        self.pace.learn(work, began.elapsed().as_secs_f64());
        plan.computed(part.end);
        Ok(true)
    }

    /// Submits what is left, and reads the outputs back.
    ///
    /// # Errors
    /// As of [`run`](Self::run).
    ///
    /// # Panics
    /// As of [`step`](Self::step).
    pub async fn finish(&mut self, plan: &mut Plan) -> Result<Outputs, GpuError> {
        plan.forward.known().assert_last(&plan.begun);
        let scopes = Scopes::open(&self.device);
        let rest = plan.next..plan.steps.len();
        self.queue.submit([plan.encode(&self.device, rest, true)]);
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
            Ok(Ok(())) => {
                let outputs = mapping.read(plan);
                drop(mapping);
                plan.computed(plan.steps.len());
                outputs
            }
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

/// How much is submitted at once. Systems reset a GPU that does not answer for some seconds, and the
/// screen stands still as long as one submit runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Floating-point operations a second.
    rate: f64,
}

impl Pace {
    /// Seconds that a submit may take.
    const SUBMIT: f64 = 0.15;

    /// A guess, before anything has run.
    pub(crate) fn new(is_software: bool) -> Self {
        Self { rate: if is_software { 2e9 } else { 1e11 } }
    }

    /// The most work of a submit.
    fn most(self) -> f64 {
        self.rate * Self::SUBMIT
    }

    /// Goes half of the way to what was measured.
    fn learn(&mut self, work: f64, seconds: f64) {
        let measured = work / seconds.max(1e-4);
        self.rate = (0.5 * (self.rate + measured)).clamp(1e8, 1e14);
    }
}

/// Which buffer is given what.
type Input<'a> = (Buf, &'a wgpu::Buffer, &'a [u8]);

impl Plan {
    /// Dispatches submitted and dispatches in all, an op each or several neighbouring ops, of the run
    /// under way or the last one.
    pub fn progress(&self) -> (usize, usize) {
        (self.next - self.first, self.steps.len() - self.first)
    }

    /// Runs all of the tape the next time, as if nothing had been computed.
    pub fn forget(&mut self) {
        self.forward.known().forget();
    }

    /// All steps before `next` have run, and nothing went wrong.
    fn computed(&mut self, next: usize) {
        self.next = next;
        if next >= self.forward.steps.len() {
            self.forward.known().settle(&mut self.begun);
        }
    }

    /// The next steps, at least one, that together are no more than `most` work.
    fn part(&self, most: f64) -> Range<usize> {
        let mut work = 0.0;
        let fits = self.steps[self.next..].iter().take_while(|step| {
            work += step.work;
            work <= most
        });
        let end = self.next + fits.count();
        self.next..end.max(self.next + 1).min(self.steps.len())
    }

    /// The content of every buffer that is given anew for each run, checked.
    fn inputs<'a>(&'a self, feed: &'a Feed) -> Result<Vec<Input<'a>>, GpuError> {
        let mut inputs = Vec::new();
        for (buf, info) in self.tape.bufs() {
            let bytes = match info.content {
                Content::Input => bytemuck::cast_slice(feed.get_values(&self.tape, buf)?),
                Content::Ids { .. } => bytemuck::cast_slice(feed.get_ids(&self.tape, buf)?),
                Content::Weight | Content::Value => continue,
            };
            inputs.extend(self.buffers[buf.index()].as_ref().map(|buffer| (buf, buffer, bytes)));
        }
        Ok(inputs)
    }

    fn encode(
        &self,
        device: &wgpu::Device,
        part: Range<usize>,
        read_back: bool,
    ) -> wgpu::CommandBuffer {
        let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        for step in &self.steps[part] {
            pass.set_pipeline(&step.pipeline);
            pass.set_bind_group(0, &step.bindings, &[]);
            pass.dispatch_workgroups(step.grid.0, step.grid.1, 1);
        }
        drop(pass);
        for (buf, place) in self.outputs.iter().filter(|_| read_back) {
            let Some(buffer) = &self.buffers[buf.index()] else { continue };
            let bytes = place.end - place.start;
            encoder.copy_buffer_to_buffer(buffer, 0, &self.staging, place.start, bytes);
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
        let values = |place: &Range<u64>| {
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

#[cfg(test)]
mod gpu {
    use pollster::block_on;
    use relp_tape::Tape;

    use super::*;

    #[test]
    fn what_a_cancelled_run_leaves_is_its_forward_part_if_that_is_whole() {
        let mut gpu = block_on(Gpu::request()).unwrap_or_else(|error| {
            panic!("{error}. To test without a GPU: cargo xtask test --without gpu")
        });
        let mut tape = Tape::new();
        let x = tape.input("x", &[1, 4]);
        let a = tape.add("a", x, x);
        let b = tape.add("b", a, a);
        tape.keep(vec![b]);
        let c = tape.add("c", b, b);
        let d = tape.add("d", c, b);
        tape.output(d);
        let mut plan = block_on(gpu.plan(&tape)).unwrap();
        let feed = |of: f32| {
            let mut feed = Feed::new();
            feed.values(x, vec![of; 4]);
            feed
        };
        // What a dispatch takes is more than the pace allows, so that each is submitted alone.
        let step = |gpu: &mut Gpu, plan: &mut Plan| {
            gpu.pace = Pace { rate: 0.0 };
            assert!(block_on(gpu.step(plan)).unwrap());
        };
        for (of, forward) in [(1.0, false), (2.0, true), (3.0, false), (3.0, true)] {
            block_on(gpu.start(&mut plan, &feed(of))).unwrap();
            assert_eq!(plan.progress(), (0, 4), "{of}");
            step(&mut gpu, &mut plan);
            if forward {
                step(&mut gpu, &mut plan);
                block_on(gpu.start(&mut plan, &feed(of))).unwrap();
                assert_eq!(plan.progress(), (0, 2), "{of}");
                step(&mut gpu, &mut plan);
                assert_eq!(plan.progress(), (1, 2), "{of}");
                assert_eq!(block_on(gpu.finish(&mut plan)).unwrap().get(d), [12.0 * of; 4]);
            }
        }
    }
}
