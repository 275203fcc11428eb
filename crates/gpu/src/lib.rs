//! Runs a [`Tape`](relp_tape::Tape) on a GPU through wgpu: natively on Vulkan, Metal or Direct3D,
//! in the browser on WebGPU.
//!
//! A [`Plan`] holds all that a tape needs: buffers, pipelines, bind groups, parameters. A run then
//! uploads the inputs, makes one compute pass and one submit, and reads all outputs back at once.
//! Each op is one shader of its name in `shaders/`, some with what is in `shaders/shared/`; what
//! neighbouring ops do in one dispatch is in `shaders/fused/`, `shaders/prologues/` and `shaders/epilogues/`. A matrix product
//! can be computed in several ways (`shaders/products/`), of which [`Gpu::measure`] finds the fastest.
//! Shaders need no optional feature of WebGPU and accumulate in `f32`, in an order that depends neither
//! on how many rows there are nor on the way.
//!
//! ```no_run
//! # async fn example(tape: relp_tape::Tape, feed: relp_tape::Feed) -> Result<(), relp_gpu::GpuError> {
//! let mut gpu = relp_gpu::Gpu::request().await?;
//! gpu.set_weight("w", &[1.0, 2.0])?;
//! let mut plan = gpu.plan(&tape).await?;
//! let outputs = gpu.run(&mut plan, &feed).await?;
//! # Ok(())
//! # }
//! ```

mod device;
mod error;
mod fuse;
mod kernel;
mod lists;
mod plan;
mod product;
mod run;
mod shader;
mod tuning;
mod weights;

pub use device::{AdapterSummary, Gpu};
pub use error::GpuError;
pub use plan::Plan;
pub use product::Variant;
pub use run::Counts;
pub use shader::shaders;
pub use tuning::{Norm, Tuning, recall, remembered};
