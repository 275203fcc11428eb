//! Every op on awkward shapes and values, and the loop that compares an executor with the
//! reference on all of them.

use half::f16;
use relp_tape::reference::{self, Values};
use relp_tape::{Buf, Content, Feed, Op, Outputs, Slope, Tape};

use crate::compare::{Tolerance, compare};

mod metric;
mod patching;

/// A tape of one op, and what to feed it.
#[derive(Debug)]
pub struct Case {
    /// The op and what is special about its operands.
    pub name: String,
    /// The op alone, its results being the outputs.
    pub tape: Tape,
    /// Inputs and weights.
    pub feed: Feed,
}

impl Case {
    /// The op.
    pub fn op(&self) -> &Op {
        &self.tape.ops()[0]
    }
}

/// Runs all cases, and reports every one in which `run` and the reference differ.
///
/// # Errors
/// With a description of all failures.
pub fn check_all(
    mut run: impl FnMut(&Tape, &Feed) -> Result<Outputs, String>,
) -> Result<(), String> {
    let mut failures = Vec::new();
    let cases = all();
    for case in &cases {
        if let Err(failure) = check(case, &mut run) {
            failures.push(format!("{}: {failure}", case.name));
        }
    }
    if failures.is_empty() {
        return Ok(());
    }
    Err(format!("{} of {} cases failed:\n{}", failures.len(), cases.len(), failures.join("\n")))
}

/// The cases whose matrices can be kept as halves, with weights that halves hold exactly.
pub fn with_halves() -> Vec<Case> {
    let mut cases = all();
    cases.retain(|case| !halves(case).is_empty());
    for case in &mut cases {
        for buf in halves(case) {
            let values = case.feed.get_values(&case.tape, buf).unwrap_or_default();
            let rounded = values.iter().map(|&x| f16::from_f32(x).to_f32());
            let rounded: Vec<f32> = rounded.collect();
            case.feed.values(buf, rounded);
        }
    }
    cases
}

/// The weights of a case that can be kept as halves.
pub fn halves(case: &Case) -> Vec<Buf> {
    let matrices = case.op().matrices();
    matrices.into_iter().filter(|&buf| case.tape.info(buf).content == Content::Weight).collect()
}

