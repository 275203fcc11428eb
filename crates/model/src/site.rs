//! Observation points, in TransformerLens's words.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::UnknownName;

/// A named activation of every layer: \[T, `d_model`\], and of [`Site::Z`] \[T, heads, `d_head`\].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Site {
    /// The residual stream before the layer.
    ResidPre,
    /// The heads' outputs, before the output projection; a score a head.
    Z,
    /// What attention adds to the residual stream.
    AttnOut,
    /// The residual stream between attention and MLP.
    ResidMid,
    /// What the MLP adds to the residual stream.
    MlpOut,
    /// The residual stream after the layer.
    ResidPost,
}

impl Site {
    /// All sites, in the order of the computation.
    pub const ALL: [Self; 6] =
        [Self::ResidPre, Self::Z, Self::AttnOut, Self::ResidMid, Self::MlpOut, Self::ResidPost];

    /// The three sites of the RelP paper's figures.
    pub const PAPER: [Self; 3] = [Self::ResidPre, Self::AttnOut, Self::MlpOut];

    /// Scores a position: one, or one a head.
    pub fn scores(self, heads: usize) -> usize {
        if self == Site::Z { heads } else { 1 }
    }

    /// TransformerLens's name, without `hook_`.
    pub fn name(self) -> &'static str {
        match self {
            Site::ResidPre => "resid_pre",
            Site::Z => "z",
            Site::AttnOut => "attn_out",
            Site::ResidMid => "resid_mid",
            Site::MlpOut => "mlp_out",
            Site::ResidPost => "resid_post",
        }
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Site {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        UnknownName::find("site", text, Self::ALL, Site::name)
    }
}
