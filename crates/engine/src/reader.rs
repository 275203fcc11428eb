//! Reading prompts as a model does.

use relp_model::{Config, Field, Pair, PairText, Preview, Problem, Token, Tokenizer};

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

    /// Checks a pair that was not made by [`Reader::pair`].
    ///
    /// # Errors
    /// All problems found, at least one.
    pub fn check(&self, pair: &Pair) -> Result<(), Vec<Problem>> {
        let most = self.config.n_ctx;
        let mut problems = Vec::new();
        for (field, tokens) in [(Field::Clean, &pair.clean), (Field::Corrupted, &pair.corrupted)] {
            match tokens.len() {
                0 => problems.push(Problem::Empty { field }),
                tokens if tokens > most => problems.push(Problem::TooLong { field, tokens, most }),
                _ => {}
            }
        }
        // Texts do not matter: what is compared is what the model reads.
        let ids = |tokens: &[Token]| tokens.iter().map(|token| token.id).collect::<Vec<_>>();
        let (clean, corrupted) = (pair.clean.len(), pair.corrupted.len());
        if clean != corrupted {
            problems.push(Problem::UnequalLength { clean, corrupted });
        } else if clean > 0 && ids(&pair.clean) == ids(&pair.corrupted) {
            problems.push(Problem::Identical);
        }
        if pair.answer.id == pair.foil.id {
            problems.push(Problem::SameAnswer { text: pair.answer.text.clone() });
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
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

    /// A pair as the model sees it, whether or not it can be compared.
    pub fn preview(&self, text: &PairText) -> Preview {
        Preview {
            clean: self.tokens(&text.clean, text.bos),
            corrupted: self.tokens(&text.corrupted, text.bos),
            problems: self.pair(text).err().unwrap_or_default(),
            notes: text.notes(&self.tokenizer),
        }
    }
}
