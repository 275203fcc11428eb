//! The three executors behind one face.

use std::collections::HashMap;
use std::iter::repeat_n;
use std::sync::Arc;

use half::f16;
use relp_cpu::Cpu;
use relp_gpu::{Gpu, GpuError, Tuning, Variant};
use relp_model::{Checkpoint, Choice, Config, Device, Fallback, Kind, Precision, Recipe, Request};
use relp_tape::{Content, Feed, Outputs, Piece, Storage, Tape, reference};

use crate::control::{Control, Pace};
use crate::{EngineError, SelfTest};

/// How many tokens the first prompts are supposed to have. Up to 32 take the same pipelines, since two prompts are few rows
/// then ([`Tuning`]).
const FORESEEN: usize = 16;

/// What the fast CPU path is called.
pub(crate) fn cpu_name() -> String {
    // Asking natively would start them.
    if cfg!(not(target_arch = "wasm32")) {
        return "native".to_owned();
    }
    match relp_cpu::threads() {
        1 => "WebAssembly".to_owned(),
        threads => format!("WebAssembly, {threads} threads"),
    }
}

/// An executor with its weights.
pub(crate) enum Executor {
    Reference(HashMap<String, Arc<[f32]>>),
    Cpu(Cpu),
    Gpu(Box<Gpu>),
}

/// A tape that an executor is ready to run.
pub(crate) enum Plan {
    Reference(Tape),
    Cpu(Box<relp_cpu::Plan>),
    Gpu(Box<relp_gpu::Plan>),
}

impl Plan {
    /// Runs all of the tape the next time, as if nothing had been computed.
    pub(crate) fn forget(&mut self) {
        match self {
            Self::Reference(_) => {}
            Self::Cpu(plan) => plan.forget(),
            Self::Gpu(plan) => plan.forget(),
        }
    }

    fn as_cpu(&self) -> Option<&relp_cpu::Plan> {
        if let Self::Cpu(plan) = self { Some(plan) } else { None }
    }

    fn as_gpu(&self) -> Option<&relp_gpu::Plan> {
        if let Self::Gpu(plan) = self { Some(plan) } else { None }
    }
}

impl Executor {
    /// Opens the executor that was chosen, or the CPU with the reason.
    pub(crate) async fn open(choice: Choice, self_test: &SelfTest) -> (Self, Device) {
        match choice {
            Choice::Reference => {
                let name = "plain loops in f64".to_owned();
                let device = Device { kind: Kind::Reference, name, fallback: None };
                (Self::Reference(HashMap::new()), device)
            }
            Choice::Cpu => Self::open_cpu(None),
            Choice::Auto | Choice::Gpu => match Self::open_gpu(choice, self_test).await {
                Ok(gpu) => {
                    let name = format!("{} ({})", gpu.adapter().name, gpu.adapter().backend);
                    let device = Device { kind: Kind::Gpu, name, fallback: None };
                    (Self::Gpu(Box::new(gpu)), device)
                }
                Err(fallback) => Self::open_cpu(Some(fallback)),
            },
        }
    }

    /// Opens the fast CPU path.
    pub(crate) fn open_cpu(fallback: Option<Fallback>) -> (Self, Device) {
        (Self::Cpu(Cpu::new()), Device { kind: Kind::Cpu, name: cpu_name(), fallback })
    }

    async fn open_gpu(choice: Choice, self_test: &SelfTest) -> Result<Gpu, Fallback> {
        let mut gpu = match Gpu::request().await {
            Ok(gpu) => gpu,
            Err(GpuError::NoAdapter(_)) => return Err(Fallback::None),
            Err(error) => return Err(Fallback::Failed(EngineError::Gpu(error).to_string())),
        };
        if choice == Choice::Auto && gpu.adapter().is_software {
            return Err(Fallback::Software(gpu.adapter().name.clone()));
        }
        let tuning = match gpu.measure().await {
            Ok(tuning) => tuning,
            Err(error) => return Err(Fallback::Failed(EngineError::Gpu(error).to_string())),
        };
        let mut passed = self_test.run(&mut gpu).await;
        // What is fast may be what a driver gets wrong.
        let plainest = Tuning::all(Variant::Tile);
        if passed.is_err() && tuning != plainest {
            gpu.tune(plainest);
            passed = self_test.run(&mut gpu).await;
            if passed.is_ok() {
                gpu.remember();
            }
        }
        match passed {
            Ok(()) => Ok(gpu),
            Err(error) => Err(Fallback::Failed(error.to_string())),
        }
    }

