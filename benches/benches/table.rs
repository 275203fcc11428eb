//! The rows of the table in `README.md` that this program measures of itself: a line of JSON each, with the floor
//! that the machine sets. `cargo xtask bench --peers` runs it beside the peers and makes the table.
//!
//! As many threads as `RAYON_NUM_THREADS` says.

#![allow(clippy::print_stdout, reason = "the lines are what it is for")]

use relp_benches::{Case, GPT2_SMALL, PRIMER, bytes, operations, seconds};
use relp_cpu::Cpu;
use relp_model::{Config, Method, Site};
use relp_tape::{Feed, Tape};
use serde_json::json;

/// Tokens from which on exact patching of GPT-2 small is left out, since a peer would take minutes.
const LONG: usize = 64;

fn main() {
    let threads = std::env::var("RAYON_NUM_THREADS").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    let (rate, bandwidth) = (rate(), bandwidth(threads));
    println!("{}", json!({ "rate": rate, "bandwidth": bandwidth, "threads": threads }));
    for (model, config) in [("primer", PRIMER), ("gpt2-small", GPT2_SMALL)] {
        for tokens in [15, 32, 64] {
            for (what, method, sites) in [
                ("relp", Method::Relp, Site::PAPER.as_slice()),
                ("atp", Method::Atp, Site::PAPER.as_slice()),
                ("sweep", Method::Ap, Site::PAPER.as_slice()),
                ("heads", Method::Ap, [Site::Z].as_slice()),
            ] {
                let is_sweep = method == Method::Ap;
                if is_sweep && tokens >= LONG || tokens > config.n_ctx {
                    continue;
                }
                let samples = if model == "primer" {
                    30
                } else if is_sweep {
                    5
                } else {
                    11
                };
                let line = measure(&config, method, sites, tokens, samples, (rate, bandwidth));
                let Some((median, low, high, floor)) = line else { continue };
                println!(
                    "{}",
                    json!({
                        "model": model, "tokens": tokens, "what": what, "threads": threads,
                        "median": median, "low": low, "high": high, "floor": floor,
                    })
                );
            }
        }
    }
}

/// Median, ends and floor in seconds; none of what takes several tapes.
fn measure(
    config: &Config,
    method: Method,
    sites: &[Site],
    tokens: usize,
    samples: usize,
    (rate, bandwidth): (f64, f64),
) -> Option<(f64, f64, f64, f64)> {
    let case = Case::fitting(config, method, sites, tokens)?;
    let mut cpu = Cpu::new();
    for (name, values) in &case.weights {
        cpu.set_weight(name, values);
    }
    let tape = case.computation.tape();
    let Ok(mut plan) = cpu.plan(tape) else { panic!("a weight is missing") };
    // On GPT-2 small the reference takes longer than everything else; `runs` compares it there.
    if config.n_layer == PRIMER.n_layer {
        case.check(&plan.run(&case.feed).unwrap_or_default());
    }
    let (median, low, high) = seconds(samples, || drop(plan.run(&case.feed)));
    let floor = f64::max(operations(tape) / rate, bytes(tape) / bandwidth);
    Some((median, low, high, floor))
}

/// Floating-point operations a second of a large matrix product.
fn rate() -> f64 {
    let (rows, inner, columns) = (512, 768, 3072);
    let mut tape = Tape::new();
    let x = tape.input("x", &[rows, inner]);
    let w = tape.weight("w", &[inner, columns]);
    let out = tape.linear("out", x, w, None);
    tape.output(out);
    let mut cpu = Cpu::new();
    cpu.set_weight("w", &vec![0.25; inner * columns]);
    let Ok(mut plan) = cpu.plan(&tape) else { panic!("a weight is missing") };
    let mut feed = Feed::new();
    feed.values(x, vec![0.5_f32; rows * inner].as_slice());
    // The best of what it can do is what a floor is made of.
    let (_, low, _) = seconds(11, || drop(plan.run(&feed)));
    operations(&tape) / low
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
