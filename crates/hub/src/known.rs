//! The models that are known by name, as data.
//!
//! Lengths and hashes are those that other projects publish for the pinned revisions. Hashes of weights
//! and vocabulary were found in several projects that are independent of each other, and those of most
//! configurations too; that of XL's `config.json` was found in one, whose other hashes agree with the
//! rest. Vocabulary and small configurations can also be written from what is known of GPT-2, which gives
//! these hashes. What could not be established is `None`: such a file is checked against what the hub announces, or else
//! trusted on first use, and what was found is recorded ([`crate::Record`]).

use serde::{Deserialize, Serialize};

/// The files that a model consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ModelFile {
    /// Sizes and constants.
    #[serde(rename = "config.json")]
    Config,
    /// Vocabulary and merges.
    #[serde(rename = "tokenizer.json")]
    Tokenizer,
    /// The weights.
    #[serde(rename = "model.safetensors")]
    Weights,
}

impl ModelFile {
    /// All files, in the order in which they are fetched: the weights are checked by the others.
    pub const ALL: [Self; 3] = [Self::Config, Self::Tokenizer, Self::Weights];

    /// The name of the file.
    pub fn name(self) -> &'static str {
        match self {
            ModelFile::Config => "config.json",
            ModelFile::Tokenizer => "tokenizer.json",
            ModelFile::Weights => "model.safetensors",
        }
    }

    /// The file of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|file| file.name() == name)
    }

    /// Whether it is JSON as a whole.
    pub(crate) fn is_json(self) -> bool {
        self != ModelFile::Weights
    }

    /// A longer file is refused, whatever the server says.
    pub(crate) fn most_bytes(self) -> u64 {
        match self {
            ModelFile::Config => 1 << 20,
            ModelFile::Tokenizer => 64 << 20,
            ModelFile::Weights => 64 << 30,
        }
    }
}

/// What a file has to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// Its bytes.
    pub length: Option<u64>,
    /// Its SHA-256 in hexadecimal.
    pub sha256: Option<String>,
}

/// The sizes of a GPT-2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Layers, L.
    pub n_layer: u64,
    /// Attention heads a layer, H.
    pub n_head: u64,
    /// Model width, D.
    pub d_model: u64,
    /// Width of the hidden layer of the MLP.
    pub d_mlp: u64,
    /// Vocabulary, V.
    pub n_vocab: u64,
    /// Longest prompt in tokens, P.
    pub n_ctx: u64,
}

impl Sizes {
    /// Values in `wte`, the largest tensor.
    pub fn embedding(self) -> u64 {
        self.n_vocab * self.d_model
    }

    /// Values of all tensors, with a tied unembedding.
    pub fn parameters(self) -> u64 {
        let Self { d_model: d, d_mlp: m, .. } = self;
        let attention = 4 * d * d + 4 * d;
        let mlp = 2 * d * m + m + d;
        self.embedding() + self.n_ctx * d + self.n_layer * (attention + mlp + 4 * d) + 2 * d
    }
}

/// A model that is known by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// The repository on the hub.
    pub repo: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// Other names that people use.
    pub aliases: &'static [&'static str],
    /// The commit whose files these are.
    pub revision: &'static str,
    /// Its sizes.
    pub sizes: Sizes,
    /// Length and SHA-256 of `config.json`, `tokenizer.json` and `model.safetensors`.
    files: [Pinned; 3],
}

