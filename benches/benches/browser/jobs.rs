//! What the programs are asked to run, each in a browser of its own.

use std::collections::HashMap;

use anyhow::{Context, Result, bail};
use relp_benches::{Work, operations, seconds, weights};
use serde_json::{Value, json};

use crate::chromium::Chromium;
use crate::server::Server;
use crate::summary;

/// The one that the others are compared with comes first.
const PROGRAMS: [&str; 3] = ["onnxruntime", "ours", "transformers"];
/// The most that logits may differ, as a fraction of the largest.
const TOLERANCE: f64 = 1e-3;

/// Logits by tokens and prompts.
type Expected = HashMap<(u64, u64), Vec<f64>>;

/// Runs and prints all of a model.
pub(crate) async fn run(server: &Server, model: &str) -> Result<()> {
    let mut expected = Expected::new();
    for executor in ["wasm", "relaxed", "threads", "webgpu"] {
        // The page starts none for a model as small as that.
        if (model, executor) == ("primer", "threads") {
            continue;
        }
        for program in PROGRAMS {
            // The others have one program for every browser.
            if executor == "relaxed" && program != "ours" {
                continue;
            }
            // On a software adapter a pass of it takes half a minute, and it is not like for like.
            if (model, executor, program) == ("gpt2-small", "webgpu", "transformers") {
                continue;
            }
            let runs: Vec<Value> = runs(model, executor)
                .into_iter()
                .filter(|run| program == "ours" || run["what"] == "forward")
                .collect();
            let job = json!({
                "program": program, "executor": executor, "model": model, "runs": runs,
            });
            ask(server, &job, &mut expected).await?;
        }
    }
    Ok(())
}

/// What, tokens, batch and at most so many samples. A software adapter is slow, so it gets less.
fn runs(model: &str, executor: &str) -> Vec<Value> {
    let run = |what: &str, tokens: usize, batch: usize, samples: usize| json!({ "what": what, "tokens": tokens, "batch": batch, "samples": samples });
    let mut runs = Vec::new();
    match (model, executor) {
        ("primer", _) => {
            let samples = if executor == "webgpu" { 15 } else { 50 };
            for what in ["forward", "relp", "atp"] {
                runs.extend([15, 32, 64].map(|tokens| run(what, tokens, 1, samples)));
                if executor != "webgpu" {
                    runs.extend([15, 32, 64].map(|tokens| run(what, tokens, 8, samples)));
                } else if what == "forward" {
                    runs.push(run(what, 15, 8, samples));
                }
            }
            for what in ["sweep", "heads"] {
                runs.extend([15, 32].map(|tokens| run(what, tokens, 1, samples)));
            }
        }
        (_, "wasm" | "relaxed" | "threads") => {
            for what in ["forward", "relp", "atp"] {
                runs.extend([15, 32, 64].map(|tokens| run(what, tokens, 1, 15)));
                runs.push(run(what, 15, 8, 5));
            }
            runs.extend([run("sweep", 15, 1, 5), run("sweep", 32, 1, 5), run("heads", 15, 1, 3)]);
        }
        _ => runs.extend(["forward", "relp"].map(|what| run(what, 15, 1, 3))),
    }
    runs
}

/// Rows of the products whose rate is taken: as many as a block of them has, and those that prompts are made of.
const ROWS: [usize; 3] = [96, 30, 15];

/// The rates of products on one thread, natively with vectors as wide as a browser's, and in the browser.
pub(crate) async fn products(server: &Server) -> Result<()> {
    #[cfg(target_arch = "x86_64")]
    natively();
    let runs =
        ROWS.map(|rows| json!({ "what": "gemm", "tokens": rows, "batch": 1, "samples": 30 }));
    for executor in ["wasm", "relaxed"] {
        let job = json!({ "program": "ours", "executor": executor, "model": null, "runs": runs });
        let browser = open(server).await?;
        let answer = browser.call("return await window.measure(args[0])", vec![job]).await?;
        for row in answer["rows"].as_array().context("the worker gave no rows")? {
            let [median, low, _] = summary(&times(row)).context("nothing was timed")?;
            let operations = row["operations"].as_f64().unwrap_or_default();
            print_rate(executor, &row["tokens"], operations, [median, low]);
        }
    }
    Ok(())
}

