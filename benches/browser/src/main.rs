//! The executors in a browser's worker: weights come in as they are fetched, then one run after another is
//! recorded, planned and timed by who calls it. `benches/peers/page/ours.js` is who.

mod loading;

use relp_benches::{GPT2_SMALL, PRIMER, Work, operations, weights};
use relp_cpu::Cpu;
use relp_gpu::Gpu;
use relp_model::Config;
use relp_tape::{Feed, Outputs, Piece, Storage, Tape};
use wasm_bindgen::prelude::*;

use crate::loading::Loading;

fn main() {
    console_error_panic_hook::set_once();
}

/// Lends the calling worker's thread to the one that times.
#[cfg(feature = "threads")]
#[wasm_bindgen]
pub fn lend() {
    relp_cpu::lend();
}

/// Shares out the CPU's work to so many lent threads.
///
/// # Errors
/// If it is shared out already.
#[cfg(feature = "threads")]
#[wasm_bindgen]
pub fn share(lent: usize) -> Result<(), String> {
    relp_cpu::share(lent).map_err(said)
}

/// An executor with a model's weights.
enum Executor {
    Cpu(Cpu),
    Gpu(Box<Gpu>),
}

/// A tape with memory for its values.
enum Plan {
    Cpu(Box<relp_cpu::Plan>),
    Gpu(Box<relp_gpu::Plan>),
}

/// An executor, a model and a run of it.
#[wasm_bindgen]
pub struct Bench {
    config: Config,
    executor: Executor,
    loading: Loading,
    ready: Option<(Plan, Work)>,
    outputs: Option<Outputs>,
}

#[wasm_bindgen]
impl Bench {
    /// Starts an executor, `wasm` or `webgpu`, for a model: `primer` or `gpt2-small`.
    ///
    /// # Errors
    /// If there is no such model or executor, or no GPU.
    pub async fn start(model: &str, executor: &str) -> Result<Self, String> {
        let config = match model {
            "primer" => PRIMER,
            "gpt2-small" => GPT2_SMALL,
            other => return Err(format!("There is no model {other}.")),
        };
        let executor = match executor {
            "wasm" | "relaxed" | "threads" => Executor::Cpu(Cpu::new()),
            "webgpu" => {
                let mut gpu = Gpu::request().await.map_err(said)?;
                // As the page does it, before anything is loaded.
                gpu.measure().await.map_err(said)?;
                Executor::Gpu(Box::new(gpu))
            }
            other => return Err(format!("There is no executor {other}.")),
        };
        Ok(Self { config, executor, loading: Loading::default(), ready: None, outputs: None })
    }

    /// Takes the next bytes of the model's safetensors file, which has `length` in all.
    ///
    /// # Errors
    /// If it is not the model's.
    pub fn push(&mut self, bytes: &[u8], length: f64) -> Result<(), String> {
        let Self { config, executor, loading, .. } = self;
        loading.push(bytes, length as u64, config, |name, piece, all| match executor {
            Executor::Cpu(cpu) => put_cpu(cpu, name, piece, all),
            Executor::Gpu(gpu) => put_gpu(gpu, name, piece, all),
        })
    }

    /// Plans a run of so many tokens and prompts, or pairs of prompts; false if it would take several tapes.
    ///
    /// # Errors
    /// If there is no such run, a weight is missing, or the GPU refuses.
    pub async fn plan(&mut self, what: &str, tokens: usize, batch: usize) -> Result<bool, String> {
        // The one before goes first, so that there is memory for one.
        (self.ready, self.outputs) = (None, None);
        if !Work::WHATS.contains(&what) {
            return Err(format!("There is no run {what}."));
        }
        let Some(work) = Work::record(&self.config, what, tokens, batch) else {
            return Ok(false);
        };
        let plan = self.executor.plan(&work.tape).await?;
        self.ready = Some((plan, work));
        Ok(true)
    }

    /// Runs what was planned, with the results read back.
    ///
    /// # Errors
    /// If nothing was planned, or the GPU refuses.
    pub async fn run(&mut self) -> Result<(), String> {
        let (plan, work) = self.ready.as_mut().ok_or("Nothing was planned.")?;
        self.outputs = Some(self.executor.run(plan, &work.feed).await?);
        Ok(())
    }

