//! Benchmarks; see `README.md`. What they share: cases, how much work one is, and what the machine can do.

use std::collections::HashMap;
use std::fs;
use std::time::Instant;

use relp_model::{
    Attribution, Computation, Config, Direction, Method, Pair, Recipe, Request, Site, Token, gpt2,
};
use relp_tape::{Beginnings, Buf, Content, Feed, Needed, Op, Outputs, Tape, reference};

/// Tokens of the usual prompt.
pub const POSITIONS: usize = 15;
/// How many tokens before its end the prompts differ, as in an indirect-object pair that swaps the second
/// subject.
const FROM_END: usize = 5;

/// The bundled model's sizes.
pub const PRIMER: Config = Config {
    n_layer: 6,
    n_head: 8,
    d_model: 128,
    d_mlp: 512,
    n_vocab: 4075,
    n_ctx: 64,
    eps: 1e-5,
    tied: true,
};

/// GPT-2 small's.
pub const GPT2_SMALL: Config = Config {
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
pub const GPT2_SMALL_GPU: Config = Config { n_vocab: 32_768, ..GPT2_SMALL };

/// A recorded run with weights that keep activations in a natural range.
pub struct Case {
    /// What is computed.
    pub computation: Computation,
    /// Its weights, by name.
    pub weights: HashMap<String, Vec<f32>>,
    /// Its inputs.
    pub feed: Feed,
}

impl Case {
    /// A pair of prompts of so many tokens, by a method.
    ///
    /// # Panics
    /// If it does not fit one tape.
    pub fn new(config: &Config, method: Method, sites: &[Site], positions: usize) -> Self {
        let pair = pair(config, positions, 0);
        let request = Request { method, sites: sites.to_vec(), ..Request::default() };
        let Some(computation) = on_one_tape(config, &Recipe::new(&request, &pair)) else {
            panic!("a case is one tape")
        };
        let weights = weights(computation.tape());
        let feed = computation.feed(&pair, Direction::Denoise);
        Self { computation, weights, feed }
    }

    /// The largest difference of any score from the reference's, as a fraction of the largest.
    ///
    /// # Panics
    /// If a score is wrong: a wrong executor is not worth timing.
    pub fn check(&self, found: &Outputs) {
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

/// What a recipe asks of a pair; `None` if it takes several tapes.
fn on_one_tape(config: &Config, recipe: &Recipe) -> Option<Computation> {
    match recipe.parts(config).as_slice() {
        [part] => Some(recipe.record(config, part)),
        _ => None,
    }
}

/// Weights of a tape, which keep activations in a natural range, by name.
pub fn weights(tape: &Tape) -> HashMap<String, Vec<f32>> {
    let mut noise = Noise(1);
    let mut weights = HashMap::new();
    for (_, info) in tape.bufs() {
        if info.content == Content::Weight {
            let gain = info.name.contains("ln_") && info.name.ends_with("weight");
            let (centre, spread) = if gain { (1.0, 0.1) } else { (0.0, 0.04) };
            let values = (0..info.len()).map(|_| centre + spread * noise.next()).collect();
            weights.insert(info.name.clone(), values);
        }
    }
    weights
}

/// A recorded run of some pairs of prompts, without weights.
pub struct Work {
    /// What is computed.
    pub tape: Tape,
    /// Its inputs.
    pub feed: Feed,
    /// Of a forward pass, \[B,V\].
    pub logits: Option<Buf>,
}

impl Work {
    /// What can be recorded: a forward pass of so many prompts, or a method on so many pairs.
    pub const WHATS: [&str; 5] = ["forward", "relp", "atp", "sweep", "heads"];

    /// Records one of [`Self::WHATS`]; `None` if that is not one, or would take several tapes: exact patching does
    /// for more than one pair.
    pub fn record(config: &Config, what: &str, tokens: usize, batch: usize) -> Option<Self> {
        let (method, sites) = match what {
            "forward" => return Some(Self::forward(config, tokens, batch)),
            "relp" => (Method::Relp, Site::PAPER.as_slice()),
            "atp" => (Method::Atp, Site::PAPER.as_slice()),
            "sweep" => (Method::Ap, Site::PAPER.as_slice()),
            "heads" => (Method::Ap, [Site::Z].as_slice()),
            _ => return None,
        };
        let request = Request { method, sites: sites.to_vec(), ..Request::default() };
        let pairs: Vec<Pair> = (0..batch).map(|n| pair(config, tokens, n)).collect();
        let recipe = Recipe::new(&request, &pairs[0]);
        let direction = Direction::Denoise;
        let (tape, feed) = if method == Method::Ap {
            if batch != 1 {
                return None;
            }
            let sweep = on_one_tape(config, &recipe)?;
            (sweep.tape().clone(), sweep.feed(&pairs[0], direction))
        } else {
            let attribution = Attribution::record(config, batch, &recipe);
            (attribution.tape().clone(), attribution.feed(&pairs, direction))
        };
        Some(Self { tape, feed, logits: None })
    }

    /// So many rows times a 768 × 3072 matrix: of many rows, the most that a machine can do.
    pub fn product(rows: usize) -> Self {
        let mut tape = Tape::new();
        let x = tape.input("x", &[rows, 768]);
        let w = tape.weight("w", &[768, 3072]);
        let out = tape.linear("out", x, w, None);
        tape.output(out);
        let mut feed = Feed::new();
        feed.values(x, vec![0.5; rows * 768]);
        Self { tape, feed, logits: None }
    }

    fn forward(config: &Config, tokens: usize, batch: usize) -> Self {
        let mut tape = Tape::new();
        let (ids, forward) = gpt2::forward(&mut tape, config, batch, tokens);
        let logits = gpt2::logits(&mut tape, config, forward.last_normed);
        tape.output(logits);
        let prompts = (0..batch).flat_map(|n| pair(config, tokens, n).clean);
        let mut feed = Feed::new();
        feed.ids(ids, prompts.map(|token| token.id).collect());
        Self { tape, feed, logits: Some(logits) }
    }
}

/// The n-th two prompts of so many tokens, which begin with another token than those of other pairs: what prompts have in
/// common at their beginning is computed once, and a batch of the same would be no work.
pub fn pair(config: &Config, positions: usize, n: usize) -> Pair {
    let token = |id: usize| Token { id: (id % config.n_vocab) as u32, text: String::new() };
    let clean: Vec<Token> = (0..positions).map(|i| token(i * 7 + 1 + n)).collect();
    let mut corrupted = clean.clone();
    corrupted[positions - FROM_END] = token(99);
    Pair { clean, corrupted, answers: vec![token(5)], foils: vec![token(6)] }
}

/// Floating-point operations of a run's matrix products, two a multiplication, of the rows that it needs. What else it
/// computes is less than a hundredth of it.
pub fn operations(tape: &Tape, feed: &Feed) -> f64 {
    let needed = Needed::of(tape);
    let ids = needed.ids().and_then(|ids| Some((feed.get_ids(tape, ids).ok()?, ids)));
    let beginnings = ids.map(|(tokens, ids)| Beginnings::of(tokens, tape.shape(ids)[1]));
    let beginnings = beginnings.unwrap_or_default();
    let last = |buf| tape.shape(buf).last().copied().unwrap_or(1);
    let of = |(at, op): (usize, &Op)| match *op {
        Op::Linear { x, out, .. } | Op::LinearT { x, out, .. } => {
            let rows = tape.info(out).len() / last(out);
            let computed = beginnings.computed(needed.rows(at), rows);
            let rows: usize = computed.iter().map(ExactSizeIterator::len).sum();
            2.0 * (rows * last(x) * last(out)) as f64
        }
        _ => 0.0,
    };
    tape.ops().iter().enumerate().map(of).sum()
}

/// Bytes of weights that a tape's matrix products read, each time that one does.
pub fn bytes(tape: &Tape) -> f64 {
    let of = |op: &Op| match op {
        Op::Linear { w, .. } => 4.0 * tape.info(*w).len() as f64,
        // Of a fused weight only the columns that are asked for.
        Op::LinearT { x, w, .. } => {
            let (columns, all) = (tape.shape(*x).last(), tape.shape(*w).last());
            let share = columns.zip(all).map_or(1.0, |(c, all)| *c as f64 / *all as f64);
            4.0 * tape.info(*w).len() as f64 * share
        }
        _ => 0.0,
    };
    tape.ops().iter().map(of).sum()
}

/// The median and both ends of the seconds that something takes, `samples` times, after once for nothing.
pub fn seconds(samples: usize, mut run: impl FnMut()) -> (f64, f64, f64) {
    run();
    let mut all: Vec<f64> = (0..samples.max(1))
        .map(|_| {
            let began = Instant::now();
            run();
            began.elapsed().as_secs_f64()
        })
        .collect();
    all.sort_by(f64::total_cmp);
    (all[all.len() / 2], all[0], all[all.len() - 1])
}

/// Lets the most memory that this process had be counted from now on, where the system can (Linux).
pub fn count_memory_anew() {
    // Elsewhere the most since the start is what is told.
    let _ = fs::write("/proc/self/clear_refs", "5");
}

/// The most memory that a process, a number or `self`, had in bytes; nothing where the system does not tell.
pub fn most_memory(process: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(1024 * line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?)
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
