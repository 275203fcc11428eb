//! `relp predict`: what the model would write next.

use relp_model::{ModelInfo, Prediction, Token};
use serde::Serialize;

use crate::args::Options;
use crate::columns::Columns;
use crate::failure::{Failure, Result};
use crate::model::Model;

/// How many tokens are named unless another number is asked for.
const TOP: usize = 10;

#[derive(Debug, Serialize)]
struct Answer {
    model: ModelInfo,
    tokens: Vec<Token>,
    predictions: Vec<Prediction>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    options.out.check()?;
    let Some(prompt) = options.prompt.as_deref().filter(|prompt| !prompt.is_empty()) else {
        return Err(Failure::input(
            "--prompt is missing or empty: give a text that the model should continue",
        ));
    };
    let mut model = Model::load(options.model.as_deref(), options.executor, options.weights)?;
    let reader = model.engine().reader();
    let tokens = reader.tokens(prompt, !options.no_bos);
    let most = reader.config().n_ctx;
    if tokens.len() > most {
        return Err(Failure::input(format_args!(
            "--prompt has {} tokens, but this model reads at most {most}: shorten it",
            tokens.len()
        )));
    }
    let predictions = model.predict(&tokens, options.top.unwrap_or(TOP))?;
    model.rest();
    let answer = Answer { model: model.engine().loaded().model, tokens, predictions };
    options.out.give(&answer, || answer.text())
}

impl Answer {
    fn text(&self) -> String {
        let mut columns = Columns::new(1, ["token", "id", "probability", "logit"]);
        for prediction in &self.predictions {
            columns.row(vec![
                format!("{:?}", prediction.token.text),
                prediction.token.id.to_string(),
                format!("{:.4}", prediction.probability),
                format!("{:.3}", prediction.logit),
            ]);
        }
        let mut text = String::new();
        columns.write(&mut text);
        text
    }
}
