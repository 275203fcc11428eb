//! The browser's half of `cargo xtask bench --peers`: this program beside ONNX Runtime Web and transformers.js in
//! Chromium, and how soon the built page shows a figure.

use std::{collections::BTreeMap, fmt::Write, fs, path::Path, process::Command};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::{Measured, WHATS, shown};
use crate::{
    browser::Browser,
    page, prepare,
    program::Program,
    setup::{Need, PAGE},
    step::{output, say},
    workspace::Workspace,
};

/// What is fetched from npm's registry, and the folder that the page finds it in. The last is the ONNX Runtime
/// that transformers.js is built with.
const PACKAGES: [(&str, &str); 3] = [
    ("onnxruntime-web@1.30.0", "onnxruntime-web"),
    ("@huggingface/transformers@4.3.1", "transformers"),
    ("onnxruntime-web@1.31.0-dev.20260914-8d85527a0", "onnxruntime-of-transformers"),
];
/// The program that is timed.
const PROGRAM: &str = "relp-bench-browser";
/// Its kinds: the folder that `benches/peers/page/ours.js` finds it in, and its features.
const PROGRAMS: [(&str, &[&str]); 3] =
    [("plain", &[]), ("relaxed", &["relaxed-simd"]), ("threaded", &["relaxed-simd", "threads"])];
/// The peers, by the beginnings of what they call themselves.
const PEERS: [&str; 2] = ["ONNX Runtime Web", "transformers.js"];

/// Makes all that is needed, measures, and returns the tables.
pub(super) fn run(workspace: &Workspace, python: &Path) -> Result<String> {
    prepare(workspace, &PAGE)?;
    prepare(workspace, &[Need::Browser])?;
    let browser = Browser::find(workspace)
        .context("Chromium or its driver is missing: install them by `cargo xtask setup`")?;
    let folder = workspace.root.join("target/peers/www");
    fetch(workspace, &folder.join("npm"))?;
    export(workspace, python, &folder.join("models"))?;
    let page = folder.join("page");
    for (folder, features) in PROGRAMS {
        let program = Program { package: PROGRAM, name: PROGRAM, features, form: "web" };
        program.build(workspace, &page.join(folder))?;
    }
    for entry in fs::read_dir(workspace.root.join("benches/peers/page"))? {
        let entry = entry?;
        fs::copy(entry.path(), page.join(entry.file_name()))?;
    }
    page::BUILD.run(|| page::build(workspace)).1?;
    crate::dist::write(workspace, None)?;
    say!("\nIn Chromium: this program, ONNX Runtime Web and transformers.js; about 10 minutes.");
    let mut bench = workspace.cargo();
    bench
        .args(["bench", "--quiet", "--locked", "--package", "relp-benches", "--bench", "browser"])
        .env("RAYON_NUM_THREADS", "1")
        .env("RELP_BENCH_PEERS", &folder)
        .env("RELP_DIST", workspace.root.join("target/site"))
        .env("RELP_CHROMIUM", browser.chromium)
        .env("RELP_CHROMEDRIVER", browser.driver);
    tables(&output(&mut bench)?)
}

/// The packages, unless they are there.
fn fetch(workspace: &Workspace, folder: &Path) -> Result<()> {
    for (package, name) in PACKAGES {
        let to = folder.join(name);
        let done = to.join("fetched.txt");
        if fs::read_to_string(&done).is_ok_and(|text| text == package) {
            continue;
        }
        if workspace.find("npm").is_none() {
            bail!(
                "npm is missing, which fetches {package}: install Node.js with npm, then run the same command again"
            );
        }
        say!("{package} is fetched into {}.", to.display());
        if to.exists() {
            fs::remove_dir_all(&to)?;
        }
        fs::create_dir_all(&to)?;
        // Its dependencies are in its bundle or not for browsers.
        let mut pack = workspace.command("npm");
        pack.args(["pack", "--silent", package]).current_dir(&to);
        let packed = output(&mut pack).with_context(|| {
            format!("{package} cannot be fetched: see that npm reaches its registry, then run the same command again")
        })?;
        let archive = to.join(packed.trim());
        let mut unpack = workspace.command("tar");
        unpack.arg("xzf").arg(&archive).arg("-C").arg(&to).arg("--strip-components=1");
        output(&mut unpack)?;
        fs::remove_file(archive)?;
        fs::write(done, package)?;
    }
    Ok(())
}

