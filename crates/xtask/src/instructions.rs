//! Counts the instructions of the CPU's kernels under valgrind and compares them with those that are recorded: what
//! gets dearer is seen, however busy the machine is.
//!
//! Valgrind shows every processor as one with AVX2 and without AVX-512, so that the counts of one build are the same
//! on all.

use std::{
    collections::BTreeMap,
    env, fs,
    num::NonZero,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value, json};

use crate::{
    step::{output, say},
    workspace::Workspace,
};

/// Where the counts are recorded.
const RECORD: &str = "benches/instructions.json";
/// The benchmark that runs a case.
const BENCH: &str = "instructions";
/// Its function that is counted.
const FUNCTION: &str = "*counted_run*";
/// How much more than recorded a case may take, in thousandths. Another compiler or C library moves a count by less.
const MARGIN: u64 = 30;
const RECORDING: &str = "`cargo xtask bench --instructions`";

/// Instructions by case.
type Counts = BTreeMap<String, u64>;

/// What is recorded.
#[derive(Debug, Default, PartialEq, Eq)]
struct Record {
    /// The compiler that it was recorded with.
    rustc: String,
    counts: Counts,
}

/// Why nothing can be counted on this machine, whatever is installed.
pub(crate) fn impossible() -> Option<&'static str> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Some("instructions are counted on x86-64 Linux, and this machine is another");
    }
    #[cfg(target_arch = "x86_64")]
    if !(std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma")) {
        return Some("the recorded counts are of processors with AVX2, which this one lacks");
    }
    None
}

/// Counts every case, and fails if one takes more than is recorded.
///
/// # Errors
/// With a sentence for every case that takes more, or that is recorded or counted alone.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let path = workspace.root.join(RECORD);
    let text = fs::read_to_string(&path)
        .with_context(|| format!("{RECORD} cannot be read: make it by {RECORDING}"))?;
    let record = Record::read(&text)?;
    let counts = count(workspace)?;
    for sentence in cheaper(&record.counts, &counts) {
        say!("    {sentence}");
    }
    let complaints = complaints(&record.counts, &counts);
    if complaints.is_empty() {
        return Ok(());
    }
    let here = rustc(workspace)?;
    let compiler = if here == record.rustc {
        String::new()
    } else {
        format!("\n    (recorded with {}, counted with {here})", record.rustc)
    };
    bail!("{}{compiler}", complaints.join("\n    "))
}

/// Counts every case, and writes the counts down.
///
/// # Errors
/// If a case cannot be counted, or the record not be written.
pub(crate) fn record(workspace: &Workspace) -> Result<()> {
    let record = Record { rustc: rustc(workspace)?, counts: count(workspace)? };
    let path = workspace.root.join(RECORD);
    let text = record.write()?;
    fs::write(path, text).with_context(|| format!("{RECORD} cannot be written"))?;
    say!("{} counts are in {RECORD}.", record.counts.len());
    Ok(())
}

