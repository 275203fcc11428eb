//! A tape made ready to run: all that a run needs is built here, once.

use std::cell::{RefCell, RefMut};
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

use relp_tape::{Beginnings, Begun, Buf, Content, Feed, FeedError, Known, Needed, Slots, Tape};
use wgpu::BufferUsages;

use crate::device::{Faults, Scopes};
use crate::fuse::{Fuse, Group};
use crate::kernel::{Kernel, Listed};
use crate::lists::Lists;
use crate::weights::{Form, Weight};
use crate::{Gpu, GpuError};

/// A tape's buffers, pipelines, bind groups and parameters on a [`Gpu`].
///
/// Several plans may exist at once; they share the weights. What the tape's
/// [forward part](Tape::forward) computes stays: it is not run again as long as it is given the same.
#[derive(Debug)]
pub struct Plan {
    pub(crate) tape: Tape,
    /// Of the GPU that the rest belongs to.
    pub(crate) faults: Faults,
    /// By [`Buf::index`]; of weights the first. Values that are not needed at the same time share one,
    /// and one that only its own dispatch reads has none.
    pub(crate) buffers: Vec<Option<wgpu::Buffer>>,
    pub(crate) steps: Vec<Step>,
    pub(crate) forward: Rc<Forward>,
    pub(crate) begun: Begun,
    pub(crate) needed: Needed,
    /// Of what comes after the forward part.
    pub(crate) lists: Lists,
    /// The first step of the run under way, and the first that has not been submitted.
    pub(crate) first: usize,
    pub(crate) next: usize,
    /// All outputs, one after the other.
    pub(crate) staging: wgpu::Buffer,
    /// Where each output lies in `staging`, in bytes.
    pub(crate) outputs: Vec<(Buf, Range<u64>)>,
    _owned: Owned,
}

/// What a forward part takes, of all plans that have the same.
#[derive(Debug)]
pub(crate) struct Forward {
    /// Of its buffers, by [`Buf::index`].
    buffers: Vec<Option<wgpu::Buffer>>,
    pub(crate) steps: Vec<Step>,
    pub(crate) lists: Lists,
    known: RefCell<Known>,
    _owned: Owned,
}

impl Forward {
    pub(crate) fn known(&self) -> RefMut<'_, Known> {
        self.known.borrow_mut()
    }
}

/// One dispatch, of an op or of several.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) pipeline: wgpu::ComputePipeline,
    pub(crate) bindings: wgpu::BindGroup,
    pub(crate) grid: (u32, u32),
    /// Floating-point operations, about.
    pub(crate) work: f64,
    /// Of what computes some rows, the rest of it and the work of all.
    listed: Option<(Listed, f64)>,
}

impl Plan {
    /// How the sequences of a run begin; nothing if that does not matter.
    pub(crate) fn beginnings(&self, feed: &Feed) -> Result<Option<Beginnings>, FeedError> {
        let Some(ids) = self.needed.ids() else { return Ok(None) };
        let positions = self.tape.shape(ids)[1];
        Ok(Some(Beginnings::of(feed.get_ids(&self.tape, ids)?, positions)))
    }

    /// Gives what computes some rows as many workgroups as a run needs.
    pub(crate) fn share_out(&mut self, beginnings: &Beginnings) {
        for step in &mut self.steps {
            let Some((listed, work)) = step.listed else { continue };
            let computed = beginnings.computed(listed.rows, listed.of);
            let rows: usize = computed.iter().map(ExactSizeIterator::len).sum();
            step.grid = listed.grid(rows);
            step.work = work * rows as f64 / listed.of as f64;
        }
    }
}

/// Some of a tape's dispatches.
#[derive(Clone, Copy)]
struct Part<'a> {
    tape: &'a Tape,
    needed: &'a Needed,
    groups: &'a [Group],
}

/// Buffers that are freed with their plan, not with the browser's next garbage collection.
#[derive(Debug, Default)]
pub(crate) struct Owned(Vec<wgpu::Buffer>);

