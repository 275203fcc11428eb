//! One RelP run (two forward passes, one backward pass) on each executor, what of it another rule runs
//! again, and the exact answer to the same question: on the bundled model's shapes, and on GPT-2 small's
//! with random weights. 15 tokens, the three sites of the paper.
//!
//! Before anything is timed, the executor's scores are compared with the reference's.

use divan::Bencher;
use pollster::block_on;
use relp_benches::{Case, GPT2_SMALL, GPT2_SMALL_GPU, POSITIONS, PRIMER};
use relp_cpu::Cpu;
use relp_gpu::Gpu;
use relp_model::{Config, Method, Site};
use relp_tape::{Content, reference};

fn main() {
    divan::main();
}

fn bench_cpu(bencher: Bencher<'_, '_>, config: &Config, method: Method, sites: &[Site]) {
    let case = Case::new(config, method, sites, POSITIONS);
    let mut cpu = Cpu::new();
    for (name, values) in &case.weights {
        cpu.set_weight(name, values);
    }
    let Ok(mut plan) = cpu.plan(case.computation.tape()) else { panic!("a weight is missing") };
    let mut run = || {
        plan.forget();
        plan.run(&case.feed).unwrap_or_default()
    };
    case.check(&run());
    bencher.bench_local(run);
}

/// What another rule takes, when the forward passes of the same prompts have run.
fn bench_cpu_rule(bencher: Bencher<'_, '_>, config: &Config) {
    let [relp, atp] = [Method::Relp, Method::Atp]
        .map(|method| Case::new(config, method, &Site::PAPER, POSITIONS));
    let mut cpu = Cpu::new();
    for (name, values) in &relp.weights {
        cpu.set_weight(name, values);
    }
    let plans = cpu.plan(relp.computation.tape()).and_then(|mut first| {
        first.run(&relp.feed)?;
        cpu.plan_beside(atp.computation.tape(), [&first])
    });
    let Ok(mut plan) = plans else { panic!("a weight is missing") };
    let mut run = || plan.run(&atp.feed).unwrap_or_default();
    atp.check(&run());
    bencher.bench_local(run);
}

fn bench_gpu(bencher: Bencher<'_, '_>, config: &Config) {
    let case = Case::new(config, Method::Relp, &Site::PAPER, POSITIONS);
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
    let mut run = || {
        plan.forget();
        block_on(gpu.run(&mut plan, &case.feed)).unwrap_or_default()
    };
    case.check(&run());
    bencher.bench_local(run);
}

fn bench_reference(bencher: Bencher<'_, '_>, config: &Config) {
    let case = Case::new(config, Method::Relp, &Site::PAPER, POSITIONS);
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
    fn cpu_rule(bencher: Bencher<'_, '_>) {
        bench_cpu_rule(bencher, &PRIMER);
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

    #[divan::bench(sample_count = 20)]
    fn cpu_rule(bencher: Bencher<'_, '_>) {
        bench_cpu_rule(bencher, &GPT2_SMALL);
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