/// The executor natively with narrow vectors, where the processor has them. Nothing else computes in this process.
#[cfg(target_arch = "x86_64")]
fn natively() {
    if !relp_cpu::narrow_vectors() {
        return;
    }
    for rows in ROWS {
        let work = Work::product(rows);
        let mut cpu = relp_cpu::Cpu::new();
        weights(&work.tape).iter().for_each(|(name, values)| cpu.set_weight(name, values));
        let Ok(mut plan) = cpu.plan(&work.tape) else { panic!("a weight is missing") };
        let (median, low, _) = seconds(30, || drop(plan.run(&work.feed)));
        print_rate("native", &json!(rows), operations(&work.tape, &work.feed), [median, low]);
    }
}

fn print_rate(executor: &str, rows: &Value, operations: f64, [median, low]: [f64; 2]) {
    let line = json!({
        "what": "gemm", "executor": executor, "rows": rows,
        "rate": operations / median, "best": operations / low,
    });
    println!("{line}");
}

async fn open(server: &Server) -> Result<Chromium> {
    let browser = Chromium::start().await?;
    browser.open(&format!("{}page/index.html", server.url())).await?;
    Ok(browser)
}

/// Has a job done, and prints its rows and what memory it took.
async fn ask(server: &Server, job: &Value, expected: &mut Expected) -> Result<()> {
    let browser = open(server).await?;
    let answer = browser.call("return await window.measure(args[0])", vec![job.clone()]).await?;
    let (model, executor, peer) = (&job["model"], &job["executor"], &answer["name"]);
    for row in answer["rows"].as_array().context("the worker gave no rows")? {
        // What takes several tapes.
        if row.is_null() {
            continue;
        }
        check(row, expected).with_context(|| format!("{model}, {executor}, {peer}"))?;
        let [median, low, high] = summary(&times(row)).context("nothing was timed")?;
        let line = json!({
            "model": model, "what": row["what"], "tokens": row["tokens"], "batch": row["batch"],
            "executor": executor, "peer": peer, "median": median, "low": low, "high": high,
            "samples": times(row).len(), "memory": row["memory"], "counts": row["counts"],
            "operations": row["operations"],
        });
        println!("{line}");
    }
    let line = json!({
        "what": "memory", "model": model, "executor": executor, "peer": peer, "wasm": answer["memory"],
        "renderer": browser.peak("renderer"), "gpu": browser.peak("gpu-process"),
        "loaded": answer["loaded"].as_f64().map(|ms| ms / 1e3),
    });
    println!("{line}");
    Ok(())
}

fn times(row: &Value) -> Vec<f64> {
    row["times"].as_array().into_iter().flatten().filter_map(Value::as_f64).collect()
}

/// A wrong executor is not worth timing: the logits have to be those of the first that ran this.
fn check(row: &Value, expected: &mut Expected) -> Result<()> {
    let Some(logits) = row["logits"].as_array() else { return Ok(()) };
    let found: Vec<f64> = logits.iter().filter_map(Value::as_f64).collect();
    let key = (row["tokens"].as_u64().unwrap_or(0), row["batch"].as_u64().unwrap_or(0));
    let expected = expected.entry(key).or_insert_with(|| found.clone());
    let largest = expected.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
    let pairs = expected.iter().zip(&found);
    let difference = pairs.fold(0.0_f64, |most, (a, b)| most.max((a - b).abs()));
    if found.len() != expected.len() || found.is_empty() || difference > TOLERANCE * largest {
        bail!(
            "{key:?}: {} logits differ by {difference} from {} up to {largest}, so nothing is timed",
            found.len(),
            expected.len(),
        );
    }
    Ok(())
}