/// The models, unless they are there as the scripts now make them.
fn export(workspace: &Workspace, python: &Path, folder: &Path) -> Result<()> {
    let scripts = workspace.root.join("benches/peers");
    let script = scripts.join("export.py");
    let made_by = ["export.py", "eager.py", "requirements.txt"].map(|name| scripts.join(name));
    let made_by: String = made_by.iter().map(fs::read_to_string).collect::<Result<_, _>>()?;
    let done = folder.join("made-by.txt");
    if fs::read_to_string(&done).is_ok_and(|text| text == made_by) {
        return Ok(());
    }
    say!("The models are made for the browser: 1.6 GB in {}.", folder.display());
    fs::create_dir_all(folder)?;
    output(Command::new(python).arg(script).arg(folder))?;
    Ok(fs::write(done, made_by)?)
}

/// A row's key: place of the model, place of what, prompts, tokens, executor.
type Row = (usize, usize, u64, u64, usize);

const MODELS: [&str; 2] = ["primer", "gpt2-small"];
const EXECUTORS: [(&str, &str); 4] = [
    ("wasm", "WASM"),
    (RELAXED, "WASM, relaxed SIMD"),
    ("threads", "WASM, threads"),
    ("webgpu", "WebGPU"),
];
/// What the peers have no program of their own for.
const RELAXED: &str = "relaxed";

/// What was measured of one line.
struct Line {
    measured: Measured,
    /// A second, in floating-point operations.
    rate: Option<f64>,
    /// Submits and readbacks of a run.
    counts: Option<(f64, f64)>,
}

/// What the driver printed.
#[derive(Default)]
struct Lines {
    /// By row, and then by peer: 0 is this program.
    rows: BTreeMap<Row, BTreeMap<usize, Line>>,
    /// What each peer calls itself.
    names: [String; 2],
    head: Vec<Value>,
    products: Vec<Value>,
    memory: Vec<Value>,
    visits: Vec<Value>,
}

impl Lines {
    fn read(text: &str) -> Result<Self> {
        let mut lines = Self::default();
        for line in text.lines().filter(|line| line.starts_with('{')) {
            let line: Value = serde_json::from_str(line).context("a line is no JSON")?;
            match line["what"].as_str() {
                None => lines.head.push(line),
                Some("gemm") => lines.products.push(line),
                Some("memory") => lines.memory.push(line),
                Some("visit") => lines.visits.push(line),
                Some(what) => lines.add(what, &line)?,
            }
        }
        Ok(lines)
    }

    fn add(&mut self, what: &str, line: &Value) -> Result<()> {
        let number = |name: &str| line[name].as_f64();
        let count = |name: &str| line[name].as_u64().unwrap_or_default();
        let what = place(WHATS.iter().map(|(name, _)| *name), Some(what))?;
        let executor = place(EXECUTORS.iter().map(|(name, _)| *name), line["executor"].as_str())?;
        let model = place(MODELS, line["model"].as_str())?;
        let median = number("median").context("a row without a median")?;
        let measured = Measured {
            median,
            low: number("low").unwrap_or(median),
            high: number("high").unwrap_or(median),
            ..Measured::default()
        };
        let counts = line["counts"][1].as_f64().zip(line["counts"][2].as_f64());
        let rate = number("operations").map(|operations| operations / median);
        let peer = self.peer(line)?;
        let row = (model, what, count("batch"), count("tokens"), executor);
        self.rows.entry(row).or_default().insert(peer, Line { measured, rate, counts });
        Ok(())
    }

    /// 0 is this program.
    fn peer(&mut self, line: &Value) -> Result<usize> {
        let Some(name) = line["peer"].as_str() else { return Ok(0) };
        let peer = PEERS.iter().position(|begins| name.starts_with(begins));
        let peer = peer.with_context(|| format!("who is {name}?"))?;
        name.clone_into(&mut self.names[peer]);
        Ok(1 + peer)
    }
}

