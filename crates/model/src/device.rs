//! Which executor computes, by choice and in fact.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ModelInfo;

/// Which executor a person wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// The GPU, unless there is none, it is emulated in software, or it computes wrongly.
    #[default]
    Auto,
    /// Plain loops in `f64`: slow, and the standard of the others.
    Reference,
    /// The fast CPU path.
    Cpu,
    /// The GPU, also if it is emulated in software.
    Gpu,
}

/// An executor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Plain loops in `f64`.
    Reference,
    /// The fast CPU path.
    Cpu,
    /// WebGPU, or natively what wgpu finds.
    Gpu,
}

impl Kind {
    /// The name in figures.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Reference => "reference",
            Kind::Cpu => "cpu",
            Kind::Gpu => "gpu",
        }
    }
}

/// What computes, and why not something faster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// The executor.
    pub kind: Kind,
    /// The device, in its driver's or this program's words.
    pub name: String,
    /// Why the GPU is not used although it could have been.
    pub fallback: Option<Fallback>,
}

/// Why the CPU computes although the GPU was asked for, or would have been taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", content = "detail", rename_all = "snake_case")]
pub enum Fallback {
    /// No GPU can be reached.
    None,
    /// WebGPU runs in software here, which is slower than the CPU path.
    Software(String),
    /// The GPU failed, or its results were wrong.
    Failed(String),
}

impl fmt::Display for Fallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fallback::None => f.write_str("The CPU computes: WebGPU finds no GPU here."),
            Fallback::Software(name) => {
                write!(
                    f,
                    "The CPU computes: WebGPU runs in software here ({name}), which is slower."
                )
            }
            Fallback::Failed(why) => write!(f, "The CPU computes, because the GPU failed. {why}"),
        }
    }
}

/// What was loaded, onto what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Loaded {
    /// The model.
    pub model: ModelInfo,
    /// The device.
    pub device: Device,
}
