//! `relp tape`: the listing of a run, in which a rule is a visible difference.

use relp_engine::EngineError;
use relp_model::{Method, Recipe};

use crate::args::Options;
use crate::failure::{Failure, Result};
use crate::model;
use crate::output::note;

/// Tokens of the prompts unless another number is asked for.
const POSITIONS: usize = 15;

pub(crate) fn run(options: &Options) -> Result<()> {
    options.out.check()?;
    let config = model::config(options.model.as_deref())?;
    let positions = options.positions.unwrap_or(POSITIONS.min(config.n_ctx));
    if positions > config.n_ctx {
        return Err(Failure::input(format_args!(
            "--positions {positions}: this model reads at most {} tokens",
            config.n_ctx
        )));
    }
    let method = match options.methods.as_slice() {
        [] => Method::Relp,
        [method] => *method,
        _ => {
            return Err(Failure::input("A listing is of one run: give --method once"));
        }
    };
    options.idle(&[method]).into_iter().for_each(note);
    let request = options.request(method);
    request.check().map_err(EngineError::Pair)?;
    let recipe = Recipe::of_length(&request, positions);
    let parts = recipe.parts(&config);
    if parts.len() > 1 {
        note(&format!(
            "This run is done in {} parts, each with a tape: the first is listed.",
            parts.len()
        ));
    }
    options.out.give_text(&recipe.record(&config, &parts[0]).tape().to_string())
}
