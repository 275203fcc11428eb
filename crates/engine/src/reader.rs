//! Reading prompts as a model does.

use relp_model::{Config, Metric, Note, Pair, PairText, Preview, Problem, Token, Tokenizer};

/// A model's tokenizer and limits: all that a pair is checked by. It can be used while the engine
/// computes.
#[derive(Debug)]
pub struct Reader {
    pub(crate) config: Config,
    pub(crate) tokenizer: Tokenizer,
}

impl Reader {
    /// Tokenises and checks a pair for a metric.
    ///
    /// # Errors
    /// All problems found, at least one.
    pub fn pair(&self, text: &PairText, metric: Metric) -> Result<Pair, Vec<Problem>> {
        Pair::prepare(text, metric, &self.tokenizer, &self.config)
    }

    /// The sizes of the model.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The token of an id, if the model has an embedding for it.
    pub fn token(&self, id: u32) -> Option<Token> {
        ((id as usize) < self.config.n_vocab).then(|| self.tokenizer.token(id))
    }

    /// Splits a text, with `<|endoftext|>` before it if `bos` says so and the vocabulary has it.
    pub fn tokens(&self, text: &str, bos: bool) -> Vec<Token> {
        let bos = self.tokenizer.bos().filter(|_| bos).cloned();
        let tokens = self.tokenizer.encode(text).unwrap_or_default();
        bos.into_iter().chain(tokens).collect()
    }

    /// The prompt as text with another token at a position, if it is then read as the same tokens but
    /// for this one.
    pub fn replaced(
        &self,
        prompt: &[Token],
        position: usize,
        text: &str,
        bos: bool,
    ) -> Option<String> {
        let begins = usize::from(bos && self.tokenizer.bos().is_some());
        if position < begins {
            return None;
        }
        let pieces = prompt.iter().enumerate().skip(begins);
        let changed: String =
            pieces.map(|(at, token)| if at == position { text } else { &token.text }).collect();
        let read = self.tokens(&changed, bos);
        let same = |(at, (new, old)): (usize, (&Token, &Token))| {
            if at == position { new.text == text } else { new == old }
        };
        let fits = read.len() == prompt.len() && read.iter().zip(prompt).enumerate().all(same);
        fits.then_some(changed)
    }

    /// What a pair has that is allowed but seldom meant.
    pub fn notes(&self, text: &PairText) -> Vec<Note> {
        text.notes(&self.tokenizer)
    }

    /// A pair as the model sees it, whether or not it can be compared.
    pub fn preview(&self, text: &PairText, metric: Metric) -> Preview {
        Preview {
            clean: self.tokens(&text.clean, text.bos),
            corrupted: self.tokens(&text.corrupted, text.bos),
            problems: self.pair(text, metric).err().unwrap_or_default(),
            notes: self.notes(text),
        }
    }
}
