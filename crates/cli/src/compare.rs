//! `relp compare`: how far the methods are from the exact answer, on a file of pairs.

use crate::args::Options;
use crate::failure::{Failure, Result};
use crate::model::Model;
use crate::output::note;
use crate::pairs::{self, Source};
use crate::report::Report;

pub(crate) fn run(options: &Options) -> Result<()> {
    options.out.check()?;
    let Some(path) = &options.pairs else {
        return Err(Failure::input(
            "--pairs is missing: name a file with one JSON object a line, with clean, corrupted, \
             answer and foil",
        ));
    };
    let source = Source::file(path, !options.no_bos)?;
    if !options.methods.is_empty() {
        let methods = [options.methods.as_slice(), options.against.as_slice()].concat();
        options.idle(&methods).into_iter().for_each(note);
    }
    let mut model = Model::load(options.model.as_deref(), options.executor, options.weights)?;
    let questions = source.read(&model.engine().reader(), options.metric)?;
    let report = Report::make(pairs::name(path), &questions, options, &mut model)?;
    options.out.give(&report, || report.text())
}
