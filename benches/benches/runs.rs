//! One RelP run (two forward passes, one backward pass) on each executor, and the exact answer to the
//! same question: on the bundled model's shapes, and on GPT-2 small's with random weights. 15 tokens,
//! the three sites of the paper.
//!
//! Before anything is timed, the executor's scores are compared with the reference's.

use std::collections::HashMap;

use divan::Bencher;
use pollster::block_on;
use relp_cpu::Cpu;
use relp_gpu::Gpu;
use relp_model::{Computation, Config, Direction, Method, Pair, Recipe, Request, Site, Token};
use relp_tape::{Content, Feed, Outputs, reference};

const POSITIONS: usize = 15;
/// Where the prompts differ, as in an indirect-object pair that swaps the second subject.
const DIFFERING: usize = 10;

const PRIMER: Config = Config {
    n_layer: 6,
    n_head: 8,
    d_model: 128,
    d_mlp: 512,
    n_vocab: 4075,
    n_ctx: 64,
    eps: 1e-5,
    tied: true,
};

const GPT2_SMALL: Config = Config {
    n_layer: 12,
    n_head: 12,
    d_model: 768,
    d_mlp: 3072,
    n_vocab: 50257,
    n_ctx: 1024,
    eps: 1e-5,
    tied: true,
};

/// The same with as many tokens as the 128 MiB of a binding hold that every GPU has.
const GPT2_SMALL_GPU: Config = Config { n_vocab: 32_768, ..GPT2_SMALL };

fn main() {
    divan::main();
}

/// A recorded run with weights that keep activations in a natural range.
struct Case {
    computation: Computation,
    weights: HashMap<String, Vec<f32>>,
    feed: Feed,
}

impl Case {
    fn new(config: &Config, method: Method, sites: &[Site]) -> Self {
        let token = |id: usize| Token { id: (id % config.n_vocab) as u32, text: String::new() };
        let clean: Vec<Token> = (0..POSITIONS).map(|i| token(i * 7 + 1)).collect();
        let mut corrupted = clean.clone();
        corrupted[DIFFERING] = token(99);
        let pair = Pair { clean, corrupted, answers: vec![token(5)], foils: vec![token(6)] };
        let request = Request { method, sites: sites.to_vec(), ..Request::default() };
        let recipe = Recipe::new(&request, &pair);
        let parts = recipe.parts(config);
        assert_eq!(parts.len(), 1, "a case is one tape");
        let computation = recipe.record(config, &parts[0]);
        let mut noise = Noise(1);
        let mut weights = HashMap::new();
        for (_, info) in computation.tape().bufs() {
            if info.content == Content::Weight {
                let gain = info.name.contains("ln_") && info.name.ends_with("weight");
                let (centre, spread) = if gain { (1.0, 0.1) } else { (0.0, 0.04) };
                let values = (0..info.len()).map(|_| centre + spread * noise.next()).collect();
                weights.insert(info.name.clone(), values);
            }
        }
        let feed = computation.feed(&pair, Direction::Denoise);
        Self { computation, weights, feed }
    }

    /// The largest difference of any score from the reference's, as a fraction of the largest.
    fn check(&self, found: &Outputs) {
        let tape = self.computation.tape();
        let mut feed = self.feed.clone();
        for (buf, info) in tape.bufs() {
            if info.content == Content::Weight {
                feed.values(buf, self.weights[&info.name].as_slice());
            }
        }
        let Ok(values) = reference::run(tape, &feed) else { panic!("the feed does not fit") };
        let expected = tape.outputs().iter().map(|&buf| (buf, values.f32(buf))).collect();
        let scores = |outputs: &Outputs| -> Vec<f32> {
            let run = self.computation.read(outputs, Direction::Denoise);
            run.scores.into_values().flatten().collect()
        };
        let (expected, found) = (scores(&Outputs::new(expected)), scores(found));
        let largest = expected.iter().fold(0.0_f32, |m, x| m.max(x.abs()));
        for (expected, found) in expected.iter().zip(&found) {
            let close = (expected - found).abs() <= 1e-4 * largest;
            assert!(close, "a wrong executor is not worth timing: {expected} {found}");
        }
    }
}