impl Drop for Owned {
    fn drop(&mut self) {
        for buffer in &self.0 {
            buffer.destroy();
        }
    }
}

impl Gpu {
    /// Makes a tape ready to run.
    ///
    /// # Errors
    /// If a weight is missing or has another size, a buffer is larger than the GPU allows, its
    /// memory is full, or it was lost.
    pub async fn plan(&mut self, tape: &Tape) -> Result<Plan, GpuError> {
        self.plan_beside(tape, []).await
    }

    /// Has what a tape needs built that does not depend on the weights' values, so that the next [`plan`](Self::plan) of
    /// one like it need not wait: a browser builds it beside what goes on. Weights have to be reserved; what goes wrong is
    /// told by that plan.
    pub fn foresee(&mut self, tape: &Tape) {
        let scopes = Scopes::open(&self.device);
        let needed = Needed::of(tape);
        for group in self.groups(tape) {
            let kernel = self.kernel(tape, &needed, &group);
            self.pipelines.get(&self.device, &kernel.shader);
        }
        self.counts.pipelines = self.pipelines.len();
        // What failed is reported again to whoever uses it.
        drop(scopes.close());
    }

    /// The tape's dispatches.
    fn groups(&self, tape: &Tape) -> Vec<Group> {
        let fuse = Fuse {
            tape,
            is_whole: |buf| self.weight(tape, buf).is_none_or(|weight| weight.form.buffers() == 1),
            has_prologue: |rows| self.tuning.has_prologue(rows),
            most_buffers: self.most_buffers(),
        };
        fuse.groups()
    }

    fn kernel(&self, tape: &Tape, needed: &Needed, group: &Group) -> Kernel {
        let form = |buf: Buf| self.weight(tape, buf).map_or_else(Form::default, |w| w.form);
        let rows = needed.rows(group.first + group.main());
        Kernel::of(tape, group, rows, self.tuning, form)
    }

