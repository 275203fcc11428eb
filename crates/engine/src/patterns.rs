//! Where the heads of a layer look.

use relp_model::{Config, Metric, Pair, PairText, Patterns, gpt2};
use relp_tape::{Feed, Tape};

use crate::control::Pace;
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
        match self.run_patterns(&pair, layer, control).await {
            Err(error) if self.is_of_gpu(&error) => {
                self.fall_back(&error, control).await?;
                self.run_patterns(&pair, layer, control).await
            }
            other => other,
        }
    }

    async fn run_patterns(
        &mut self,
        pair: &Pair,
        layer: usize,
        control: &mut impl Control,
    ) -> Result<Patterns, EngineError> {
        // Later layers are not needed.
        let config = Config { n_layer: layer + 1, ..self.reader.config.clone() };
        let mut tape = Tape::new();
        let (ids, forward) = gpt2::forward(&mut tape, &config, 2, pair.positions());
        let pattern = forward.layers[layer].pattern;
        tape.output(pattern);
        let mut feed = Feed::new();
        let tokens = pair.clean.iter().chain(&pair.corrupted);
        feed.ids(ids, tokens.map(|token| token.id).collect());
        let mut plan = self.executor.plan(&tape).await?;
        let mut pace = Pace::new(control, 1);
        let outputs = self.executor.run(&mut plan, feed, &mut pace).await?;
        if outputs.first_not_finite().is_some() {
            let what = "an attention pattern is not made of finite numbers".to_owned();
            return Err(EngineError::Implausible { device: self.loaded().device.name, what });
        }
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
