//! Runs one case once, for `cargo xtask test --only instructions`, which counts its instructions under valgrind:
//! whole runs on the bundled model's sizes, and the CPU's kernels one by one.
//!
//! Without an argument it lists the cases. Counting begins and ends with [`counted_run`], so that neither recording,
//! planning nor the first run, which looks at the processor and starts the threads, has a part in it.

use std::collections::HashMap;
use std::env;
use std::hint::black_box;
use std::io::{self, Write};
use std::process::ExitCode;

use half::f16;
use relp_benches::{Case, POSITIONS, PRIMER};
use relp_cpu::{Cpu, Plan};
use relp_model::{Method, Site, gpt2};
use relp_tape::{Buf, Content, Feed, Outputs, Piece, Slope, Storage, Tape};

/// GPT-2 small's width, its heads and its inner width.
const WIDTH: usize = 768;
const HEADS: usize = 12;
const INNER: usize = 4 * WIDTH;
/// Both prompts.
const BATCH: usize = 2;

/// What is run of a case, ready to be run.
type Ready = (Cpu, Tape, Feed);

/// A case's name and how it is made.
struct Counted {
    name: String,
    make: Box<dyn Fn() -> Ready>,
}

fn main() -> ExitCode {
    let asked = env::args().skip(1).find(|arg| !arg.starts_with("--"));
    let mut out = io::stdout().lock();
    let mut cases = cases().into_iter();
    let Some(asked) = asked else {
        let written = cases.try_for_each(|case| writeln!(out, "{}", case.name));
        return if written.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    };
    let Some(case) = cases.find(|case| case.name == asked) else {
        let _told = writeln!(out, "there is no case {asked}: without an argument, all are listed");
        return ExitCode::FAILURE;
    };
    // The main thread is the only one (`RAYON_NUM_THREADS`), so that all is counted that is done.
    relp_cpu::compute_here();
    let (mut cpu, tape, feed) = (case.make)();
    let done = cpu.plan(&tape).ok().and_then(|mut plan| {
        plan.run(&feed).ok()?;
        plan.forget();
        counted_run(&mut plan, &feed)
    });
    let finite = done.is_some_and(|outputs| black_box(outputs).first_not_finite().is_none());
    if finite { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What is counted: valgrind is told this function's name.
#[inline(never)]
fn counted_run(plan: &mut Plan, feed: &Feed) -> Option<Outputs> {
    black_box(plan).run(black_box(feed)).ok()
}

fn cases() -> Vec<Counted> {
    let mut all = vec![
        Counted::new("primer_relp".to_owned(), || whole(Method::Relp)),
        Counted::new("primer_exact".to_owned(), || whole(Method::Ap)),
        Counted::new("primer_forward".to_owned(), forward),
    ];
    for storage in [Storage::F32, Storage::F16] {
        // One prompt, both, and a sweep's part.
        for rows in [15, 30, 240] {
            let name = |op: &str| format!("{op}_{rows}_{storage:?}").to_lowercase();
            all.push(Counted::new(name("linear"), move || {
                let mut small = Small::new(storage);
                let (x, w) = (small.input(&[rows, WIDTH]), small.weight(&[WIDTH, WIDTH]));
                let bias = small.vector(WIDTH);
                let out = small.tape.linear("out", x, w, Some(bias));
                small.ready(out)
            }));
            all.push(Counted::new(name("linear_t"), move || {
                let mut small = Small::new(storage);
                let (x, w) = (small.input(&[rows, WIDTH]), small.weight(&[WIDTH, WIDTH]));
                let out = small.tape.linear_t("out", x, w, 0, None);
                small.ready(out)
            }));
        }
    }
    all.extend(pointwise());
    all.extend(attention());
    all
}

/// Normalisation and activation of both prompts.
fn pointwise() -> Vec<Counted> {
    let norm = |name: &str, detached: Option<bool>| {
        Counted::new(name.to_owned(), move || {
            let mut small = Small::new(Storage::F32);
            let x = small.input(&[BATCH, POSITIONS, WIDTH]);
            let (gain, bias) = (small.vector(WIDTH), small.vector(WIDTH));
            let Some(detached) = detached else {
                let (out, _) = small.tape.layer_norm("out", x, gain, bias, 1e-5);
                return small.ready(out);
            };
            let dy = small.input(&[BATCH, POSITIONS, WIDTH]);
            let stats = small.input(&[BATCH, POSITIONS, 2]);
            let out = small.tape.layer_norm_grad("out", dy, x, stats, gain, None, detached);
            small.ready(out)
        })
    };
    let gelu = |name: &str, slope: Option<Slope>| {
        Counted::new(name.to_owned(), move || {
            let mut small = Small::new(Storage::F32);
            let x = small.input(&[BATCH, POSITIONS, INNER]);
            let Some(slope) = slope else {
                let out = small.tape.gelu("out", x);
                return small.ready(out);
            };
            let dy = small.input(&[BATCH, POSITIONS, INNER]);
            let out = small.tape.gelu_grad("out", dy, x, slope);
            small.ready(out)
        })
    };
    let effects = |name: &str, cols: usize, groups: usize| {
        Counted::new(name.to_owned(), move || {
            let mut small = Small::new(Storage::F32);
            let act = small.input(&[BATCH, POSITIONS, cols]);
            let grad = small.input(&[1, POSITIONS, cols]);
            let out = small.tape.delta_dot("out", act, grad, 0, groups);
            small.ready(out)
        })
    };
    vec![
        norm("layer_norm", None),
        norm("layer_norm_grad", Some(false)),
        norm("layer_norm_grad_detached", Some(true)),
        gelu("gelu", None),
        gelu("gelu_grad", Some(Slope::Derivative)),
        gelu("gelu_grad_ratio", Some(Slope::Ratio)),
        effects("delta_dot", WIDTH, 1),
        effects("delta_dot_heads", WIDTH, HEADS),
        effects("delta_dot_neurons", INNER, INNER),
    ]
}

/// Attention of both prompts, and the way back.
fn attention() -> Vec<Counted> {
    type Record = fn(&mut Small) -> Buf;
    let of = |name: &str, record: Record| {
        Counted::new(name.to_owned(), move || {
            let mut small = Small::new(Storage::F32);
            let out = record(&mut small);
            small.ready(out)
        })
    };
    vec![
        of("attention_pattern", |small| {
            let qkv = small.qkv();
            small.tape.attention_pattern("out", qkv, HEADS)
        }),
        of("attention_mix", |small| {
            let (pattern, qkv) = (small.pattern(), small.qkv());
            small.tape.attention_mix("out", pattern, qkv)
        }),
        of("attention_mix_grad_pattern", |small| {
            let (dz, qkv) = (small.input(&[BATCH, POSITIONS, WIDTH]), small.qkv());
            small.tape.attention_mix_grad_pattern("out", dz, qkv, HEADS)
        }),
        of("attention_mix_grad_v", |small| {
            let (dz, pattern) = (small.input(&[BATCH, POSITIONS, WIDTH]), small.pattern());
            small.tape.attention_mix_grad_v("out", dz, pattern)
        }),
        of("softmax_grad", |small| {
            let (dy, y) = (small.pattern(), small.pattern());
            small.tape.softmax_grad("out", dy, y)
        }),
        of("attention_scores_grad", |small| {
            let (ds, qkv) = (small.pattern(), small.qkv());
            small.tape.attention_scores_grad("out", ds, qkv)
        }),
    ]
}

/// A whole run on the bundled model's sizes.
fn whole(method: Method) -> Ready {
    let case = Case::new(&PRIMER, method, &Site::PAPER, POSITIONS);
    (with_weights(&case.weights), case.computation.tape().clone(), case.feed)
}

/// One prompt forward, and the logits after it.
fn forward() -> Ready {
    let mut tape = Tape::new();
    let (ids, forward) = gpt2::forward(&mut tape, &PRIMER, 1, POSITIONS);
    let logits = gpt2::logits(&mut tape, &PRIMER, forward.last_normed);
    tape.output(logits);
    let mut feed = Feed::new();
    feed.ids(ids, (1..=POSITIONS as u32).collect());
    let weights = tape.bufs().filter(|(_, info)| info.content == Content::Weight);
    let weights = weights.map(|(_, info)| (info.name.clone(), values(info.len()))).collect();
    (with_weights(&weights), tape, feed)
}

fn with_weights(weights: &HashMap<String, Vec<f32>>) -> Cpu {
    let mut cpu = Cpu::new();
    weights.iter().for_each(|(name, values)| cpu.set_weight(name, values));
    cpu
}

impl Counted {
    fn new(name: String, make: impl Fn() -> Ready + 'static) -> Self {
        Self { name, make: Box::new(make) }
    }
}

/// A tape of one op.
struct Small {
    tape: Tape,
    cpu: Cpu,
    feed: Feed,
    /// How its matrix is kept.
    storage: Storage,
    /// Operands so far, which gives them names.
    operands: usize,
}

impl Small {
    fn new(storage: Storage) -> Self {
        Self { tape: Tape::new(), cpu: Cpu::new(), feed: Feed::new(), storage, operands: 0 }
    }

    fn name(&mut self) -> String {
        self.operands += 1;
        format!("operand_{}", self.operands)
    }

    fn input(&mut self, shape: &[usize]) -> Buf {
        let name = self.name();
        let buf = self.tape.input(&name, shape);
        self.feed.values(buf, values(shape.iter().product()));
        buf
    }

    fn qkv(&mut self) -> Buf {
        self.input(&[BATCH, POSITIONS, 3 * WIDTH])
    }

    fn pattern(&mut self) -> Buf {
        self.input(&[BATCH, HEADS, POSITIONS, POSITIONS])
    }

    /// A gain or bias.
    fn vector(&mut self, len: usize) -> Buf {
        let name = self.name();
        self.cpu.set_weight(&name, &values(len));
        self.tape.weight(&name, &[len])
    }

    /// A matrix, kept as the case wants it.
    fn weight(&mut self, shape: &[usize]) -> Buf {
        let name = self.name();
        let values = values(shape.iter().product());
        self.cpu.reserve_weight(&name, values.len(), self.storage);
        let halves: Vec<u16> = values.iter().map(|&x| f16::from_f32(x).to_bits()).collect();
        let piece = match self.storage {
            Storage::F32 => Piece::F32(&values),
            Storage::F16 => Piece::F16(&halves),
        };
        // What does not fit is found by the plan.
        let _written = self.cpu.write_weight(&name, 0, piece);
        self.tape.weight(&name, shape)
    }

    fn ready(mut self, out: Buf) -> Ready {
        self.tape.output(out);
        (self.cpu, self.tape, self.feed)
    }
}

/// Values between −1/16 and 1/16, always the same.
fn values(len: usize) -> Vec<f32> {
    let mixed = (0..len as u32).map(|i| i.wrapping_mul(0x9E37_79B1) >> 8);
    mixed.map(|bits| (bits as f32 / (1_u32 << 23) as f32 - 1.0) / 16.0).collect()
}
