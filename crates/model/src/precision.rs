//! How exactly weights are kept.

use std::fmt;
use std::str::FromStr;

use relp_tape::Storage;
use serde::{Deserialize, Serialize};

use crate::{TensorInfo, UnknownName};

/// How exactly weights are kept. Arithmetic is in `f32` either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// As 32 bits: exactly what the checkpoint holds.
    #[default]
    F32,
    /// Matrices as 16 bits (IEEE binary16): half the memory, and about three digits. Vectors and the
    /// position embedding stay as they are.
    F16,
}

impl Precision {
    /// Both.
    pub const ALL: [Self; 2] = [Self::F32, Self::F16];

    /// The name in figures.
    pub fn name(self) -> &'static str {
        match self {
            Precision::F32 => "f32",
            Precision::F16 => "f16",
        }
    }

    /// Bytes that a value of a matrix takes.
    pub fn bytes(self) -> u64 {
        match self {
            Precision::F32 => 4,
            Precision::F16 => 2,
        }
    }

    /// How a tensor is kept.
    pub fn storage(self, tensor: &TensorInfo) -> Storage {
        let is_large = tensor.shape.len() == 2 && tensor.name != "wpe.weight";
        if self == Precision::F16 && is_large { Storage::F16 } else { Storage::F32 }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Precision {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        UnknownName::find("precision", text, Self::ALL, Precision::name)
    }
}