    /// The logits of the last position of every prompt that the last run found.
    ///
    /// # Errors
    /// If nothing was run, or it is no forward pass.
    pub fn logits(&self) -> Result<Vec<f32>, String> {
        let (_, work) = self.ready.as_ref().ok_or("Nothing was planned.")?;
        let outputs = self.outputs.as_ref().ok_or("Nothing was run.")?;
        let logits = work.logits.ok_or("It is no forward pass.")?;
        Ok(outputs.get(logits).to_vec())
    }

    /// Floating-point operations of the matrix products of what was planned.
    pub fn operations(&self) -> f64 {
        self.ready.as_ref().map_or(0.0, |(_, work)| operations(&work.tape, &work.feed))
    }

    /// What the GPU has done so far: pipelines built, submits, readbacks; nothing on the CPU.
    pub fn counts(&self) -> Vec<usize> {
        let Executor::Gpu(gpu) = &self.executor else { return Vec::new() };
        let counts = gpu.counts();
        vec![counts.pipelines, counts.submits, counts.readbacks]
    }

    /// What the adapter is called; empty on the CPU.
    pub fn adapter(&self) -> String {
        match &self.executor {
            Executor::Cpu(_) => String::new(),
            Executor::Gpu(gpu) => gpu.adapter().name.clone(),
        }
    }
}

impl Executor {
    async fn plan(&mut self, tape: &Tape) -> Result<Plan, String> {
        Ok(match self {
            Self::Cpu(cpu) => Plan::Cpu(Box::new(cpu.plan(tape).map_err(said)?)),
            Self::Gpu(gpu) => Plan::Gpu(Box::new(gpu.plan(tape).await.map_err(said)?)),
        })
    }

    async fn run(&mut self, plan: &mut Plan, feed: &Feed) -> Result<Outputs, String> {
        match (self, plan) {
            (Self::Cpu(_), Plan::Cpu(plan)) => {
                plan.forget();
                plan.run(feed).map_err(said)
            }
            (Self::Gpu(gpu), Plan::Gpu(plan)) => {
                plan.forget();
                gpu.run(plan, feed).await.map_err(said)
            }
            _ => Err("The plan is another executor's.".to_owned()),
        }
    }
}

/// A large product of matrices, or one of few rows, on the CPU.
#[wasm_bindgen]
pub struct Product {
    plan: relp_cpu::Plan,
    feed: Feed,
    operations: f64,
}

#[wasm_bindgen]
impl Product {
    /// So many rows times a 768 × 3072 matrix.
    ///
    /// # Errors
    /// If it cannot be planned.
    #[wasm_bindgen(constructor)]
    pub fn new(rows: usize) -> Result<Self, String> {
        let work = Work::product(rows);
        let mut cpu = Cpu::new();
        weights(&work.tape).iter().for_each(|(name, values)| cpu.set_weight(name, values));
        let plan = cpu.plan(&work.tape).map_err(said)?;
        Ok(Self { plan, operations: operations(&work.tape, &work.feed), feed: work.feed })
    }

    /// Computes it, and returns how many floating-point operations that takes.
    ///
    /// # Errors
    /// If the input does not fit.
    pub fn run(&mut self) -> Result<f64, String> {
        self.plan.run(&self.feed).map_err(said)?;
        Ok(self.operations)
    }
}

fn put_cpu(cpu: &mut Cpu, name: &str, piece: loading::Place<'_>, all: usize) -> Result<(), String> {
    if piece.at == 0 {
        cpu.reserve_weight(name, all, Storage::F32);
    }
    cpu.write_weight(name, piece.at, Piece::F32(piece.values)).map_err(said)
}

fn put_gpu(gpu: &mut Gpu, name: &str, piece: loading::Place<'_>, all: usize) -> Result<(), String> {
    if piece.at == 0 {
        gpu.reserve_weight(name, all, Storage::F32).map_err(said)?;
    }
    gpu.write_weight(name, piece.at, Piece::F32(piece.values)).map_err(said)
}

fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}
