//! `cargo xtask`: the few commands that a person needs to see, check and measure this project.

mod args;
mod assets;
mod boot;
mod browser;
mod checks;
mod dist;
mod docs;
mod embed;
mod instructions;
mod lock;
mod names;
mod offline;
mod page;
mod peers;
mod program;
mod report;
mod serve;
mod setup;
mod standalone;
mod step;
mod system;
mod test;
mod tool;
mod version;
mod workspace;

use std::{env, process::ExitCode, time::Instant};

use anyhow::{Result, bail};

use crate::{
    args::{Command, Test},
    checks::Check,
    report::Report,
    setup::{Need, PAGE},
    step::{Spent, say},
    workspace::Workspace,
};

fn main() -> ExitCode {
    let command = match args::parse(env::args_os().skip(1)) {
        Ok(command) => command,
        Err(error) => {
            step::complain(format_args!("{error:#}. `cargo xtask help` shows what there is."));
            return ExitCode::from(2);
        }
    };
    match obey(command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            step::complain(format_args!("\ncargo xtask stopped: {error:#}."));
            ExitCode::FAILURE
        }
    }
}

/// Does what was asked for; whether all is well with the code is the answer.
fn obey(command: Command) -> Result<bool> {
    let workspace = Workspace::locate()?;
    match command {
        Command::Help => say!("{}", args::HELP.trim_end()),
        Command::Setup => {
            let began = Instant::now();
            let of_use = Need::ALL.into_iter().filter(|need| need.impossible().is_none());
            prepare(&workspace, &of_use.collect::<Vec<_>>())?;
            say!("Everything is set up, after {}.", Spent(began.elapsed()));
        }
        Command::Serve(asked) => {
            prepare(&workspace, &PAGE)?;
            serve::serve(&workspace, &asked)?;
        }
        Command::Build => {
            prepare(&workspace, &PAGE)?;
            page::BUILD.run(|| page::build(&workspace)).1?;
        }
        Command::Dist(out) => {
            prepare(&workspace, &PAGE)?;
            page::BUILD.run(|| page::build(&workspace)).1?;
            dist::write(&workspace, out.as_deref())?;
        }
        Command::Check => {
            let reading = Test { only: Check::READING.into(), ..Test::default() };
            return test::test(&workspace, &reading);
        }
        Command::Test(asked) => return test::test(&workspace, &asked),
        Command::Fuzz(time) => {
            prepare(&workspace, &[Need::Nextest])?;
            // Every round begins with other random numbers.
            let began = Instant::now();
            while began.elapsed() < time {
                test::fuzz(&workspace)?;
            }
        }
        Command::Instructions => {
            prepare(&workspace, &[Need::Valgrind])?;
            instructions::record(&workspace)?;
        }
        Command::Peers(record) => peers::run(&workspace, record)?,
        Command::Bench(filters) => {
            prepare(&workspace, &[Need::Vulkan])?;
            let mut bench = workspace.cargo();
            bench.args(["bench", "--locked", "--package", "relp-benches"]);
            if !filters.is_empty() {
                bench.arg("--").args(filters);
            }
            step::run(&mut bench)?;
        }
    }
    Ok(true)
}

/// Sets up all of `needs` or stops.
fn prepare(workspace: &Workspace, needs: &[Need]) -> Result<()> {
    let needs = needs.iter().copied().collect();
    let unmet = setup::prepare(workspace, &needs, &mut Report::new())?;
    if !unmet.is_empty() {
        bail!("not everything could be set up, for the reasons above");
    }
    Ok(())
}