fn bench_cpu(bencher: Bencher<'_, '_>, config: &Config, method: Method, sites: &[Site]) {
    let case = Case::new(config, method, sites);
    let mut cpu = Cpu::new();
    for (name, values) in &case.weights {
        cpu.set_weight(name, values);
    }
    let Ok(mut plan) = cpu.plan(case.computation.tape()) else { panic!("a weight is missing") };
    let mut run = || plan.run(&case.feed).unwrap_or_default();
    case.check(&run());
    bencher.bench_local(run);
}

fn bench_gpu(bencher: Bencher<'_, '_>, config: &Config) {
    let case = Case::new(config, Method::Relp, &Site::PAPER);
    let mut gpu = match block_on(Gpu::request()) {
        Ok(gpu) => gpu,
        Err(error) => panic!("{error}"),
    };
    for (name, values) in &case.weights {
        if let Err(error) = gpu.set_weight(name, values) {
            panic!("{error}");
        }
    }
    let mut plan = match block_on(gpu.plan(case.computation.tape())) {
        Ok(plan) => plan,
        Err(error) => panic!("{error}"),
    };
    let mut run = || block_on(gpu.run(&mut plan, &case.feed)).unwrap_or_default();
    case.check(&run());
    bencher.bench_local(run);
}

fn bench_reference(bencher: Bencher<'_, '_>, config: &Config) {
    let case = Case::new(config, Method::Relp, &Site::PAPER);
    let tape = case.computation.tape();
    let mut feed = case.feed.clone();
    for (buf, info) in tape.bufs() {
        if info.content == Content::Weight {
            feed.values(buf, case.weights[&info.name].as_slice());
        }
    }
    bencher.bench_local(|| reference::run(tape, &feed));
}

mod primer {
    use super::*;

    #[divan::bench]
    fn cpu(bencher: Bencher<'_, '_>) {
        bench_cpu(bencher, &PRIMER, Method::Relp, &Site::PAPER);
    }

    #[divan::bench]
    fn cpu_exact(bencher: Bencher<'_, '_>) {
        bench_cpu(bencher, &PRIMER, Method::Ap, &Site::PAPER);
    }

    #[divan::bench]
    fn cpu_exact_heads(bencher: Bencher<'_, '_>) {
        bench_cpu(bencher, &PRIMER, Method::Ap, &[Site::Z]);
    }

    #[divan::bench(sample_count = 20)]
    fn gpu(bencher: Bencher<'_, '_>) {
        bench_gpu(bencher, &PRIMER);
    }

    #[divan::bench(sample_count = 5)]
    fn reference(bencher: Bencher<'_, '_>) {
        bench_reference(bencher, &PRIMER);
    }
}

mod gpt2_small {
    use super::*;

    #[divan::bench(sample_count = 20)]
    fn cpu(bencher: Bencher<'_, '_>) {
        bench_cpu(bencher, &GPT2_SMALL, Method::Relp, &Site::PAPER);
    }

    #[divan::bench(sample_count = 5)]
    fn cpu_exact(bencher: Bencher<'_, '_>) {
        bench_cpu(bencher, &GPT2_SMALL, Method::Ap, &Site::PAPER);
    }

    #[divan::bench(sample_count = 3)]
    fn gpu(bencher: Bencher<'_, '_>) {
        bench_gpu(bencher, &GPT2_SMALL_GPU);
    }
}

/// A fixed sequence of numbers (SplitMix64).
struct Noise(u64);

impl Noise {
    /// Between −1 and 1.
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 40) as f32 / (1_u32 << 23) as f32 - 1.0
    }
}