    /// Makes a tape ready to run, but for its [forward part](Tape::forward) if one of the other plans
    /// has the same: then both have the same buffers, and what either computes there need not be
    /// computed by the other.
    ///
    /// # Errors
    /// As of [`plan`](Self::plan).
    pub async fn plan_beside<'a>(
        &mut self,
        tape: &Tape,
        others: impl IntoIterator<Item = &'a Plan>,
    ) -> Result<Plan, GpuError> {
        self.faults.check()?;
        for (_, info) in tape.bufs() {
            if info.content == Content::Weight {
                self.weights.get(&info.name, info.len())?;
            } else {
                self.check_size(&info.name, info.len())?;
            }
        }
        for op in tape.ops() {
            let matrices = op.matrices();
            for (_, buf) in op.reads().into_iter().filter(|(_, buf)| !matrices.contains(buf)) {
                let info = tape.info(buf);
                if info.content == Content::Weight
                    && !self.weights.get(&info.name, info.len())?.form.is_plain()
                {
                    let name = info.name.clone();
                    return Err(GpuError::NotPlain { name, op: op.name() });
                }
            }
        }
        let mut others = others.into_iter();
        let shared = others.find(|other| self.has_forward_of(other, tape));
        let scopes = Scopes::open(&self.device);
        let plan = self.build(tape, shared.map(|other| other.forward.clone()));
        let reports = scopes.close().await;
        self.faults.check()?;
        reports?;
        plan
    }

    /// Whether what a plan's forward part computes is what that of a tape would.
    fn has_forward_of(&self, plan: &Plan, tape: &Tape) -> bool {
        let mut bufs = tape.bufs().take(tape.forward().bufs());
        plan.faults.same_device(&self.faults)
            && plan.tape.same_forward(tape)
            && bufs.all(|(buf, _)| {
                let weight = self.weight(tape, buf);
                weight.is_none_or(|w| w.buffers.first() == plan.buffers[buf.index()].as_ref())
            })
    }

    fn build(&mut self, tape: &Tape, shared: Option<Rc<Forward>>) -> Result<Plan, GpuError> {
        let (groups, needed) = (self.groups(tape), Needed::of(tape));
        let lens: Vec<usize> = groups.iter().map(Group::len).collect();
        let skipped: Vec<Buf> = groups.iter().flat_map(|group| group.skipped(tape)).collect();
        let slots = Slots::of_groups(tape, &lens, &skipped);
        let (bufs, all) = (tape.forward().bufs(), tape.bufs().len());
        let in_forward = groups.iter().filter(|group| group.first < tape.forward().ops()).count();
        let (of_forward, of_rest) = groups.split_at(in_forward);
        let forward = match shared {
            Some(forward) => forward,
            None => {
                let (mut buffers, mut owned) = (Vec::new(), Owned::default());
                let mut lists = Lists::default();
                self.buffers(tape, 0..bufs, &slots, &mut buffers, &mut owned)?;
                let part = Part { tape, needed: &needed, groups: of_forward };
                let steps = self.steps(part, &buffers, &mut lists, &mut owned);
                let known = RefCell::default();
                Rc::new(Forward { buffers, steps, lists, known, _owned: owned })
            }
        };
        let (mut buffers, mut owned) = (forward.buffers.clone(), Owned::default());
        self.buffers(tape, bufs..all, &slots, &mut buffers, &mut owned)?;
        let (mut steps, mut lists) = (forward.steps.clone(), Lists::default());
        let part = Part { tape, needed: &needed, groups: of_rest };
        steps.extend(self.steps(part, &buffers, &mut lists, &mut owned));
        let mut outputs = Vec::new();
        let mut end = 0;
        for &buf in tape.outputs() {
            let start = end;
            end += 4 * tape.info(buf).len() as u64;
            outputs.push((buf, start..end));
        }
        let usage = BufferUsages::MAP_READ | BufferUsages::COPY_DST;
        let staging = self.buffer(&mut owned, "outputs", end, usage);
        Ok(Plan {
            tape: tape.clone(),
            faults: self.faults.clone(),
            buffers,
            steps,
            forward,
            begun: Begun::default(),
            needed,
            lists,
            first: 0,
            next: 0,
            staging,
            outputs,
            _owned: owned,
        })
    }

    /// Adds the buffers of a part of the tape: of its weights, of what it is given, and of its slots.
    fn buffers(
        &self,
        tape: &Tape,
        part: Range<usize>,
        slots: &Slots,
        buffers: &mut Vec<Option<wgpu::Buffer>>,
        owned: &mut Owned,
    ) -> Result<(), GpuError> {
        let mut values: HashMap<usize, wgpu::Buffer> = HashMap::new();
        for (buf, info) in tape.bufs().skip(part.start).take(part.len()) {
            let given = BufferUsages::STORAGE | BufferUsages::COPY_DST;
            let computed = BufferUsages::STORAGE | BufferUsages::COPY_SRC;
            buffers.push(match info.content {
                Content::Weight => {
                    self.weights.get(&info.name, info.len())?.buffers.first().cloned()
                }
                Content::Input | Content::Ids { .. } => {
                    Some(self.buffer(owned, &info.name, 4 * info.len() as u64, given))
                }
                Content::Value => slots.get(buf).map(|slot| {
                    let make = || {
                        let bytes = 4 * slots.lens()[slot] as u64;
                        self.buffer(owned, &format!("slot {slot}"), bytes, computed)
                    };
                    values.entry(slot).or_insert_with(make).clone()
                }),
            });
        }
        Ok(())
    }

    /// The weight that a buffer is.
    fn weight(&self, tape: &Tape, buf: Buf) -> Option<&Weight> {
        let info = tape.info(buf);
        let is_weight = info.content == Content::Weight;
        is_weight.then(|| self.weights.get(&info.name, info.len()).ok()).flatten()
    }

    fn steps(
        &mut self,
        Part { tape, needed, groups }: Part<'_>,
        buffers: &[Option<wgpu::Buffer>],
        lists: &mut Lists,
        owned: &mut Owned,
    ) -> Vec<Step> {
        // The parameters of all steps lie in one buffer, each in a slot as wide as its alignment.
        let slot = self.device.limits().min_uniform_buffer_offset_alignment as usize;
        let mut words = vec![0_u32; groups.len() * slot / 4];
        let kernels: Vec<Kernel> =
            groups.iter().map(|group| self.kernel(tape, needed, group)).collect();
        for (slot, kernel) in words.chunks_mut(slot / 4).zip(&kernels) {
            slot[..kernel.params.len()].copy_from_slice(&kernel.params);
        }
        let bytes = bytemuck::cast_slice(&words);
        let usage = BufferUsages::UNIFORM | BufferUsages::COPY_DST;
        let params = self.buffer(owned, "params", bytes.len() as u64, usage);
        self.queue.write_buffer(&params, 0, bytes);

        let mut steps = Vec::new();
        for (i, (group, kernel)) in groups.iter().zip(kernels).enumerate() {
            let op = &tape.ops()[group.first + group.main()];
            let pipeline = self.pipelines.get(&self.device, &kernel.shader).clone();
            let params = wgpu::BufferBinding {
                buffer: &params,
                offset: (i * slot) as u64,
                size: wgpu::BufferSize::new(4 * kernel.params.len() as u64),
            };
            let matrices = op.matrices();
            let operands = kernel.operands.iter().filter_map(|&(binding, buf)| {
                let buffer = buffers[buf.index()].as_ref()?;
                // Of a matrix the buffer says its length, of all others the op.
                let is_matrix = matrices.contains(&buf) && self.weight(tape, buf).is_some();
                let size = (!is_matrix).then_some(4 * tape.info(buf).len() as u64);
                let size = size.and_then(wgpu::BufferSize::new);
                Some((binding, wgpu::BufferBinding { buffer, offset: 0, size }))
            });
            let list = kernel
                .list
                .map(|(listed, binding)| (binding, lists.get(self, owned, listed.rows, listed.of)));
            let list_bound = list.as_ref().map(|(binding, buffer)| {
                (*binding, wgpu::BufferBinding { buffer, offset: 0, size: None })
            });
            // The further buffers of a weight come last.
            let of_operands = kernel.operands.iter().map(|(binding, _)| *binding);
            let next = of_operands.chain(kernel.list.map(|(_, binding)| binding)).max();
            let next = next.map_or(1, |last| last + 1);
            let more = matrices.iter().filter_map(|&buf| self.weight(tape, buf));
            let more = more.flat_map(|weight| &weight.buffers[1..]);
            let more = more.map(|buffer| wgpu::BufferBinding { buffer, offset: 0, size: None });
            let bound = std::iter::once((0, params)).chain(operands).chain(list_bound);
            let bound = bound.chain((next..).zip(more));
            let entries: Vec<_> = bound
                .map(|(binding, buffer)| wgpu::BindGroupEntry {
                    binding,
                    resource: wgpu::BindingResource::Buffer(buffer),
                })
                .collect();
            let bindings = self.device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some(tape.name(op.writes()[0])),
                layout: &pipeline.get_bind_group_layout(0),
                entries: &entries,
            });
            let listed = kernel.list.map(|(listed, _)| (listed, kernel.work));
            let (grid, work) = (kernel.grid, kernel.work);
            steps.push(Step { pipeline, bindings, grid, work, listed });
        }
        self.counts.pipelines = self.pipelines.len();
        steps
    }

    pub(crate) fn buffer(
        &self,
        owned: &mut Owned,
        name: &str,
        bytes: u64,
        usage: BufferUsages,
    ) -> wgpu::Buffer {
        let buffer = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(name),
            size: bytes,
            usage,
            mapped_at_creation: false,
        });
        owned.0.push(buffer.clone());
        buffer
    }
}