    /// Makes room for a weight.
    pub(crate) fn reserve_weight(
        &mut self,
        name: &str,
        len: usize,
        storage: Storage,
    ) -> Result<(), EngineError> {
        match self {
            Self::Reference(weights) => {
                weights.insert(name.to_owned(), repeat_n(0.0, len).collect());
            }
            Self::Cpu(cpu) => cpu.reserve_weight(name, len, storage),
            Self::Gpu(gpu) => gpu.reserve_weight(name, len, storage)?,
        }
        Ok(())
    }

    /// Makes room for all weights before they come, and prepares for what is asked of a model first, RelP of a pair; false
    /// where that gains nothing: natively, who asks for a pipeline waits for it.
    pub(crate) fn foresee(
        &mut self,
        (config, checkpoint): (&Config, &Checkpoint),
        precision: Precision,
    ) -> Result<bool, EngineError> {
        let Self::Gpu(gpu) = self else { return Ok(false) };
        if cfg!(not(target_arch = "wasm32")) {
            return Ok(false);
        }
        for tensor in &checkpoint.tensors {
            let elements = tensor.shape.iter().product();
            gpu.reserve_weight(&tensor.name, elements, precision.storage(tensor))?;
        }
        let recipe = Recipe::of_length(&Request::default(), FORESEEN.min(config.n_ctx));
        for part in recipe.parts(config) {
            gpu.foresee(recipe.record(config, &part).tape());
        }
        Ok(true)
    }

    /// Gives consecutive values of a weight, from the `at`-th on.
    pub(crate) fn write_weight(
        &mut self,
        name: &str,
        at: usize,
        piece: Piece<'_>,
    ) -> Result<(), EngineError> {
        match self {
            Self::Reference(weights) => {
                let place = weights.get_mut(name).map(Arc::make_mut);
                let Some(place) = place.and_then(|all| all.get_mut(at..at + piece.len())) else {
                    unreachable!("{name} was reserved")
                };
                match piece {
                    Piece::F32(values) => place.copy_from_slice(values),
                    // Halves are rounded values, and otherwise computed with as any.
                    Piece::F16(bits) => place.iter_mut().zip(bits).for_each(|(value, &bits)| {
                        *value = f16::from_bits(bits).to_f32();
                    }),
                }
            }
            Self::Cpu(cpu) => cpu.write_weight(name, at, piece)?,
            Self::Gpu(gpu) => gpu.write_weight(name, at, piece)?,
        }
        Ok(())
    }

    /// Makes a tape ready. What its forward part computes is kept together with those of `others`
    /// that have the same; the reference keeps nothing, since it says what is right.
    pub(crate) async fn plan<'a>(
        &mut self,
        tape: &Tape,
        others: impl Iterator<Item = &'a Plan>,
    ) -> Result<Plan, EngineError> {
        Ok(match self {
            Self::Reference(_) => Plan::Reference(tape.clone()),
            Self::Cpu(cpu) => {
                Plan::Cpu(Box::new(cpu.plan_beside(tape, others.filter_map(Plan::as_cpu))?))
            }
            Self::Gpu(gpu) => {
                let plan = gpu.plan_beside(tape, others.filter_map(Plan::as_gpu)).await?;
                Plan::Gpu(Box::new(plan))
            }
        })
    }

    /// Runs a plan that this executor made.
    pub(crate) async fn run(
        &mut self,
        plan: &mut Plan,
        mut feed: Feed,
        pace: &mut Pace<'_, impl Control>,
    ) -> Result<Outputs, EngineError> {
        match (self, plan) {
            (Self::Reference(weights), Plan::Reference(tape)) => {
                for (buf, info) in tape.bufs() {
                    if let (Content::Weight, Some(values)) = (info.content, weights.get(&info.name))
                    {
                        feed.values(buf, values.clone());
                    }
                }
                let mut run = reference::Run::new(tape, &feed)?;
                let mut done = 0;
                while run.step() {
                    done += 1;
                    pace.step(done, tape.ops().len() as u64).await?;
                }
                let values = run.finish();
                Ok(Outputs::new(tape.outputs().iter().map(|&buf| (buf, values.f32(buf))).collect()))
            }
            (Self::Cpu(_), Plan::Cpu(plan)) => {
                plan.start(&feed)?;
                while plan.step() {
                    let (done, total) = plan.progress();
                    pace.step(done as u64, total as u64).await?;
                }
                Ok(plan.outputs())
            }
            (Self::Gpu(gpu), Plan::Gpu(plan)) => {
                gpu.start(plan, &feed).await?;
                while gpu.step(plan).await? {
                    let (done, total) = plan.progress();
                    pace.step(done as u64, total as u64).await?;
                }
                Ok(gpu.finish(plan).await?)
            }
            _ => unreachable!("plans are dropped with the executor that made them"),
        }
    }
}
