//! The methods and directions, by the names that figures and the command line use.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Prompt;

/// How a component's effect is estimated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Relevance patching (arXiv 2508.21258): attribution patching whose backward pass follows
    /// the LRP rules.
    #[default]
    Relp,
    /// Attribution patching: the plain gradient, which is RelP with no rule.
    Atp,
    /// Activation patching, the exact effect: the component is replaced, and everything after it
    /// computed again.
    Ap,
    /// Integrated gradients along the embeddings (EAP-IG, inputs).
    IgInputs,
    /// Integrated gradients along each activation by itself (as in sparse feature circuits).
    IgActivations,
    /// AtP\* (Kramár et al. 2024, arXiv 2403.00745): attribution patching through the softmax for
    /// queries and keys, and with one layer at a time left out of the way back. Its scores are sizes.
    AtpStar,
    /// The gradient at the token embeddings times these, of the base run alone.
    GradXInput,
}

impl Method {
    /// All methods.
    pub const ALL: [Self; 7] = [
        Self::Relp,
        Self::Atp,
        Self::Ap,
        Self::IgInputs,
        Self::IgActivations,
        Self::AtpStar,
        Self::GradXInput,
    ];

    /// The methods whose scores estimate what [`Method::Ap`] computes.
    pub const ESTIMATES: [Self; 5] =
        [Self::Relp, Self::Atp, Self::AtpStar, Self::IgInputs, Self::IgActivations];

    /// The name in figures.
    pub fn name(self) -> &'static str {
        match self {
            Method::Relp => "relp",
            Method::Atp => "atp",
            Method::Ap => "ap",
            Method::IgInputs => "ig-inputs",
            Method::IgActivations => "ig-activations",
            Method::AtpStar => "atp-star",
            Method::GradXInput => "grad-x-input",
        }
    }

    /// How people write it.
    pub fn title(self) -> &'static str {
        match self {
            Method::Relp => "RelP",
            Method::Atp => "AtP",
            Method::Ap => "AP",
            Method::IgInputs => "IG (inputs)",
            Method::IgActivations => "IG (activations)",
            Method::AtpStar => "AtP*",
            Method::GradXInput => "gradient × input",
        }
    }

    /// Whether it takes steps from base to source.
    pub fn has_steps(self) -> bool {
        matches!(self, Method::IgInputs | Method::IgActivations)
    }

    /// Whether its scores have a size and no sign.
    pub fn is_unsigned(self) -> bool {
        self == Method::AtpStar
    }

    /// Whether it puts something in the place of a component.
    pub fn replaces(self) -> bool {
        self != Method::GradXInput
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Method {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        UnknownName::find("method", text, Self::ALL, Method::name)
    }
}

/// Which run is changed, and toward which.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Base: corrupted, source: clean. A positive score moves the metric toward the clean answer.
    #[default]
    Denoise,
    /// Base: clean, source: corrupted. A negative score moves the metric away from the answer.
    Noise,
}

impl Direction {
    /// Both directions.
    pub const ALL: [Self; 2] = [Self::Denoise, Self::Noise];

    /// The prompts of the base run and of the source run.
    pub fn prompts(self) -> (Prompt, Prompt) {
        match self {
            Direction::Denoise => (Prompt::Corrupted, Prompt::Clean),
            Direction::Noise => (Prompt::Clean, Prompt::Corrupted),
        }
    }

    /// Of something of the base run and the same of the source run: the clean and the corrupted one.
    pub fn clean_and_corrupted<T>(self, base: T, source: T) -> (T, T) {
        match self {
            Direction::Denoise => (source, base),
            Direction::Noise => (base, source),
        }
    }

    /// The name in figures.
    pub fn name(self) -> &'static str {
        match self {
            Direction::Denoise => "denoise",
            Direction::Noise => "noise",
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Direction {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        UnknownName::find("direction", text, Self::ALL, Direction::name)
    }
}

/// How figures and requests write a set of rules: a list of short names.
pub mod rules_as_names {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::Rules;

    /// Writes the names of the rules that are on.
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for this signature")]
    pub fn serialize<S: Serializer>(rules: &Rules, serializer: S) -> Result<S::Ok, S::Error> {
        rules.names().serialize(serializer)
    }

    /// Reads a list of names.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Rules, D::Error> {
        let names = Vec::<String>::deserialize(deserializer)?;
        if names.is_empty() {
            return Ok(Rules::NONE);
        }
        names.join(",").parse().map_err(D::Error::custom)
    }
}

/// A name that is none of the known ones.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{found}\" is not a {kind}; known are {known}.")]
pub struct UnknownName {
    kind: &'static str,
    found: String,
    known: String,
}

impl UnknownName {
    /// The one of `all` whose name is `text`.
    pub(crate) fn find<T: Copy, const N: usize>(
        kind: &'static str,
        text: &str,
        all: [T; N],
        name: fn(T) -> &'static str,
    ) -> Result<T, Self> {
        all.into_iter().find(|&one| name(one) == text).ok_or_else(|| Self {
            kind,
            found: text.to_owned(),
            known: all.map(name).join(", "),
        })
    }
}
