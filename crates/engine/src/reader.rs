//! Reading prompts as a model does.

use relp_model::{Config, Pair, PairText, Preview, Problem, Tokenizer};

/// A model's tokenizer and limits: all that a pair is checked by. It can be used while the engine
/// computes.
#[derive(Debug)]
pub struct Reader {
    pub(crate) config: Config,
    pub(crate) tokenizer: Tokenizer,
}

impl Reader {
    /// Tokenises and checks a pair.
    ///
    /// # Errors
    /// All problems found, at least one.
    pub fn pair(&self, text: &PairText) -> Result<Pair, Vec<Problem>> {
        Pair::prepare(text, &self.tokenizer, &self.config)
    }

    /// A pair as the model sees it, whether or not it can be compared.
    pub fn preview(&self, text: &PairText) -> Preview {
        let tokens = |prompt: &str| {
            let bos = self.tokenizer.bos().filter(|_| text.bos).cloned();
            let tokens = self.tokenizer.encode(prompt).unwrap_or_default();
            bos.into_iter().chain(tokens).collect()
        };
        Preview {
            clean: tokens(&text.clean),
            corrupted: tokens(&text.corrupted),
            problems: self.pair(text).err().unwrap_or_default(),
            notes: text.notes(&self.tokenizer),
        }
    }
}
