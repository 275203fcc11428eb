//! Whether a model can do a task.

use relp_model::{Metric, PairText, Survey, gpt2};
use relp_tape::{Feed, Tape};

use crate::{Control, Engine, EngineError, WeightSource};

impl<S: WeightSource> Engine<S> {
    /// What the model answers to both prompts of a pair: one forward pass, and no attribution. If the
    /// GPU fails, the CPU takes its place, for this run and the next.
    ///
    /// # Errors
    /// If the pair cannot be compared, the run fails, or `control` cancels.
    pub async fn survey(
        &mut self,
        pair: &PairText,
        metric: Metric,
        control: &mut impl Control,
    ) -> Result<Survey, EngineError> {
        let pair = self.reader.pair(pair, metric).map_err(EngineError::Pair)?;
        let config = &self.reader.config;
        let mut tape = Tape::new();
        let (ids, forward) = gpt2::forward(&mut tape, config, 2, pair.positions());
        let logits = gpt2::logits(&mut tape, config, forward.last_normed);
        tape.output(logits);
        let mut feed = Feed::new();
        let tokens = pair.clean.iter().chain(&pair.corrupted);
        feed.ids(ids, tokens.map(|token| token.id).collect());
        let outputs = self.outputs(&tape, &feed, control).await?;
        let survey = Survey::of(&pair, metric, outputs.get(logits), &self.reader.tokenizer);
        survey.ok_or_else(|| self.implausible("a metric is not a finite number".to_owned()))
    }
}
