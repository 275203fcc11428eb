//! `config.json` in Hugging Face layout.

use serde::{Deserialize, Serialize};

/// The sizes and constants of a GPT-2.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// Layers, L.
    pub n_layer: usize,
    /// Attention heads a layer, H.
    pub n_head: usize,
    /// Model width, D.
    pub d_model: usize,
    /// Width of the hidden layer of the MLP.
    pub d_mlp: usize,
    /// Vocabulary, V.
    pub n_vocab: usize,
    /// Longest prompt in tokens, P.
    pub n_ctx: usize,
    /// Added to the variance in every LayerNorm.
    pub eps: f32,
    /// Whether the unembedding is the token embedding.
    pub tied: bool,
}

/// `config.json` as it is written; what is absent has GPT-2's default.
#[derive(Deserialize)]
struct File {
    n_layer: usize,
    n_head: usize,
    n_embd: usize,
    n_inner: Option<usize>,
    vocab_size: usize,
    n_positions: usize,
    #[serde(default = "default_eps")]
    layer_norm_epsilon: f32,
    activation_function: Option<String>,
    #[serde(default = "yes")]
    tie_word_embeddings: bool,
    #[serde(default = "yes")]
    scale_attn_weights: bool,
    #[serde(default)]
    scale_attn_by_inverse_layer_idx: bool,
    #[serde(default)]
    add_cross_attention: bool,
}

/// What says which kind of model it is. It is read first: another kind has other fields.
#[derive(Deserialize)]
struct Kind {
    model_type: Option<String>,
    architectures: Option<Vec<String>>,
}

/// The architectures whose weights are those of a language model.
const ARCHITECTURES: [&str; 3] = ["GPT2LMHeadModel", "GPT2Model", "GPT2DoubleHeadsModel"];

/// Values in one tensor. The largest of GPT-2 XL has 80 million; as `f32`, this many are 2 GiB, about as much
/// as one piece of memory can have in a browser.
const MOST_VALUES: usize = 1 << 29;

fn default_eps() -> f32 {
    1e-5
}

fn yes() -> bool {
    true
}

/// Why a `config.json` cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Not JSON, or a field is missing or of the wrong type.
    #[error("config.json cannot be read: {0}. Use the config.json that belongs to the checkpoint.")]
    Json(String),
    /// A field has a value that this program does not support.
    #[error("config.json says {field} = {found}, but only {supported} is supported.")]
    Unsupported {
        /// The field.
        field: &'static str,
        /// Its value.
        found: String,
        /// What it should be.
        supported: &'static str,
    },
    /// A size that no GPT-2 has.
    #[error("config.json says {field} = {found}, which should be {expected}.")]
    Size {
        /// The field.
        field: &'static str,
        /// Its value.
        found: usize,
        /// What it should be.
        expected: &'static str,
    },
}

