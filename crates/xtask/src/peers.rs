//! `cargo xtask bench --peers`: the same work here and in the peers, one after the other on this machine, as tables.

mod browser;

use std::{collections::BTreeMap, fmt::Write, fs, num::NonZero, process::Command, thread};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{
    step::{self, output, say},
    workspace::Workspace,
};

/// Where the table stands in `benches/README.md`.
const BEGIN: &str = "<!-- Made by `cargo xtask bench --peers --record`. -->\n";
const END: &str = "<!-- The end of what was made. -->";
/// What the rows are, in their order.
const WHATS: [(&str, &str); 5] = [
    ("forward", "forward"),
    ("relp", "RelP"),
    ("atp", "AtP"),
    ("sweep", "exact, three sites"),
    ("heads", "exact, all heads"),
];

/// A row's key: model, what, pairs, tokens, threads.
type Row = (String, usize, u64, u64, u64);

/// What was measured of a row, in seconds.
#[derive(Clone, Copy, Debug, Default)]
struct Measured {
    median: f64,
    low: f64,
    high: f64,
    floor: Option<f64>,
    /// The most memory of the process, in bytes.
    memory: Option<f64>,
}

/// What a program printed.
#[derive(Debug, Default)]
struct Printed {
    rows: BTreeMap<Row, Measured>,
    /// The line that is no row: what the machine can do, or what the peer is.
    head: Vec<Value>,
}

/// Measures, prints the table, and puts it into the record if asked.
pub(crate) fn run(workspace: &Workspace, record: bool) -> Result<()> {
    let python = install(workspace)?;
    let all = thread::available_parallelism().map_or(1, NonZero::get);
    let counts = if all > 1 { vec![1, all] } else { vec![1] };
    let (mut own, mut peer) = (Printed::default(), Printed::default());
    for threads in counts {
        say!("\nOn {threads} of {all} threads: this program, then PyTorch; about 8 minutes.");
        let mut bench = workspace.cargo();
        bench
            .args(["bench", "--quiet", "--locked", "--package", "relp-benches", "--bench", "table"])
            .env("RAYON_NUM_THREADS", threads.to_string());
        own.read(&output(&mut bench)?)?;
        let script = workspace.root.join("benches/peers/eager.py");
        let mut eager = Command::new(&python);
        eager.arg(script).arg(threads.to_string()).env("OMP_NUM_THREADS", threads.to_string());
        peer.read(&output(&mut eager)?)?;
    }
    let native = table(&own, &peer);
    // Whatever comes of the browser.
    say!("\n{native}");
    let in_browser = browser::run(workspace, &python)?;
    say!("\n{in_browser}");
    let table = native + "\n" + &in_browser;
    if record {
        let path = workspace.root.join("benches/README.md");
        let text = fs::read_to_string(&path).context("benches/README.md cannot be read")?;
        fs::write(&path, recorded(&text, &format!("{}\n{table}", machine()?))?)?;
        say!("It is in benches/README.md.");
    }
    Ok(())
}

/// A Python of its own with the peers, in `target/peers`.
fn install(workspace: &Workspace) -> Result<std::path::PathBuf> {
    let folder = workspace.root.join("target/peers");
    let python = folder.join("bin/python");
    let wanted = workspace.root.join("benches/peers/requirements.txt");
    let wanted_text = fs::read_to_string(&wanted)?;
    let done = folder.join("installed.txt");
    if fs::read_to_string(&done).is_ok_and(|text| text == wanted_text) {
        return Ok(python);
    }
    say!("PyTorch is installed into target/peers first: about 3 GB.");
    step::run(Command::new("python3").args(["-m", "venv"]).arg(&folder))
        .context("a Python 3 with `venv` is needed")?;
    step::run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "-r"]).arg(&wanted))?;
    fs::write(done, wanted_text)?;
    Ok(python)
}

impl Printed {
    /// Reads the lines of JSON among what a program printed.
    fn read(&mut self, text: &str) -> Result<()> {
        for line in text.lines().filter(|line| line.starts_with('{')) {
            let line: Value = serde_json::from_str(line).context("a line is no JSON")?;
            let number = |name: &str| line[name].as_f64();
            let what = line["what"].as_str();
            let Some((what, median)) = what.zip(number("median")) else {
                self.head.push(line);
                continue;
            };
            let place = WHATS.iter().position(|(name, _)| *name == what);
            let key = (
                line["model"].as_str().unwrap_or_default().to_owned(),
                place.with_context(|| format!("what is {what}?"))?,
                line["batch"].as_u64().unwrap_or_default(),
                line["tokens"].as_u64().unwrap_or_default(),
                line["threads"].as_u64().unwrap_or_default(),
            );
            let (low, high) = (number("low").unwrap_or(median), number("high").unwrap_or(median));
            let (floor, memory) = (number("floor"), number("memory"));
            self.rows.insert(key, Measured { median, low, high, floor, memory });
        }
        Ok(())
    }
}

