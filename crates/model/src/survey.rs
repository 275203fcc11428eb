//! How a model does on a pair, without any attribution.

use serde::{Deserialize, Serialize};

use crate::{Metric, Pair, Token, Tokenizer, top_predictions};

/// What a model answers to a pair.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Survey {
    /// Tokens of either prompt.
    pub tokens: usize,
    /// The metric on the clean prompt.
    pub clean: f64,
    /// The metric on the corrupted prompt.
    pub corrupted: f64,
    /// How many tokens are likelier after the clean prompt than the likeliest answer: 0 if it is the
    /// likeliest of all.
    pub rank: usize,
    /// The likeliest token after the clean prompt.
    pub likeliest: Token,
}

impl Survey {
    /// From the logits of both prompts, \[2,V\], the clean one's first. `None` if the metric cannot be
    /// computed from them, or a logit is not finite.
    pub fn of(pair: &Pair, metric: Metric, logits: &[f32], tokenizer: &Tokenizer) -> Option<Self> {
        let (clean, corrupted) = logits.split_at(logits.len() / 2);
        let ids = |tokens: &[Token]| tokens.iter().map(|token| token.id).collect::<Vec<_>>();
        let (answers, foils) = (ids(&pair.answers), ids(&pair.foils));
        let of = |logits| {
            let value = metric.of(logits, clean, &answers, &foils);
            value.filter(|value| value.is_finite())
        };
        let best = answers.iter().filter_map(|&id| clean.get(id as usize)).copied();
        let best = best.fold(f32::NEG_INFINITY, f32::max);
        Some(Self {
            tokens: pair.positions(),
            clean: of(clean)?,
            corrupted: of(corrupted)?,
            rank: clean.iter().filter(|&&logit| logit > best).count(),
            likeliest: top_predictions(clean, 1, tokenizer).pop()?.token,
        })
    }

    /// Whether the answer is preferred to the foil after the clean prompt. Where it is not, a map
    /// explains a mistake.
    pub fn is_right(&self) -> bool {
        self.clean > 0.0
    }
}
