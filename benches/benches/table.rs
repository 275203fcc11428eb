//! The rows of the table in `README.md` that this program measures of itself: a line of JSON each, with the floor
//! that the machine sets. `cargo xtask bench --peers` runs it beside the peers and makes the table.
//!
//! As many threads as `RAYON_NUM_THREADS` says.

#![allow(clippy::print_stdout, reason = "the lines are what it is for")]

use relp_benches::{
    Case, GPT2_SMALL, PRIMER, Work, bytes, count_memory_anew, most_memory, operations, seconds,
    weights,
};
use relp_cpu::Cpu;
use relp_model::{Method, Site};
use serde_json::json;

/// Tokens from which on exact patching is left out, since a peer would take minutes.
const LONG: usize = 64;
/// Pairs of prompts of a batch.
const BATCH: usize = 8;

fn main() {
    let threads = std::env::var("RAYON_NUM_THREADS").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    relp_cpu::compute_here();
    check();
    let (rate, bandwidth) = (rate(), bandwidth(threads));
    println!("{}", json!({ "rate": rate, "bandwidth": bandwidth, "threads": threads }));
    for (model, config) in [("primer", PRIMER), ("gpt2-small", GPT2_SMALL)] {
        let mut cpu = Cpu::new();
        // Every run has the same ones.
        let Some(work) = Work::record(&config, "relp", 15, 1) else { panic!("it is one tape") };
        weights(&work.tape).iter().for_each(|(name, values)| cpu.set_weight(name, values));
        for (tokens, batch) in [(15, 1), (32, 1), (64, 1), (15, BATCH), (32, BATCH), (64, BATCH)] {
            for what in Work::WHATS {
                let is_sweep = ["sweep", "heads"].contains(&what);
                if is_sweep && tokens >= LONG {
                    continue;
                }
                let Some(work) = Work::record(&config, what, tokens, batch) else { continue };
                let samples = match (model, is_sweep, batch) {
                    ("primer", ..) => 30,
                    (_, true, _) => 5,
                    (_, false, 1) => 11,
                    _ => 3,
                };
                count_memory_anew();
                let Ok(mut plan) = cpu.plan(&work.tape) else { panic!("a weight is missing") };
                let (median, low, high) = seconds(samples, || {
                    plan.forget();
                    drop(plan.run(&work.feed));
                });
                let floor =
                    (operations(&work.tape, &work.feed) / rate).max(bytes(&work.tape) / bandwidth);
                println!(
                    "{}",
                    json!({
                        "model": model, "tokens": tokens, "batch": batch, "what": what,
                        "threads": threads, "median": median, "low": low, "high": high,
                        "floor": floor, "memory": most_memory("self"),
                    })
                );
            }
        }
    }
}

/// Compares both kinds of computation with the reference, on the bundled model's sizes: on GPT-2 small the
/// reference takes longer than everything else, and `runs` compares it there.
fn check() {
    for (method, sites) in
        [(Method::Relp, Site::PAPER.as_slice()), (Method::Ap, [Site::Z].as_slice())]
    {
        let case = Case::new(&PRIMER, method, sites, 15);
        let mut cpu = Cpu::new();
        case.weights.iter().for_each(|(name, values)| cpu.set_weight(name, values));
        let found = cpu.plan(case.computation.tape()).and_then(|mut plan| plan.run(&case.feed));
        case.check(&found.unwrap_or_default());
    }
}

/// Floating-point operations a second of a large matrix product.
fn rate() -> f64 {
    let work = Work::product(512);
    let mut cpu = Cpu::new();
    weights(&work.tape).iter().for_each(|(name, values)| cpu.set_weight(name, values));
    let Ok(mut plan) = cpu.plan(&work.tape) else { panic!("a weight is missing") };
    // The best of what it can do is what a floor is made of.
    let (_, low, _) = seconds(11, || drop(plan.run(&work.feed)));
    operations(&work.tape, &work.feed) / low
}

/// Bytes a second that are read from memory, on so many threads.
fn bandwidth(threads: usize) -> f64 {
    const BYTES: usize = 512 << 20;
    let data = vec![1_u64; BYTES / 8];
    let each = data.len().div_ceil(threads);
    let read = || {
        std::thread::scope(|scope| {
            for part in data.chunks(each) {
                scope.spawn(move || {
                    let sum = part.iter().fold(0_u64, |sum, value| sum.wrapping_add(*value));
                    std::hint::black_box(sum);
                });
            }
        });
    };
    let (_, low, _) = seconds(7, read);
    BYTES as f64 / low
}