fn place<'a>(names: impl IntoIterator<Item = &'a str>, name: Option<&str>) -> Result<usize> {
    let found = names.into_iter().position(|one| Some(one) == name);
    found.with_context(|| format!("what is {name:?}?"))
}

/// Everything, as Markdown.
fn tables(text: &str) -> Result<String> {
    let lines = Lines::read(text)?;
    if lines.rows.is_empty() {
        bail!("nothing was measured in the browser: run the same command again");
    }
    let parts = [head(&lines), forward(&lines), others(&lines), visits(&lines), memory(&lines)];
    Ok(parts.concat())
}

fn head(lines: &Lines) -> String {
    let mut text = String::new();
    let mut put = |line: String| {
        // Writing to a string cannot fail.
        let _ok = writeln!(text, "{line}");
    };
    for head in &lines.head {
        let said = |name: &str| head[name].as_str().unwrap_or("unnamed").to_owned();
        put(format!(
            "In {}, WebAssembly on one thread or, where threads are said, {}; WebGPU on {}.",
            said("browser"),
            head["threads"],
            said("adapter")
        ));
    }
    let rate = |line: &Value| {
        let giga = line["rate"].as_f64().unwrap_or_default() / 1e9;
        format!("of {} rows at {giga:.1} GFLOP/s", line["rows"])
    };
    for (executor, on) in [("native", "128-bit vectors, natively")].into_iter().chain(EXECUTORS) {
        let of_it = lines.products.iter().filter(|line| line["executor"] == executor);
        let rates: Vec<String> = of_it.map(rate).collect();
        if !rates.is_empty() {
            let rates = rates.join(", ");
            put(format!("Products with a 768 × 3072 matrix ran on one thread in {on}: {rates}."));
        }
    }
    text
}

/// The forward passes beside the peers'.
fn forward(lines: &Lines) -> String {
    let [onnx, transformers] = &lines.names;
    let mut text = format!(
        "\n| model | tokens | prompts | on | here, ms | {onnx}, ms | times faster | {transformers}, ms | times faster |\n\
         |---|---:|---:|---|---:|---:|---:|---:|---:|\n"
    );
    for ((model, what, batch, tokens, executor), by) in &lines.rows {
        let (0, Some(here)) = (*what, by.get(&0)) else { continue };
        // It is beside what the peers have for every browser.
        let peers = if EXECUTORS[*executor].0 == RELAXED {
            lines.rows.get(&(*model, *what, *batch, *tokens, 0))
        } else {
            Some(by)
        };
        let beside = |peer: usize| match peers.and_then(|by| by.get(&peer)) {
            None => "– | –".to_owned(),
            Some(line) => {
                let ratio = line.measured.median / here.measured.median;
                format!("{} | {ratio:.2}", shown(&line.measured))
            }
        };
        let _ok = writeln!(
            text,
            "| {} | {tokens} | {batch} | {} | {} | {} | {} |",
            MODELS[*model],
            EXECUTORS[*executor].1,
            shown(&here.measured),
            beside(1),
            beside(2),
        );
    }
    text
}

/// What only this program does.
fn others(lines: &Lines) -> String {
    let mut text =
        "\n| model | what | tokens | pairs | on | ms | GFLOP/s | submits | readbacks |\n\
                    |---|---|---:|---:|---|---:|---:|---:|---:|\n"
            .to_owned();
    for ((model, what, batch, tokens, executor), by) in &lines.rows {
        let Some(here) = by.get(&0) else { continue };
        let what = WHATS[*what].1;
        let counts = here.counts.map_or_else(|| "– | –".to_owned(), |(s, r)| format!("{s} | {r}"));
        let _ok = writeln!(
            text,
            "| {} | {what} | {tokens} | {batch} | {} | {} | {:.1} | {counts} |",
            MODELS[*model],
            EXECUTORS[*executor].1,
            shown(&here.measured),
            here.rate.unwrap_or_default() / 1e9,
        );
    }
    text
}