type Pinned = (Option<u64>, Option<&'static str>);

/// The vocabulary is one for all sizes.
const TOKENIZER: Pinned =
    (Some(1_355_256), Some("8414cab924d8b9b33013f0d221c5862f365ee9be39c5c2bfae8a5a9e970478a6"));
const UNKNOWN: Pinned = (None, None);

/// The models that are known by name, the smallest first.
pub static KNOWN: [Known; 5] = [
    Known {
        repo: "distilbert/distilgpt2",
        title: "DistilGPT-2",
        aliases: &["distilgpt2"],
        revision: "2290a62682d06624634c1f46a6ad5be0f47f38aa",
        sizes: sizes(6, 12, 768),
        files: [
            (Some(762), Some("4ec5947c1d59fee6212cdf3b0ec1a53eac02092554c5ff0a733488cbd2c64f3a")),
            TOKENIZER,
            (
                Some(352_824_413),
                Some("e1ff18884359fe8beb795a5f414feb85a6ce3d929ad019c0d958c039d2b94a1b"),
            ),
        ],
    },
    Known {
        repo: "openai-community/gpt2",
        title: "GPT-2 small",
        aliases: &["gpt2", "gpt2-small"],
        revision: "607a30d783dfa663caf39e06633721c8d4cfcd7e",
        sizes: sizes(12, 12, 768),
        files: [
            (Some(665), Some("0daed7749b4f02b8f76240d5444551d7b08712dab4d0adb8239c56ba823bb7b4")),
            TOKENIZER,
            (
                Some(548_105_171),
                Some("248dfc3911869ec493c76e65bf2fcf7f615828b0254c12b473182f0f81d3a707"),
            ),
        ],
    },
    Known {
        repo: "openai-community/gpt2-medium",
        title: "GPT-2 medium",
        aliases: &["gpt2-medium"],
        revision: "6dcaa7a952f72f9298047fd5137cd6e4f05f41da",
        sizes: sizes(24, 16, 1024),
        files: [
            (Some(718), Some("ef1a44d889ad1a0acc7731c78134f1b87d2d222f110e97dd10fd4117331caf22")),
            TOKENIZER,
            (
                Some(1_519_984_962),
                Some("fc5a354a19255ad494f3d71549390baca1ccf61d1d822b9408971705c687c9cd"),
            ),
        ],
    },
    Known {
        repo: "openai-community/gpt2-large",
        title: "GPT-2 large",
        aliases: &["gpt2-large"],
        revision: "32b71b12589c2f8d625668d2335a01cac3249519",
        sizes: sizes(36, 20, 1280),
        files: [UNKNOWN, UNKNOWN, UNKNOWN],
    },
    Known {
        repo: "openai-community/gpt2-xl",
        title: "GPT-2 XL",
        aliases: &["gpt2-xl"],
        revision: "15ea56dee5df4983c59b2538573817e1667135e2",
        sizes: sizes(48, 25, 1600),
        files: [
            (None, Some("be48115d52314bc27327e160bf10197760db02ea689d10adb24db4102edf7a8a")),
            TOKENIZER,
            (None, Some("0f8b28eb05a8075f48b61b6f35332978c74fc7763fa9fb4051a1c30511736a6a")),
        ],
    },
];

const fn sizes(n_layer: u64, n_head: u64, d_model: u64) -> Sizes {
    Sizes { n_layer, n_head, d_model, d_mlp: 4 * d_model, n_vocab: 50257, n_ctx: 1024 }
}

impl Known {
    /// The model of a name: its repository, one of its aliases, or a repository as it was called
    /// before the hub had owners for all.
    pub fn find(name: &str) -> Option<&'static Self> {
        KNOWN.iter().find(|model| {
            let other = |alias: &&str| alias.eq_ignore_ascii_case(name);
            model.repo.eq_ignore_ascii_case(name) || model.aliases.iter().any(other)
        })
    }

    /// What a file has to be.
    pub fn expected(&self, file: ModelFile) -> Expected {
        let (length, sha256) = self.files[file as usize];
        Expected { length, sha256: sha256.map(str::to_owned) }
    }

    /// Bytes of a file; where its length could not be established, about as many.
    pub fn length(&self, file: ModelFile) -> u64 {
        self.files[file as usize].0.unwrap_or_else(|| match file {
            ModelFile::Config => 1_000,
            ModelFile::Tokenizer => TOKENIZER.0.unwrap_or_default(),
            // The published files hold F32, and a causal mask a layer that nobody needs.
            ModelFile::Weights => {
                let mask = self.sizes.n_ctx * self.sizes.n_ctx;
                4 * (self.sizes.parameters() + self.sizes.n_layer * mask)
            }
        })
    }

    /// Bytes of all files, as [`Self::length`] has them.
    pub fn download(&self) -> u64 {
        ModelFile::ALL.map(|file| self.length(file)).iter().sum()
    }

    /// The largest model that is smaller.
    pub fn next_smaller(&self) -> Option<&'static Self> {
        KNOWN.iter().rev().find(|other| other.sizes.parameters() < self.sizes.parameters())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_lengths_and_hashes_fit_each_other() {
        let published = [81_912_576, 124_439_808, 354_823_168, 774_030_080, 1_557_611_200];
        for (model, parameters) in KNOWN.iter().zip(published) {
            assert_eq!(model.sizes.parameters(), parameters, "{}", model.repo);
            let mask = model.sizes.n_layer * model.sizes.n_ctx.pow(2);
            if let Some(length) = model.expected(ModelFile::Weights).length {
                // What is left is the header.
                let header = length - 4 * (parameters + mask);
                assert!((1_000..60_000).contains(&header), "{}: {header}", model.repo);
            }
            for file in ModelFile::ALL {
                let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
                let sha256 = model.expected(file).sha256;
                assert!(sha256.is_none_or(|hash| hash.len() == 64 && hash.chars().all(hex)));
            }
            assert_eq!(model.revision.len(), 40);
        }
        assert!(KNOWN.is_sorted_by_key(|model| model.sizes.parameters()));
    }

    #[test]
    fn names_and_aliases_find_their_model_and_no_other() {
        for model in &KNOWN {
            let names = model.aliases.iter().chain([&model.repo]);
            for name in names {
                assert_eq!(Known::find(name), Some(model));
                let holders = KNOWN.iter().filter(|other| other.aliases.contains(name)).count();
                assert!(holders <= 1, "{name}");
            }
        }
        assert_eq!(Known::find("GPT2-Small").map(|model| model.title), Some("GPT-2 small"));
        assert_eq!(Known::find("gpt3"), None);
        assert_eq!(Known::find(""), None);
    }

    #[test]
    fn the_next_smaller_model_is_smaller_and_the_smallest_has_none() {
        let chain = KNOWN.iter().rev().map(|model| model.next_smaller().map(|next| next.title));
        let titles =
            [Some("GPT-2 large"), Some("GPT-2 medium"), Some("GPT-2 small"), Some("DistilGPT-2")];
        assert!(chain.eq(titles.into_iter().chain([None])));
    }
}
