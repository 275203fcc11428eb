//! `relp tape`: the listing of a run, in which a rule is a visible difference.

use relp_model::Attribution;

use crate::args::Options;
use crate::failure::{Failure, Result};
use crate::model;

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
    let attribution = Attribution::record(&config, 1, positions, &options.sites(), options.rules());
    options.out.give_text(&attribution.tape().to_string())
}