/// How soon the page shows a figure.
fn visits(lines: &Lines) -> String {
    let mut text =
        "\n| visit | figure | ms after navigation | MB before it | MB kept for later |\n\
                    |---|---|---:|---:|---:|\n"
            .to_owned();
    for line in &lines.visits {
        let number = |name: &str| line[name].as_f64().unwrap_or_default();
        let measured = Measured {
            median: number("median"),
            low: number("low"),
            high: number("high"),
            ..Measured::default()
        };
        let first = line["visit"] == "first";
        let kept = if first { format!("{:.1}", number("kept") / 1e6) } else { "–".to_owned() };
        let _ok = writeln!(
            text,
            "| {} | {} | {} | {:.1} | {kept} |",
            if first { "first, nothing kept" } else { "next" },
            line["figure"].as_str().unwrap_or_default(),
            shown(&measured),
            number("bytes") / 1e6,
        );
    }
    text
}

/// How much memory each took, and how long it took to load.
fn memory(lines: &Lines) -> String {
    let mut text = "\n| model | on | program | WebAssembly memory, MB | tab's most, MB | GPU process's most, MB | loaded, s |\n\
                    |---|---|---|---:|---:|---:|---:|\n"
        .to_owned();
    for line in &lines.memory {
        let mega = |name: &str| line[name].as_f64().unwrap_or_default() / 1e6;
        let on = EXECUTORS.iter().find(|(name, _)| line["executor"] == *name);
        let _ok = writeln!(
            text,
            "| {} | {} | {} | {:.0} | {:.0} | {:.0} | {:.1} |",
            line["model"].as_str().unwrap_or_default(),
            on.map_or("–", |(_, name)| name),
            line["peer"].as_str().unwrap_or("this program"),
            mega("wasm"),
            mega("renderer"),
            mega("gpu"),
            line["loaded"].as_f64().unwrap_or_default(),
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{"browser": "Chrome/1", "adapter": "a software adapter", "threads": 4}
noise
{"what": "gemm", "executor": "relaxed", "rows": 512, "rate": 3e10, "best": 3e10}
{"model": "primer", "what": "forward", "tokens": 15, "batch": 1, "executor": "wasm", "peer": "ONNX Runtime Web 1", "median": 0.004, "low": 0.004, "high": 0.004}
{"model": "primer", "what": "forward", "tokens": 15, "batch": 1, "executor": "wasm", "peer": null, "median": 0.002, "low": 0.001, "high": 0.003, "operations": 2e7}
{"model": "primer", "what": "forward", "tokens": 15, "batch": 1, "executor": "relaxed", "peer": null, "median": 0.001, "low": 0.001, "high": 0.001, "operations": 2e7}
{"model": "primer", "what": "relp", "tokens": 15, "batch": 1, "executor": "webgpu", "peer": null, "median": 0.1, "low": 0.1, "high": 0.1, "operations": 1e8, "counts": [0, 2, 1]}
{"what": "memory", "model": "primer", "executor": "wasm", "peer": null, "wasm": 1e7, "renderer": 2e8, "gpu": 9e7, "loaded": 0.5}
{"what": "visit", "visit": "first", "figure": "seen", "median": 0.2, "low": 0.1, "high": 0.3, "bytes": 4e6, "kept": 9e6}
"#;

    #[test]
    fn the_tables_have_everything() -> Result<()> {
        let tables = tables(TEXT)?;
        for part in [
            "In Chrome/1, WebAssembly on one thread or, where threads are said, 4; WebGPU on a software adapter.",
            "on one thread in WASM, relaxed SIMD: of 512 rows at 30.0 GFLOP/s.",
            "ONNX Runtime Web 1, ms",
            "| primer | 15 | 1 | WASM | 2.00 (1.00 – 3.00) | 4.00 | 2.00 | – | – |",
            "| primer | 15 | 1 | WASM, relaxed SIMD | 1.00 | 4.00 | 4.00 | – | – |",
            "| primer | RelP | 15 | 1 | WebGPU | 100 | 1.0 | 2 | 1 |",
            "| primer | WASM | this program | 10 | 200 | 90 | 0.5 |",
            "| first, nothing kept | seen | 200 (100 – 300) | 4.0 | 9.0 |",
        ] {
            assert!(tables.contains(part), "{part}\n{tables}");
        }
        Ok(())
    }

    #[test]
    fn nothing_measured_is_an_error() {
        assert!(tables("{\"browser\": \"x\"}").is_err());
        assert!(tables("{\"what\": \"dance\"}").is_err());
    }
}