/// The instructions of every case, as many cases at a time as there are cores: what else runs makes no difference.
fn count(workspace: &Workspace) -> Result<Counts> {
    let program = build(workspace)?;
    let listed = output(workspace.command(&program).env_clear())?;
    let cases: Vec<&str> = listed.lines().collect();
    ensure!(!cases.is_empty(), "{} lists no case", program.display());
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let counts = Mutex::new(Counts::new());
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            let count = count_case(workspace, &program, case)
                .with_context(|| format!("the instructions of {case} were not counted"))?;
            say!("    {case:<28} {:>15}", grouped(count));
            counts.lock().unwrap_or_else(PoisonError::into_inner).insert((*case).to_owned(), count);
        }
        Ok(())
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        let ends = workers.into_iter().map(|worker| {
            worker.join().unwrap_or_else(|_| bail!("a thread that counts has panicked: report it"))
        });
        ends.collect::<Result<()>>()
    })?;
    Ok(counts.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// Builds the benchmark and returns the program.
fn build(workspace: &Workspace) -> Result<PathBuf> {
    let mut cargo = workspace.cargo();
    cargo
        .args(["bench", "--locked", "--no-run", "--package", "relp-benches", "--bench", BENCH])
        .args(["--message-format", "json-render-diagnostics"])
        // What a person's own flags make of the kernels is not what is recorded.
        .env_remove("RUSTFLAGS")
        .stderr(Stdio::inherit());
    let built = output(&mut cargo)?;
    let messages = built.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let is_it = |message: &Value| message["target"]["name"] == BENCH;
    let mut programs =
        messages.filter(is_it).filter_map(|m| Some(m["executable"].as_str()?.into()));
    programs.next_back().context("Cargo built no benchmark that counts instructions")
}

/// The instructions of one case.
fn count_case(workspace: &Workspace, program: &Path, case: &str) -> Result<u64> {
    let folder = program.parent().context("a program lies in a folder")?;
    let profile = folder.join(format!("callgrind.{case}"));
    let mut valgrind = workspace.command("valgrind");
    valgrind
        .args(["--tool=callgrind", "--collect-atstart=no", "--dump-instr=no"])
        .arg(format!("--toggle-collect={FUNCTION}"))
        .arg(format!("--callgrind-out-file={}", profile.display()))
        .arg(program)
        .arg(case)
        // Nothing of this machine's environment has a part in it.
        .env_clear()
        .env("PATH", env::var_os("PATH").unwrap_or_default())
        .env("RAYON_NUM_THREADS", "1");
    output(&mut valgrind)?;
    let text = fs::read_to_string(&profile).context("valgrind wrote no profile")?;
    let _removed = fs::remove_file(&profile);
    match total(&text)? {
        0 => bail!("valgrind did not see {FUNCTION}, which it was to count"),
        count => Ok(count),
    }
}

/// The instructions in all, by a profile of callgrind.
fn total(profile: &str) -> Result<u64> {
    let line = |name| profile.lines().find_map(|line| line.strip_prefix(name));
    ensure!(line("events: ").map(str::trim) == Some("Ir"), "the profile counts something else");
    let total = line("totals: ").or_else(|| line("summary: ")).context("the profile has no sum")?;
    total.trim().parse().context("the profile's sum is no number")
}

fn rustc(workspace: &Workspace) -> Result<String> {
    Ok(output(workspace.command("rustc").arg("--version"))?.trim().to_owned())
}

/// A sentence for every case that takes more than it may, or that is not in both.
fn complaints(recorded: &Counts, counts: &Counts) -> Vec<String> {
    let mut said = Vec::new();
    for (case, &count) in counts {
        match recorded.get(case) {
            None => said.push(format!("{case} has no recorded count: record it by {RECORDING}")),
            Some(&record) if count > limit(record) => said.push(format!(
                "{case} takes {} instructions, {} more than the {} that are recorded, where {} are \
                 allowed: make it cheaper, or, if it has to cost that, record the counts anew by {RECORDING}",
                grouped(count),
                percent(count - record, record),
                grouped(record),
                percent(MARGIN, 1000),
            )),
            Some(_) => {}
        }
    }
    for case in recorded.keys().filter(|case| !counts.contains_key(*case)) {
        said.push(format!(
            "{case} is recorded, but there is no such case: record anew by {RECORDING}"
        ));
    }
    said
}

/// A sentence for every case that takes so much less that its record allows too much.
fn cheaper(recorded: &Counts, counts: &Counts) -> Vec<String> {
    let both = counts.iter().filter_map(|(case, &count)| Some((case, count, *recorded.get(case)?)));
    let cheaper = both.filter(|&(_, count, record)| limit(count) < record);
    let sentence = |(case, count, record): (&String, u64, u64)| {
        let less = percent(record - count, record);
        format!("{case} takes {less} less than is recorded: keep that by {RECORDING}")
    };
    cheaper.map(sentence).collect()
}

/// The most that a case may take.
fn limit(record: u64) -> u64 {
    record + record * MARGIN / 1000
}

fn percent(part: u64, of: u64) -> String {
    format!("{:.1} %", 100.0 * part as f64 / of.max(1) as f64)
}

/// With a comma between thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let pieces: Vec<&[u8]> = digits.as_bytes().rchunks(3).rev().collect();
    String::from_utf8_lossy(&pieces.join(&b',')).into_owned()
}