/// The table, as Markdown.
fn table(own: &Printed, peer: &Printed) -> String {
    let mut text = String::new();
    let mut put = |line: String| {
        // Writing to a string cannot fail.
        let _ok = writeln!(text, "{line}");
    };
    for head in &own.head {
        let giga = |name: &str| head[name].as_f64().unwrap_or_default() / 1e9;
        put(format!(
            "With {} threads, a large product of matrices ran at {:.0} GFLOP/s, and memory was read at {:.1} GB/s.",
            head["threads"],
            giga("rate"),
            giga("bandwidth"),
        ));
    }
    let name = peer.head.first().and_then(|head| head["peer"].as_str()).unwrap_or("PyTorch");
    put(format!(
        "\n| model | what | pairs | tokens | threads | here, ms | {name}, ms | times faster | floor, ms | times the floor | memory, MB: here | {name} |"
    ));
    put("|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|".to_owned());
    let mega = |measured: Option<&Measured>| {
        let memory = measured.and_then(|measured| measured.memory);
        memory.map_or_else(|| "–".to_owned(), |bytes| format!("{:.0}", bytes / 1e6))
    };
    for (key @ (model, what, pairs, tokens, threads), here) in &own.rows {
        let other = peer.rows.get(key);
        let ratio =
            other.map_or_else(|| "–".to_owned(), |o| format!("{:.1}", o.median / here.median));
        let floor = here.floor.unwrap_or_default();
        put(format!(
            "| {model} | {} | {pairs} | {tokens} | {threads} | {} | {} | {ratio} | {} | {:.1} | {} | {} |",
            WHATS[*what].1,
            shown(here),
            other.map_or_else(|| "–".to_owned(), shown),
            milliseconds(floor),
            here.median / floor,
            mega(Some(here)),
            mega(other),
        ));
    }
    text
}

/// The median with both ends.
fn shown(measured: &Measured) -> String {
    let Measured { median, low, high, .. } = *measured;
    let [median, low, high] = [median, low, high].map(milliseconds);
    if low == high { median } else { format!("{median} ({low} – {high})") }
}

/// With three digits.
fn milliseconds(seconds: f64) -> String {
    let value = 1e3 * seconds;
    let digits = if value >= 100.0 {
        0
    } else if value >= 10.0 {
        1
    } else {
        2
    };
    format!("{value:.digits$}")
}

/// Date, processor and compiler.
fn machine() -> Result<String> {
    let said = |program: &str, args: &[&str]| {
        output(Command::new(program).args(args)).map(|text| text.trim().to_owned())
    };
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let processor =
        processor.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    Ok(format!(
        "{}, {}, {} threads, {}.\n",
        said("date", &["-u", "+%Y-%m-%d"])?,
        processor.map_or("an unnamed processor", |(_, name)| name),
        thread::available_parallelism().map_or(1, NonZero::get),
        said("rustc", &["--version"])?,
    ))
}

/// The record with another table.
fn recorded(text: &str, table: &str) -> Result<String> {
    let (before, rest) = text.split_once(BEGIN).context("the record has no place for the table")?;
    let (_, after) = rest.split_once(END).context("the record's table has no end")?;
    Ok(format!("{before}{BEGIN}\n{}\n\n{END}{after}", table.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "{\"rate\": 1e11, \"bandwidth\": 2e10, \"threads\": 2}\nnoise\n\
        {\"model\": \"m\", \"what\": \"relp\", \"batch\": 1, \"tokens\": 15, \"threads\": 2, \"median\": 0.1, \"low\": 0.09, \"high\": 0.2, \"floor\": 0.05, \"memory\": 2e6}\n";
    const PEER: &str = "{\"peer\": \"P 1\"}\n\
        {\"model\": \"m\", \"what\": \"relp\", \"batch\": 1, \"tokens\": 15, \"threads\": 2, \"median\": 0.35, \"low\": 0.35, \"high\": 0.35}\n";

    #[test]
    fn the_table_has_both_and_their_ratio() -> Result<()> {
        let (mut own, mut peer) = (Printed::default(), Printed::default());
        own.read(OWN)?;
        peer.read(PEER)?;
        let table = table(&own, &peer);
        assert!(table.contains("at 100 GFLOP/s, and memory was read at 20.0 GB/s"), "{table}");
        assert!(table.contains("P 1, ms"), "{table}");
        let row = "| m | RelP | 1 | 15 | 2 | 100 (90.0 – 200) | 350 | 3.5 | 50.0 | 2.0 | 2 | – |";
        assert!(table.contains(row), "{table}");
        Ok(())
    }

    #[test]
    fn the_record_keeps_what_is_around_the_table() -> Result<()> {
        let text = format!("before\n{BEGIN}old\n{END}\nafter\n");
        assert_eq!(recorded(&text, "new\n")?, format!("before\n{BEGIN}\nnew\n\n{END}\nafter\n"));
        assert!(recorded("nothing", "new").is_err());
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../benches/README.md");
        recorded(&fs::read_to_string(root)?, "new")?;
        Ok(())
    }
}
