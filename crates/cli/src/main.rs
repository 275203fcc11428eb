//! `relp`: relevance patching, attribution patching, integrated gradients and exact activation
//! patching of GPT-2s from the command line, on the same crates as the page.

mod args;
mod attribute;
mod cache;
mod columns;
mod compare;
mod failure;
mod figure;
mod help;
mod ioi;
mod model;
mod models;
mod net;
mod output;
mod pack;
mod pairs;
mod predict;
mod progress;
mod report;
mod serve;
mod table;
mod tape;
mod tasks;

use std::io::{self, Write};
use std::process::ExitCode;

use crate::args::{Asked, Command};
use crate::failure::{Failure, Result};

fn main() -> ExitCode {
    relp_engine::compute_here();
    match args::parse(std::env::args_os().skip(1)).and_then(obey) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if let Failure::Input(why) | Failure::Failed(why) = &failure {
                // Where even errors cannot be written, the exit status has to do.
                let _unheard = writeln!(io::stderr().lock(), "relp: {why}");
            }
            ExitCode::from(failure.status())
        }
    }
}

fn obey(asked: Asked) -> Result<()> {
    match asked {
        Asked::ModelHelp => output::print(models::HELP),
        Asked::Help(command) => output::print(&help::text(command)),
        Asked::Version => output::print(concat!("relp ", env!("CARGO_PKG_VERSION"), "\n")),
        Asked::FigureHelp => output::print(figure::HELP),
        Asked::Figure(ask) => figure::run(&ask),
        Asked::Model(ask) => models::run(&ask),
        Asked::ServeHelp => output::print(serve::HELP),
        Asked::Serve(ask) => serve::run(&ask),
        Asked::PackHelp => output::print(pack::HELP),
        Asked::Pack(ask) => pack::run(&ask),
        Asked::Do(command, options) => match command {
            Command::Attribute => attribute::run(&options),
            Command::Compare => compare::run(&options),
            Command::Table => table::run(&options),
            Command::Report => tasks::run(&options),
            Command::Predict => predict::run(&options),
            Command::Tape => tape::run(&options),
        },
    }
}