impl Record {
    fn read(text: &str) -> Result<Self> {
        let spoilt = || format!("{RECORD} is damaged: make it anew by {RECORDING}");
        let value: Value = serde_json::from_str(text).with_context(spoilt)?;
        let rustc = value["rustc"].as_str().with_context(spoilt)?.to_owned();
        let counts = value["counts"].as_object().with_context(spoilt)?.iter();
        let counts = counts.map(|(case, count)| Some((case.clone(), count.as_u64()?)));
        let counts = counts.collect::<Option<_>>().with_context(spoilt)?;
        Ok(Self { rustc, counts })
    }

    fn write(&self) -> Result<String> {
        let counts = self.counts.iter().map(|(case, count)| (case.clone(), json!(count)));
        let counts: Map<String, Value> = counts.collect();
        let value = json!({
            "made_by": "cargo xtask bench --instructions",
            "rustc": self.rustc,
            "counts": counts,
        });
        Ok(serde_json::to_string_pretty(&value)? + "\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(of: &[(&str, u64)]) -> Counts {
        of.iter().map(|&(case, count)| (case.to_owned(), count)).collect()
    }

    #[test]
    fn a_count_within_the_margin_passes_and_one_above_it_is_named() {
        let counted = counts(&[("linear", 1_030_000), ("gelu", 500)]);
        let recorded = counts(&[("linear", 1_000_000), ("gelu", 500)]);
        assert_eq!(complaints(&recorded, &counted), Vec::<String>::new());
        // The same count fails where the record is lowered.
        let lowered = counts(&[("linear", 990_000), ("gelu", 500)]);
        assert_eq!(
            complaints(&lowered, &counted),
            [
                "linear takes 1,030,000 instructions, 4.0 % more than the 990,000 that are recorded, where \
              3.0 % are allowed: make it cheaper, or, if it has to cost that, record the counts anew by \
              `cargo xtask bench --instructions`"
            ]
        );
    }

    #[test]
    fn cases_and_records_are_the_same() {
        let said = complaints(&counts(&[("old", 1)]), &counts(&[("new", 1)]));
        assert_eq!(said.len(), 2);
        assert!(said[0].starts_with("new has no recorded count"), "{said:?}");
        assert!(said[1].starts_with("old is recorded, but"), "{said:?}");
    }

    #[test]
    fn what_got_cheaper_is_told() {
        let recorded = counts(&[("linear", 1000), ("gelu", 1000)]);
        let said = cheaper(&recorded, &counts(&[("linear", 900), ("gelu", 990)]));
        assert_eq!(said.len(), 1);
        assert!(said[0].starts_with("linear takes 10.0 % less"), "{said:?}");
    }

    #[test]
    fn a_profile_has_its_sum() -> Result<()> {
        assert_eq!(total("version: 1\nevents: Ir\nfn=(1)\n1 2\n\ntotals: 1234\n")?, 1234);
        assert_eq!(total("events: Ir\nsummary: 77\n")?, 77);
        assert!(total("events: Ir Dr\ntotals: 1 2\n").is_err());
        assert!(total("events: Ir\n").is_err());
        Ok(())
    }

    #[test]
    fn a_record_is_read_as_it_was_written() -> Result<()> {
        let record = Record { rustc: "rustc 1".to_owned(), counts: counts(&[("a", 1), ("b", 2)]) };
        assert_eq!(Record::read(&record.write()?)?, record);
        for damaged in ["", "{}", "{\"rustc\": \"1\", \"counts\": {\"a\": -1}}"] {
            let error = Record::read(damaged).err().map(|error| error.to_string());
            assert!(error.is_some_and(|error| error.contains("make it anew")), "{damaged}");
        }
        Ok(())
    }

    #[test]
    fn the_record_in_the_repository_can_be_read() -> Result<()> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let record = Record::read(&fs::read_to_string(root.join(RECORD))?)?;
        assert!(record.counts.values().all(|&count| count > 0));
        Ok(())
    }

    #[test]
    fn large_numbers_are_grouped() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}
