//! Where the heads of a layer look.

use relp_model::{Config, Metric, PairText, Patterns, gpt2};
use relp_tape::{Feed, Tape};

use crate::{Control, Engine, EngineError, WeightSource};

impl<S: WeightSource> Engine<S> {
    /// The attention patterns of a layer in both runs of a pair. If the GPU fails, the CPU takes its
    /// place, for this run and the next.
    ///
    /// # Errors
    /// If the prompts cannot be compared, there is no such layer, the run fails, or `control` cancels.
    pub async fn patterns(
        &mut self,
        pair: &PairText,
        layer: usize,
        control: &mut impl Control,
    ) -> Result<Patterns, EngineError> {
        // Answers do not matter here.
        let pair = self.reader.pair(pair, Metric::Kl).map_err(EngineError::Pair)?;
        let layers = self.reader.config.n_layer;
        if layer >= layers {
            return Err(EngineError::NoLayer { layer, layers });
        }
        // Later layers are not needed.
        let config = Config { n_layer: layer + 1, ..self.reader.config.clone() };
        let mut tape = Tape::new();
        let (ids, forward) = gpt2::forward(&mut tape, &config, 2, pair.positions());
        let pattern = forward.layers[layer].pattern;
        tape.output(pattern);
        let mut feed = Feed::new();
        let tokens = pair.clean.iter().chain(&pair.corrupted);
        feed.ids(ids, tokens.map(|token| token.id).collect());
        let outputs = self.outputs(&tape, &feed, control).await?;
        let (clean, corrupted) = {
            let values = outputs.get(pattern);
            values.split_at(values.len() / 2)
        };
        Ok(Patterns {
            layer,
            heads: config.n_head,
            positions: pair.positions(),
            clean: clean.to_vec(),
            corrupted: corrupted.to_vec(),
        })
    }
}
