//! What the model would write next.

use serde::{Deserialize, Serialize};

use crate::{Token, Tokenizer};

/// A possible next token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// The token.
    pub token: Token,
    /// Its logit.
    pub logit: f64,
    /// Its probability.
    pub probability: f64,
}

/// The `k` likeliest next tokens for a row of logits, likeliest first.
pub fn top_predictions(logits: &[f32], k: usize, tokenizer: &Tokenizer) -> Vec<Prediction> {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = logits.iter().map(|&logit| f64::from(logit - max).exp()).sum();
    let mut ids: Vec<u32> = (0..logits.len() as u32).collect();
    let by_logit = |a: &u32, b: &u32| logits[*b as usize].total_cmp(&logits[*a as usize]);
    let k = k.min(ids.len());
    if k < ids.len() {
        ids.select_nth_unstable_by(k, by_logit);
        ids.truncate(k);
    }
    ids.sort_by(|a, b| by_logit(a, b).then(a.cmp(b)));
    let prediction = |id: u32| {
        let logit = logits[id as usize];
        Prediction {
            token: tokenizer.token(id),
            logit: f64::from(logit),
            probability: f64::from(logit - max).exp() / sum,
        }
    };
    ids.into_iter().map(prediction).collect()
}
