//! Observation points, in TransformerLens's words.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Config, UnknownName};

/// A named activation of every layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Site {
    /// The token embedding, before any layer; only of gradient × input.
    Embed,
    /// The residual stream before the layer.
    ResidPre,
    /// The heads' queries.
    Q,
    /// The heads' keys.
    K,
    /// The heads' values.
    V,
    /// The heads' attention patterns, of which a component is the row of one query.
    Pattern,
    /// The heads' outputs, before the output projection.
    Z,
    /// What attention adds to the residual stream.
    AttnOut,
    /// The residual stream between attention and MLP.
    ResidMid,
    /// The MLP's neurons, after the activation function.
    Post,
    /// What the MLP adds to the residual stream.
    MlpOut,
    /// The residual stream after the layer.
    ResidPost,
}

/// What a component of a site is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grain {
    /// A position.
    Position,
    /// A head at a position.
    Head,
    /// A neuron at a position.
    Neuron,
}

impl Site {
    /// All sites, in the order of the computation.
    pub const ALL: [Self; 12] = [
        Self::Embed,
        Self::ResidPre,
        Self::Q,
        Self::K,
        Self::V,
        Self::Pattern,
        Self::Z,
        Self::AttnOut,
        Self::ResidMid,
        Self::Post,
        Self::MlpOut,
        Self::ResidPost,
    ];

    /// The sites where something can be put in place of what is there.
    pub const PATCHED: [Self; 11] = [
        Self::ResidPre,
        Self::Q,
        Self::K,
        Self::V,
        Self::Pattern,
        Self::Z,
        Self::AttnOut,
        Self::ResidMid,
        Self::Post,
        Self::MlpOut,
        Self::ResidPost,
    ];

    /// The sites of heads.
    pub const HEADS: [Self; 5] = [Self::Z, Self::Q, Self::K, Self::V, Self::Pattern];

    /// The three sites of the RelP paper's figures.
    pub const PAPER: [Self; 3] = [Self::ResidPre, Self::AttnOut, Self::MlpOut];

    /// What a component is.
    pub fn grain(self) -> Grain {
        match self {
            Site::Q | Site::K | Site::V | Site::Pattern | Site::Z => Grain::Head,
            Site::Post => Grain::Neuron,
            Site::Embed
            | Site::ResidPre
            | Site::AttnOut
            | Site::ResidMid
            | Site::MlpOut
            | Site::ResidPost => Grain::Position,
        }
    }

    /// Components a position of a layer.
    pub fn components(self, config: &Config) -> usize {
        match self.grain() {
            Grain::Position => 1,
            Grain::Head => config.n_head,
            Grain::Neuron => config.d_mlp,
        }
    }

    /// Layers that have it.
    pub fn layers(self, config: &Config) -> usize {
        if self == Site::Embed { 1 } else { config.n_layer }
    }

    /// TransformerLens's name, without `hook_`.
    pub fn name(self) -> &'static str {
        match self {
            Site::Embed => "embed",
            Site::ResidPre => "resid_pre",
            Site::Q => "q",
            Site::K => "k",
            Site::V => "v",
            Site::Pattern => "pattern",
            Site::Z => "z",
            Site::AttnOut => "attn_out",
            Site::ResidMid => "resid_mid",
            Site::Post => "post",
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
