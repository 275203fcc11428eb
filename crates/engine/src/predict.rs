//! What the model would write next.

use relp_model::{Field, Prediction, Problem, Token, gpt2, top_predictions};
use relp_tape::{Feed, Tape};

use crate::{Control, Engine, EngineError, WeightSource};

impl<S: WeightSource> Engine<S> {
    /// The `k` likeliest next tokens after a prompt, likeliest first. If the GPU fails, the CPU
    /// takes its place, for this run and the next.
    ///
    /// # Errors
    /// If the prompt is empty or too long, the run fails, or `control` cancels.
    pub async fn predict(
        &mut self,
        prompt: &[Token],
        k: usize,
        control: &mut impl Control,
    ) -> Result<Vec<Prediction>, EngineError> {
        let most = self.reader.config.n_ctx;
        let problem = match prompt.len() {
            0 => Some(Problem::Empty { field: Field::Clean }),
            tokens if tokens > most => Some(Problem::TooLong { field: Field::Clean, tokens, most }),
            _ => None,
        };
        if let Some(problem) = problem {
            return Err(EngineError::Pair(vec![problem]));
        }
        let config = &self.reader.config;
        let mut tape = Tape::new();
        let (ids, forward) = gpt2::forward(&mut tape, config, 1, prompt.len());
        let logits = gpt2::logits(&mut tape, config, forward.last_normed);
        tape.output(logits);
        let mut feed = Feed::new();
        feed.ids(ids, prompt.iter().map(|token| token.id).collect());
        let outputs = self.outputs(&tape, &feed, control).await?;
        Ok(top_predictions(outputs.get(logits), k, &self.reader.tokenizer))
    }
}