/// Compares an executor with the reference on some cases.
///
/// # Errors
/// With a description of all failures.
pub fn check_each(
    cases: &[Case],
    mut run: impl FnMut(&Case) -> Result<Outputs, String>,
) -> Result<(), String> {
    let mut failures = Vec::new();
    for case in cases {
        if let Err(failure) = check(case, &mut |_, _| run(case)) {
            failures.push(format!("{}: {failure}", case.name));
        }
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n")) }
}

fn check(
    Case { tape, feed, .. }: &Case,
    run: &mut impl FnMut(&Tape, &Feed) -> Result<Outputs, String>,
) -> Result<(), String> {
    let expected = reference::run(tape, feed).map_err(|error| error.to_string())?;
    let found = run(tape, feed)?;
    let tolerance = tolerance(&tape.ops()[0], &expected);
    for &buf in tape.outputs() {
        compare(tape.name(buf), expected.f64(buf), found.get(buf), tolerance)
            .map_err(|mismatch| mismatch.to_string())?;
    }
    Ok(())
}

/// What `f32` arithmetic costs an op: a part of the largest value of its result, and for gelu also
/// of its operand.
fn tolerance(op: &Op, values: &Values) -> Tolerance {
    let largest = |buf: Buf| values.f64(buf).iter().copied().map(f64::abs).fold(0.0, f64::max);
    // Below the smallest normal number an executor may flush to 0.
    let tiny = f64::from(f32::MIN_POSITIVE);
    let (relative, absolute) = match *op {
        // Values are moved.
        Op::LastRow { .. } | Op::LastRowGrad { .. } | Op::Splice { .. } => (0.0, tiny),
        // One rounding or two, of 2⁻²⁴ each.
        Op::Embed { .. } | Op::Add { .. } | Op::Mul { .. } | Op::AddRows { .. } => (1.5e-7, tiny),
        // A difference of logarithms, each as large as the largest logit: 2⁻²⁴ of 100.
        Op::Metric { logits, .. } => (SUM, 1e-7 * largest(logits)),
        // As many sums as there are rows of the pattern; differences of probabilities.
        Op::QkFix { dp, .. } => (SUM, 2e-6 * largest(dp)),
        Op::MetricGrad { dy, .. } => (SUM, 1e-6 * largest(dy)),
        // Three, and a division.
        Op::Interpolate { .. } => (5e-7, tiny),
        // A sum of 1 and a tanh near −1 costs 2⁻²⁴ of what it is multiplied by: x, or dy · x · u′,
        // as long as the tanh is not −1.
        Op::Gelu { x, .. } => (SUM, 1e-7 * largest(x).min(6.0)),
        Op::GeluGrad { dy, .. } => (SUM, 2e-6 * largest(dy)),
        Op::LayerNorm { .. }
        | Op::LayerNormGrad { .. }
        | Op::Linear { .. }
        | Op::LinearT { .. }
        | Op::AttentionPattern { .. }
        | Op::AttentionMix { .. }
        | Op::AttentionMixGradPattern { .. }
        | Op::AttentionMixGradV { .. }
        | Op::SoftmaxGrad { .. }
        | Op::AttentionScoresGrad { .. }
        | Op::GatherDot { .. }
        | Op::GatherDotGrad { .. }
        | Op::DeltaDot { .. }
        | Op::AttentionRows { .. }
        | Op::AppendMeans { .. } => (SUM, tiny),
    };
    Tolerance { relative, absolute }
}

/// Sums of up to 3072 terms, and exponentials of up to 200.
const SUM: f64 = 1e-5;

/// A small deterministic generator (SplitMix64).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The same seed gives the same values everywhere.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Uniform below `below`.
    pub fn below(&mut self, below: u32) -> u32 {
        (self.bits() % u64::from(below)) as u32
    }

    /// Uniform between −1 and 1, with all the bits of an `f32`.
    pub fn unit(&mut self) -> f32 {
        self.below(1 << 24) as f32 / (1 << 23) as f32 - 1.0
    }

    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// A case being recorded.
struct Recorder {
    tape: Tape,
    feed: Feed,
    random: Random,
}

impl Recorder {
    /// An input with values between −`size` and `size`.
    fn input(&mut self, name: &str, shape: &[usize], size: f32) -> Buf {
        let buf = self.tape.input(name, shape);
        self.fill(buf, |random| size * random.unit());
        buf
    }

    /// A weight with values between −1 and 1.
    fn weight(&mut self, name: &str, shape: &[usize]) -> Buf {
        let buf = self.tape.weight(name, shape);
        self.fill(buf, Random::unit);
        buf
    }

    fn ids(&mut self, shape: &[usize], below: usize) -> Buf {
        let buf = self.tape.ids("ids", shape, below as u32);
        let n: usize = shape.iter().product();
        self.feed.ids(buf, (0..n).map(|_| self.random.below(below as u32)).collect());
        buf
    }

    fn fill(&mut self, buf: Buf, mut value: impl FnMut(&mut Random) -> f32) {
        let n = self.tape.info(buf).len();
        self.feed.values(buf, (0..n).map(|_| value(&mut self.random)).collect::<Vec<_>>());
    }
}

struct Cases(Vec<Case>);

impl Cases {
    fn push(&mut self, about: &str, record: impl FnOnce(&mut Recorder)) {
        let random = Random::new(self.0.len() as u64);
        let mut recorder = Recorder { tape: Tape::new(), feed: Feed::new(), random };
        record(&mut recorder);
        let Recorder { mut tape, feed, .. } = recorder;
        let [op] = tape.ops() else { panic!("{about}: a case is one op") };
        let name = format!("{} {about}", op.name());
        for buf in op.writes() {
            tape.output(buf);
        }
        self.0.push(Case { name, tape, feed });
    }
}

/// Every case of every op.
pub fn all() -> Vec<Case> {
    let mut cases = Cases(Vec::new());
    embed(&mut cases);
    layer_norm(&mut cases);
    layer_norm_grad(&mut cases);
    linear(&mut cases);
    linear_t(&mut cases);
    attention(&mut cases);
    softmax_grad(&mut cases);
    gelu(&mut cases);
    element_by_element(&mut cases);
    last_row(&mut cases);
    gather_dot(&mut cases);
    patching::push(&mut cases);
    metric::push(&mut cases);
    cases.0
}

fn embed(cases: &mut Cases) {
    for (b, t, d, v, p) in
        [(1, 1, 1, 1, 1), (2, 15, 48, 65, 33), (3, 7, 5, 11, 7), (1, 257, 3, 2, 300)]
    {
        cases.push(&format!("B={b} T={t} D={d} V={v} P={p}"), |r| {
            let ids = r.ids(&[b, t], v);
            let (tokens, positions) = (r.weight("wte", &[v, d]), r.weight("wpe", &[p, d]));
            r.tape.embed("out", ids, tokens, positions);
        });
    }
}

/// Rows and columns that row-wise ops are tried on.
const ROWS: [(usize, usize); 9] =
    [(1, 1), (1, 2), (3, 5), (2, 33), (7, 64), (33, 65), (1, 257), (5, 768), (2, 1601)];

fn layer_norm(cases: &mut Cases) {
    for (rows, d) in ROWS {
        // A mean far from 0 costs E[x²] − μ² its digits.
        for mean in [0.0, 16.0] {
            cases.push(&format!("rows={rows} D={d} mean={mean}"), |r| {
                let x = r.tape.input("x", &[rows, d]);
                r.fill(x, |random| mean + random.unit());
                let (gain, bias) = (r.weight("gain", &[d]), r.weight("bias", &[d]));
                r.tape.layer_norm("out", x, gain, bias, 1e-5);
            });
        }
    }
    cases.push("B=2 T=3 D=7", |r| {
        let x = r.input("x", &[2, 3, 7], 1.0);
        let (gain, bias) = (r.weight("gain", &[7]), r.weight("bias", &[7]));
        r.tape.layer_norm("out", x, gain, bias, 0.25);
    });
}

fn layer_norm_grad(cases: &mut Cases) {
    for (rows, d) in ROWS {
        for detach_scale in [false, true] {
            for (add, more) in [(false, 0), (true, 0), (true, 3)] {
                let about = format!("rows={rows}+{more} D={d} add={add} detach={detach_scale}");
                cases.push(&about, |r| {
                    let dy = r.input("dy", &[rows, d], 1.0);
                    let x = r.input("x", &[rows + more, d], 2.0);
                    let stats = r.tape.input("stats", &[rows + more, 2]);
                    r.fill(stats, |random| 1.0 + 0.5 * random.unit());
                    let gain = r.weight("gain", &[d]);
                    let add = add.then(|| r.input("add", &[rows + 2 * more, d], 1.0));
                    r.tape.layer_norm_grad("dx", dy, x, stats, gain, add, detach_scale);
                });
            }
        }
    }
}

fn linear(cases: &mut Cases) {
    for (rows, i, j) in [
        (1, 1, 1),
        (1, 7, 3),
        (3, 1, 5),
        (2, 17, 1),
        (5, 16, 32),
        (32, 32, 32),
        (31, 33, 65),
        (33, 15, 31),
        (65, 48, 257),
        (1, 768, 13),
        (15, 257, 33),
        (2, 3072, 5),
    ] {
        for bias in [false, true] {
            cases.push(&format!("rows={rows} I={i} J={j} bias={bias}"), |r| {
                let x = r.input("x", &[rows, i], 1.0);
                let w = r.weight("w", &[i, j]);
                let bias = bias.then(|| r.weight("bias", &[j]));
                r.tape.linear("out", x, w, bias);
            });
        }
    }
    cases.push("B=2 T=15 I=12 J=36", |r| {
        let (x, w) = (r.input("x", &[2, 15, 12], 1.0), r.weight("w", &[12, 36]));
        r.tape.linear("out", x, w, None);
    });
    // More tiles than WebGPU allows workgroups along an axis.
    cases.push("J=2097153", |r| {
        let (x, w) = (r.input("x", &[1, 1], 1.0), r.weight("w", &[1, 2_097_153]));
        r.tape.linear("out", x, w, None);
    });
}

fn linear_t(cases: &mut Cases) {
    for (rows, c, i, j, first_col) in [
        (1, 1, 1, 1, 0),
        (1, 7, 3, 9, 2),
        (3, 1, 5, 6, 5),
        (2, 17, 1, 17, 0),
        (5, 16, 32, 48, 32),
        (32, 32, 32, 32, 0),
        (31, 33, 65, 99, 66),
        (33, 15, 31, 16, 1),
        (65, 48, 257, 48, 0),
        (1, 768, 13, 768, 0),
        (15, 257, 33, 300, 43),
        (2, 3072, 5, 3073, 1),
    ] {
        for (add, more) in [(false, 0), (true, 0), (true, 2)] {
            let about =
                format!("rows={rows}+{more} C={c} I={i} J={j} first_col={first_col} add={add}");
            cases.push(&about, |r| {
                let x = r.input("x", &[rows, c], 1.0);
                let w = r.weight("w", &[i, j]);
                let add = add.then(|| r.input("add", &[rows + more, i], 1.0));
                r.tape.linear_t("out", x, w, first_col, add);
            });
        }
    }
    cases.push("B=2+1 T=5", |r| {
        let (x, w) = (r.input("x", &[2, 5, 12], 1.0), r.weight("w", &[7, 36]));
        let add = r.input("add", &[3, 5, 7], 1.0);
        r.tape.linear_t("out", x, w, 24, Some(add));
    });
}

/// The ops on [B,T,3D] and [B,H,T,T]. Where only s ≤ t counts, the rest is not 0.
fn attention(cases: &mut Cases) {
    for (b, h, t, e) in [
        (1, 1, 1, 1),
        (1, 1, 2, 3),
        (2, 3, 5, 1),
        (1, 2, 33, 4),
        (3, 2, 7, 16),
        (2, 12, 15, 4),
        (1, 1, 65, 5),
        (1, 1, 257, 2),
    ] {
        let d = h * e;
        for more in [0, 2] {
            let about = format!("B={b}+{more} H={h} T={t} E={e}");
            cases.push(&about, |r| {
                let pattern = r.input("pattern", &[b, h, t, t], 1.0);
                let qkv = r.input("qkv", &[b + more, t, 3 * d], 1.0);
                r.tape.attention_mix("out", pattern, qkv);
            });
            cases.push(&about, |r| {
                let dz = r.input("dz", &[b, t, d], 1.0);
                let qkv = r.input("qkv", &[b + more, t, 3 * d], 1.0);
                r.tape.attention_mix_grad_pattern("out", dz, qkv, h);
            });
            cases.push(&about, |r| {
                let dz = r.input("dz", &[b, t, d], 1.0);
                let pattern = r.input("pattern", &[b + more, h, t, t], 1.0);
                r.tape.attention_mix_grad_v("out", dz, pattern);
            });
            cases.push(&about, |r| {
                let ds = r.input("ds", &[b, h, t, t], 1.0);
                let qkv = r.input("qkv", &[b + more, t, 3 * d], 1.0);
                r.tape.attention_scores_grad("out", ds, qkv);
            });
        }
        // Scores up to 1, and up to 100.
        for size in [1.0, 10.0] {
            let size = size / (e as f32).sqrt().sqrt();
            cases.push(&format!("B={b} H={h} T={t} E={e} size={size}"), |r| {
                let qkv = r.input("qkv", &[b, t, 3 * d], size);
                r.tape.attention_pattern("out", qkv, h);
            });
        }
    }
    // A maximum that took in later keys, which score 200 more, would leave the first row no weight.
    cases.push("T=3 and low scores first", |r| {
        let qkv = r.tape.input("qkv", &[1, 3, 3]);
        r.feed.values(qkv, [[10.0, -10.0, 1.0], [10.0; 3], [10.0; 3]].concat());
        r.tape.attention_pattern("out", qkv, 1);
    });
    // More keys than GPT-2 has, which the GPU's shader takes a block at a time.
    cases.push("T=1030", |r| {
        let qkv = r.input("qkv", &[1, 1030, 3], 10.0);
        r.tape.attention_pattern("out", qkv, 1);
    });
}

fn softmax_grad(cases: &mut Cases) {
    for (rows, cols) in ROWS {
        for more in [0, 4] {
            cases.push(&format!("rows={rows}+{more} cols={cols}"), |r| {
                let dy = r.input("dy", &[rows, cols], 1.0);
                let y = r.input("y", &[rows + more, cols], 1.0);
                r.tape.softmax_grad("out", dy, y);
            });
        }
    }
}

fn gelu(cases: &mut Cases) {
    for n in [1, 65, 257] {
        // Far out the slope is 0 or 1, and x³ is large.
        for size in [0.01, 1.0, 6.0, 50.0, 1e4] {
            let about = format!("n={n} size={size}");
            cases.push(&about, |r| {
                let x = r.input("x", &[n], size);
                r.tape.gelu("out", x);
            });
            for slope in [Slope::Derivative, Slope::Ratio] {
                for more in [0, 3] {
                    cases.push(&format!("{about}+{more} {slope:?}"), |r| {
                        let dy = r.input("dy", &[n], 1.0);
                        let x = r.input("x", &[n + more], size);
                        r.tape.gelu_grad("dx", dy, x, slope);
                    });
                }
            }
        }
    }
    let special = [0.0, -0.0, 1e-30, -1e-30, 0.5, -0.5, 3.0, -3.0, 5.5, -5.5, 10.0, -10.0];
    for x in special.into_iter().chain([50.0, -50.0, 1e4, -1e4]) {
        cases.push(&format!("x={x}"), |r| {
            let buf = r.tape.input("x", &[1]);
            r.fill(buf, |_| x);
            r.tape.gelu("out", buf);
        });
        for slope in [Slope::Derivative, Slope::Ratio] {
            cases.push(&format!("x={x} {slope:?}"), |r| {
                let dy = r.input("dy", &[1], 1.0);
                let buf = r.tape.input("x", &[1]);
                r.fill(buf, |_| x);
                r.tape.gelu_grad("dx", dy, buf, slope);
            });
        }
    }
}

fn element_by_element(cases: &mut Cases) {
    for shape in [vec![1], vec![65], vec![3, 5], vec![2, 3, 43], vec![257, 3]] {
        for more in [0, 1] {
            let covering: Vec<_> =
                shape.iter().enumerate().map(|(i, &n)| if i == 0 { n + more } else { n }).collect();
            cases.push(&format!("{shape:?}+{more}"), |r| {
                let (a, b) = (r.input("a", &shape, 1.0), r.input("b", &covering, 1.0));
                r.tape.add("out", a, b);
            });
            for scale in [1.0, 0.5, -3.7] {
                cases.push(&format!("{shape:?}+{more} scale={scale}"), |r| {
                    let (a, b) = (r.input("a", &shape, 1.0), r.input("b", &covering, 1.0));
                    r.tape.mul("out", a, b, scale);
                });
            }
        }
    }
    cases.push("a buffer and itself", |r| {
        let a = r.input("a", &[65], 1.0);
        r.tape.mul("out", a, a, 1.0);
    });
    // More workgroups of 64 than WebGPU allows along an axis.
    cases.push("n=4194305", |r| {
        let (a, b) = (r.input("a", &[4_194_305], 1.0), r.input("b", &[4_194_305], 1.0));
        r.tape.add("out", a, b);
    });
}

fn last_row(cases: &mut Cases) {
    for (b, t, d) in [(1, 1, 1), (2, 1, 65), (3, 5, 7), (1, 33, 257)] {
        cases.push(&format!("B={b} T={t} D={d}"), |r| {
            let x = r.input("x", &[b, t, d], 1.0);
            r.tape.last_row("out", x);
        });
        cases.push(&format!("B={b} T={t} D={d}"), |r| {
            let dy = r.input("dy", &[b, d], 1.0);
            r.tape.last_row_grad("out", dy, t);
        });
    }
}

fn gather_dot(cases: &mut Cases) {
    for (n, k, d, v) in
        [(1, 1, 1, 1), (2, 2, 48, 65), (3, 5, 257, 7), (33, 3, 5, 2), (1, 2, 768, 9)]
    {
        for more in [0, 2] {
            cases.push(&format!("N={n}+{more} K={k} D={d} V={v}"), |r| {
                let (x, w) = (r.input("x", &[n, d], 1.0), r.weight("w", &[v, d]));
                let ids = r.ids(&[n + more, k], v);
                r.tape.gather_dot("out", x, w, ids);
            });
            cases.push(&format!("N={n}+{more} K={k} D={d} V={v}"), |r| {
                let (dy, w) = (r.input("dy", &[n, k], 1.0), r.weight("w", &[v, d]));
                let ids = r.ids(&[n + more, k], v);
                r.tape.gather_dot_grad("out", dy, w, ids);
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_op_has_cases_and_they_differ() {
        let cases = all();
        let ops: BTreeSet<_> = cases.iter().map(|case| case.op().name()).collect();
        assert_eq!(ops, Op::NAMES.into_iter().collect());
        let names: BTreeSet<_> = cases.iter().map(|case| &case.name).collect();
        assert_eq!(names.len(), cases.len());
    }

    fn outputs(tape: &Tape, feed: &Feed, change: impl Fn(&mut Vec<f32>)) -> Outputs {
        let values = reference::run(tape, feed).unwrap();
        Outputs::new(
            tape.outputs()
                .iter()
                .map(|&buf| {
                    let mut values = values.f32(buf);
                    change(&mut values);
                    (buf, values)
                })
                .collect(),
        )
    }

    #[test]
    fn the_rounded_reference_passes() {
        check_all(|tape, feed| Ok(outputs(tape, feed, |_| ()))).unwrap();
    }

    #[test]
    fn every_case_fails_on_a_slightly_wrong_value_a_nan_or_an_error() {
        let total = all().len();
        // Twice what any op is allowed, or more.
        let spoilers: [fn(&mut Vec<f32>); 3] = [
            |values| {
                let largest = values.iter().copied().map(f32::abs).fold(0.0, f32::max);
                if let Some(last) = values.last_mut() {
                    *last += 2e-5 * largest + 2e-5;
                }
            },
            |values| values[0] = f32::NAN,
            |values| values.push(0.0),
        ];
        for spoil in spoilers {
            let report = check_all(|tape, feed| Ok(outputs(tape, feed, spoil))).unwrap_err();
            assert!(report.starts_with(&format!("{total} of {total} cases failed")), "{report}");
        }
        let report = check_all(|_, _| Err("lost".to_owned())).unwrap_err();
        assert!(report.starts_with(&format!("{total} of {total} cases failed")));
        assert!(report.contains("linear J=2097153: lost"));
    }
}