impl Config {
    /// Reads and checks `config.json`.
    ///
    /// # Errors
    /// If it is not a GPT-2 that this program computes exactly.
    pub fn from_json(json: &[u8]) -> Result<Self, ConfigError> {
        let invalid = |error: serde_json::Error| ConfigError::Json(error.to_string());
        let kind: Kind = serde_json::from_slice(json).map_err(invalid)?;
        let unsupported = |field, found: &dyn ToString, supported| {
            Err(ConfigError::Unsupported { field, found: found.to_string(), supported })
        };
        if let Some(other) = kind.model_type.filter(|name| name != "gpt2") {
            return unsupported("model_type", &other, "gpt2");
        }
        let architectures = kind.architectures.unwrap_or_default();
        if let Some(other) =
            architectures.iter().find(|name| !ARCHITECTURES.contains(&name.as_str()))
        {
            return unsupported("architectures", other, "GPT2LMHeadModel");
        }
        let file: File = serde_json::from_slice(json).map_err(invalid)?;
        let activation = file.activation_function.as_deref().unwrap_or("gelu_new");
        if !matches!(activation, "gelu_new" | "gelu_pytorch_tanh") {
            return unsupported("activation_function", &activation, "gelu_new");
        }
        if !file.scale_attn_weights {
            return unsupported("scale_attn_weights", &false, "true");
        }
        if file.scale_attn_by_inverse_layer_idx {
            return unsupported("scale_attn_by_inverse_layer_idx", &true, "false");
        }
        if file.add_cross_attention {
            return unsupported("add_cross_attention", &true, "false");
        }
        if !(file.layer_norm_epsilon.is_finite() && file.layer_norm_epsilon > 0.0) {
            return unsupported(
                "layer_norm_epsilon",
                &file.layer_norm_epsilon,
                "a positive number",
            );
        }
        for (field, found, most) in [
            ("n_layer", file.n_layer, 1 << 10),
            ("n_head", file.n_head, 1 << 10),
            ("n_embd", file.n_embd, 1 << 16),
            ("n_inner", file.n_inner.unwrap_or(1), 1 << 18),
            ("vocab_size", file.vocab_size, 1 << 24),
            ("n_positions", file.n_positions, 1 << 20),
        ] {
            if found == 0 || found > most {
                return Err(ConfigError::Size { field, found, expected: "a plausible size" });
            }
        }
        if !file.n_embd.is_multiple_of(file.n_head) {
            let expected = "a multiple of n_head";
            return Err(ConfigError::Size { field: "n_embd", found: file.n_embd, expected });
        }
        let width = file.n_embd;
        let d_mlp = file.n_inner.unwrap_or(4 * width);
        let inner = match file.n_inner {
            Some(inner) => ("n_inner", inner, inner),
            None => ("n_embd", width, d_mlp),
        };
        for (field, found, rows) in [
            ("vocab_size", file.vocab_size, file.vocab_size),
            ("n_positions", file.n_positions, file.n_positions),
            ("n_embd", width, 3 * width),
            inner,
        ] {
            if rows.checked_mul(width).is_none_or(|values| values > MOST_VALUES) {
                let expected = "so small that no tensor has more than 2 GiB";
                return Err(ConfigError::Size { field, found, expected });
            }
        }
        Ok(Self {
            n_layer: file.n_layer,
            n_head: file.n_head,
            d_model: file.n_embd,
            d_mlp,
            n_vocab: file.vocab_size,
            n_ctx: file.n_positions,
            eps: file.layer_norm_epsilon,
            tied: file.tie_word_embeddings,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = r#"{"model_type": "gpt2", "n_layer": 12, "n_head": 12, "n_embd": 768,
        "vocab_size": 50257, "n_positions": 1024, "layer_norm_epsilon": 1e-05,
        "activation_function": "gelu_new", "n_ctx": 1024, "resid_pdrop": 0.1}"#;

    fn changed(from: &str, to: &str) -> ConfigError {
        assert!(SMALL.contains(from));
        Config::from_json(SMALL.replace(from, to).as_bytes()).unwrap_err()
    }

    #[test]
    fn gpt2_small_is_read() {
        let config = Config::from_json(SMALL.as_bytes()).unwrap();
        assert_eq!((config.d_model, config.d_mlp, config.n_vocab), (768, 3072, 50257));
        assert!(config.tied);
    }

    #[test]
    fn what_is_not_supported_is_refused_by_name() {
        assert_eq!(
            changed("gelu_new", "relu").to_string(),
            "config.json says activation_function = relu, but only gelu_new is supported."
        );
        assert!(changed("\"gpt2\"", "\"llama\"").to_string().contains("model_type = llama"));
        assert!(changed("1e-05", "-1").to_string().contains("layer_norm_epsilon"));
        assert!(
            changed("\"n_ctx\": 1024", "\"scale_attn_weights\": false")
                .to_string()
                .contains("scale")
        );
    }

    #[test]
    fn another_kind_of_model_is_refused_by_its_name_whatever_fields_it_has() {
        let of = |json: &str| Config::from_json(json.as_bytes()).unwrap_err().to_string();
        let llama = of(r#"{"model_type": "llama", "hidden_size": 4096, "hidden_act": "silu"}"#);
        assert_eq!(llama, "config.json says model_type = llama, but only gpt2 is supported.");
        let classifier = changed(
            "\"n_ctx\"",
            "\"architectures\": [\"GPT2ForSequenceClassification\"], \"n_ctx\"",
        );
        assert!(classifier.to_string().contains("architectures = GPT2ForSequenceClassification"));
        let crossed = changed("\"n_ctx\": 1024", "\"add_cross_attention\": true");
        assert!(crossed.to_string().contains("add_cross_attention = true"));
        let bare = SMALL.replace("\"model_type\": \"gpt2\",", "");
        assert!(Config::from_json(bare.as_bytes()).is_ok());
    }

    #[test]
    fn other_contexts_vocabularies_and_an_unembedding_of_its_own_are_read() {
        let other = SMALL
            .replace("50257", "50260")
            .replace("\"n_positions\": 1024", "\"n_positions\": 2048")
            .replace("\"n_ctx\": 1024", "\"tie_word_embeddings\": false, \"n_inner\": 1000");
        let config = Config::from_json(other.as_bytes()).unwrap();
        assert_eq!((config.n_vocab, config.n_ctx, config.d_mlp), (50260, 2048, 1000));
        assert!(!config.tied);
    }

    #[test]
    fn impossible_sizes_are_refused() {
        for (from, to) in [
            ("\"n_layer\": 12", "\"n_layer\": 0"),
            ("\"n_embd\": 768", "\"n_embd\": 767"),
            ("\"vocab_size\": 50257", "\"vocab_size\": 99999999999"),
            ("\"n_head\": 12", "\"n_head\": 0"),
            ("\"vocab_size\": 50257", "\"vocab_size\": 16000000"),
            ("\"n_embd\": 768", "\"n_embd\": 49152"),
            ("\"n_ctx\"", "\"n_inner\": 0, \"n_ctx\""),
        ] {
            assert!(matches!(changed(from, to), ConfigError::Size { .. }), "{to}");
        }
        // What is named is what stands in the file.
        let wide = SMALL.replace("50257", "1000").replace("768", "49152");
        let wide = Config::from_json(wide.as_bytes()).unwrap_err().to_string();
        assert!(wide.contains("n_embd = 49152"), "{wide}");
        assert!(matches!(changed("\"n_layer\": 12", "\"n_layer\": -1"), ConfigError::Json(_)));
        assert!(matches!(Config::from_json(b"<html>").unwrap_err(), ConfigError::Json(_)));
    }
}
