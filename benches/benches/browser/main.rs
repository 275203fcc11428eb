//! Forward passes and attributions in Chromium, this program beside ONNX Runtime Web and transformers.js, and how soon
//! the built page shows a figure: a line of JSON for each. `cargo xtask bench --peers` makes what this needs and runs it.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the lines are what it is for")]

mod chromium;
mod jobs;
mod server;
mod visits;

use std::process::ExitCode;

use anyhow::{Context, Result};
use serde_json::json;

use crate::chromium::Chromium;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Everything, or the parts that the arguments name: `products`, `primer`, `gpt2-small`, `visits`.
async fn run() -> Result<()> {
    let parts: Vec<String> =
        std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let asked = |part: &str| parts.is_empty() || parts.iter().any(|one| one == part);
    let folder = variable("RELP_BENCH_PEERS")?;
    let server = server::Server::start(folder, server::Kind::Isolated)?;
    let browser = Chromium::start().await?;
    browser.open(&format!("{}page/index.html", server.url())).await?;
    let adapter = browser.call("return await window.adapter()", vec![]).await?;
    let threads = "return (await import('./threads.js')).threads()";
    let threads = browser.call(threads, vec![]).await?;
    let version = browser.version().await?;
    println!("{}", json!({ "browser": version, "adapter": adapter, "threads": threads }));
    drop(browser);
    if asked("products") {
        jobs::products(&server).await?;
    }
    for model in ["primer", "gpt2-small"] {
        if asked(model) {
            jobs::run(&server, model).await?;
        }
    }
    if asked("visits") {
        // What was measured before is worth something by itself.
        if let Err(error) = visits::run(variable("RELP_DIST")?).await {
            eprintln!("The built page is not in the table: {error:#}.");
        }
    }
    Ok(())
}

/// What `cargo xtask bench --peers` sets.
fn variable(name: &str) -> Result<String> {
    std::env::var(name)
        .with_context(|| format!("{name} is not set: run this by `cargo xtask bench --peers`"))
}

/// Median, low and high, in seconds, of milliseconds.
fn summary(milliseconds: &[f64]) -> Option<[f64; 3]> {
    let mut all = milliseconds.to_vec();
    all.sort_by(f64::total_cmp);
    let (low, high) = (all.first()?, all.last()?);
    Some([all[all.len() / 2], *low, *high].map(|ms| ms / 1e3))
}
