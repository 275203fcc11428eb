//! The backward pass against central differences of the reference, and the rules against their
//! formulas.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use relp_lrp::{Gradients, Rules, backward};
use relp_tape::reference::{self, Values};
use relp_tape::{Buf, Feed, Measure, Tape};
use relp_tests::compare::{Tolerance, assert_close};
use relp_tests::op_cases::Random;

/// What is moved are multiples of 2⁻¹⁰ below 2, so that this step is exact in `f32`.
const STEP: f64 = 1.0 / 16_384.0;

/// Central differences in `f64` are off by STEP²/6 = 6e-10 of the third derivative.
const DIFFERENCES: Tolerance = Tolerance { relative: 1e-6, absolute: 1e-8 };

/// Equal but for the rounding of `f64`.
const ROUNDING: Tolerance = Tolerance { relative: 1e-12, absolute: 1e-14 };

/// df/dx by central differences.
fn differences(x: &[f64], f: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let moved = |i: usize, by: f64| {
        let mut x = x.to_vec();
        x[i] += by;
        f(&x)
    };
    (0..x.len()).map(|i| (moved(i, STEP) - moved(i, -STEP)) / (2.0 * STEP)).collect()
}

/// A tape and its feed, recorded together. The values of a buffer depend on the seed and on which
/// buffer it is; a shorter one gets the first of them.
#[derive(Debug)]
pub(crate) struct Net {
    pub(crate) tape: Tape,
    pub(crate) feed: Feed,
    seed: u64,
}

impl Net {
    fn new(seed: u64) -> Self {
        Self { tape: Tape::new(), feed: Feed::new(), seed }
    }

    fn input(&mut self, name: &str, shape: &[usize]) -> Buf {
        let buf = self.tape.input(name, shape);
        self.fill(buf, |random| (random.unit() * 2048.0).round() / 1024.0);
        buf
    }

    fn weight(&mut self, name: &str, shape: &[usize]) -> Buf {
        let buf = self.tape.weight(name, shape);
        self.fill(buf, Random::unit);
        buf
    }

    fn ids(&mut self, shape: &[usize], below: u32) -> Buf {
        let buf = self.tape.ids("ids", shape, below);
        let (n, mut random) = (self.tape.info(buf).len(), self.random(buf));
        self.feed.ids(buf, (0..n).map(|_| random.below(below)).collect());
        buf
    }

    fn fill(&mut self, buf: Buf, mut value: impl FnMut(&mut Random) -> f32) {
        let (n, mut random) = (self.tape.info(buf).len(), self.random(buf));
        self.feed.values(buf, (0..n).map(|_| value(&mut random)).collect::<Vec<_>>());
    }

    fn random(&self, buf: Buf) -> Random {
        Random::new(self.seed.wrapping_add(buf.index() as u64))
    }

    /// What was fed.
    fn fed(&self, buf: Buf) -> Vec<f64> {
        let values = self.feed.get_values(&self.tape, buf).unwrap();
        values.iter().copied().map(f64::from).collect()
    }

    /// d Σ dy · y / dx.
    fn differences(&self, x: Buf, y: Buf, dy: &[f64]) -> Vec<f64> {
        differences(&self.fed(x), |moved| {
            let mut feed = self.feed.clone();
            feed.values(x, moved.iter().map(|&x| x as f32).collect::<Vec<_>>());
            dot(reference::run(&self.tape, &feed).unwrap().f64(y), dy)
        })
    }

    /// Records the backward pass of `y` from an input for its coefficient, and runs all.
    fn backward(&mut self, y: Buf, wanted: &[Buf], rules: Rules) -> Backward {
        let shape = self.tape.shape(y).to_vec();
        let dy = self.input("dy", &shape);
        let gradients = backward(&mut self.tape, &[(y, dy)], wanted, rules);
        let values = reference::run(&self.tape, &self.feed).unwrap();
        Backward { dy: self.fed(dy), gradients, values }
    }

    /// Compares the plain gradient with differences.
    fn check(mut self, y: Buf, wanted: &[Buf]) {
        let back = self.backward(y, wanted, Rules::NONE);
        for &x in wanted {
            let expected = self.differences(x, y, &back.dy);
            assert_close(self.tape.name(x), &expected, &back.of(&self.tape, x), DIFFERENCES);
        }
    }
}

/// A backward pass that was run.
struct Backward {
    dy: Vec<f64>,
    gradients: Gradients,
    values: Values,
}

impl Backward {
    /// The coefficient of `x`, put together from its blocks.
    fn of(&self, tape: &Tape, x: Buf) -> Vec<f64> {
        let blocks = self.gradients.blocks(x);
        assert!(!blocks.is_empty(), "{} has no coefficient", tape.name(x));
        let cols = tape.info(x).cols();
        let mut dx = vec![0.0; tape.info(x).len()];
        for block in blocks {
            let width = tape.info(block.buf).cols();
            for (row, values) in self.values.f64(block.buf).chunks(width).enumerate() {
                dx[row * cols + block.first_col..][..width].copy_from_slice(values);
            }
        }
        dx
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// ½(1 + tanh(√(2/π)(x + 0.044715 x³)))
fn gelu_over_x(x: f64) -> f64 {
    0.5 * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3))).tanh())
}

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 32,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(0),
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn linear(seed: u64, rows in 1..4_usize, i in 1..6_usize, j in 1..6_usize) {
        let mut net = Net::new(seed);
        let x = net.input("x", &[rows, i]);
        let (w, bias) = (net.weight("w", &[i, j]), net.weight("bias", &[j]));
        let y = net.tape.linear("y", x, w, Some(bias));
        net.check(y, &[x]);
    }

    #[test]
    fn linear_t(seed: u64, rows in 1..4_usize, c in 1..6_usize, i in 1..6_usize) {
        let mut net = Net::new(seed);
        let x = net.input("x", &[rows, c]);
        let w = net.weight("w", &[i, c]);
        let y = net.tape.linear_t("y", x, w, 0, None);
        net.check(y, &[x]);
    }

    #[test]
    fn layer_norm(seed: u64, rows in 1..4_usize, d in 1..7_usize) {
        let mut net = Net::new(seed);
        let x = net.input("x", &[rows, d]);
        let (gain, bias) = (net.weight("gain", &[d]), net.weight("bias", &[d]));
        let (y, _) = net.tape.layer_norm("y", x, gain, bias, 0.05);
        net.check(y, &[x]);
    }

    #[test]
    fn attention_pattern(
        seed: u64, b in 1..3_usize, h in 1..3_usize, t in 1..5_usize, e in 1..4_usize,
    ) {
        let mut net = Net::new(seed);
        let qkv = net.input("qkv", &[b, t, 3 * h * e]);
        let y = net.tape.attention_pattern("y", qkv, h);
        net.check(y, &[qkv]);
    }

    #[test]
    fn attention_mix(
        seed: u64, b in 1..3_usize, h in 1..3_usize, t in 1..5_usize, e in 1..4_usize,
    ) {
        let mut net = Net::new(seed);
        let pattern = net.input("pattern", &[b, h, t, t]);
        let qkv = net.input("qkv", &[b, t, 3 * h * e]);
        let y = net.tape.attention_mix("y", pattern, qkv);
        net.check(y, &[pattern, qkv]);
    }

    /// The blocks of q and k, and of v, come from two ops.
    #[test]
    fn attention(seed: u64, b in 1..3_usize, h in 1..3_usize, t in 1..5_usize, e in 1..4_usize) {
        let mut net = Net::new(seed);
        let qkv = net.input("qkv", &[b, t, 3 * h * e]);
        let pattern = net.tape.attention_pattern("pattern", qkv, h);
        let y = net.tape.attention_mix("y", pattern, qkv);
        net.check(y, &[qkv]);
    }

    #[test]
    fn gelu(seed: u64, n in 1..9_usize) {
        let mut net = Net::new(seed);
        let x = net.input("x", &[n]);
        let y = net.tape.gelu("y", x);
        net.check(y, &[x]);
    }

    #[test]
    fn add(seed: u64, n in 1..5_usize) {
        let mut net = Net::new(seed);
        let (a, b) = (net.input("a", &[2, n]), net.input("b", &[2, n]));
        let y = net.tape.add("y", a, b);
        let y = net.tape.add("y + a", y, a);
        net.check(y, &[a, b]);
    }

    #[test]
    fn mul(seed: u64, n in 1..5_usize, scale in -2.0..2.0_f32) {
        let mut net = Net::new(seed);
        let (a, b) = (net.input("a", &[2, n]), net.input("b", &[2, n]));
        let y = net.tape.mul("y", a, b, scale);
        let y = net.tape.mul("y · a", y, a, 1.0);
        net.check(y, &[a, b]);
    }

    #[test]
    fn last_row(seed: u64, b in 1..3_usize, t in 1..5_usize, d in 1..5_usize) {
        let mut net = Net::new(seed);
        let x = net.input("x", &[b, t, d]);
        let y = net.tape.last_row("y", x);
        net.check(y, &[x]);
    }

    #[test]
    fn gather_dot(seed: u64, n in 1..4_usize, k in 1..4_usize, d in 1..5_usize, v in 1..6_usize) {
        let mut net = Net::new(seed);
        let (x, w) = (net.input("x", &[n, d]), net.weight("w", &[v, d]));
        let ids = net.ids(&[n, k], v as u32);
        let y = net.tape.gather_dot("y", x, w, ids);
        net.check(y, &[x]);
    }

    #[test]
    fn metric(
        seed: u64, n in 1..4_usize, v in 3..9_usize, answers in 1..3_usize, foils in 0..2_usize,
        measure in prop::sample::select(vec![
            Measure::LogProb, Measure::ProbDiff, Measure::Divergence,
        ]),
    ) {
        let mut net = Net::new(seed);
        let logits = net.input("logits", &[n, v]);
        // Which is a constant.
        let clean = net.input("clean", &[2, v]);
        let clean_rows = net.ids(&[n], 2);
        let targets = net.tape.ids("targets", &[n, answers + foils], v as u32);
        let ids = (0..n).flat_map(|row| (0..answers + foils).map(move |k| ((row + k) % v) as u32));
        net.feed.ids(targets, ids.collect());
        let y = net.tape.metric("y", logits, (clean, clean_rows), targets, answers, measure);
        net.check(y, &[logits]);
    }

    #[test]
    fn the_ln_rule_is_the_gradient_at_a_constant_scale(
        seed: u64, rows in 1..4_usize, d in 2..7_usize,
    ) {
        let mut net = Net::new(seed);
        let x = net.input("x", &[rows, d]);
        let (gain, bias) = (net.weight("gain", &[d]), net.weight("bias", &[d]));
        let (y, stats) = net.tape.layer_norm("y", x, gain, bias, 1e-5);
        let back = net.backward(y, &[x], Rules { ln: true, ..Rules::NONE });
        let (gain, bias) = (net.fed(gain), net.fed(bias));
        let inv_sigma: Vec<f64> = back.values.f64(stats).chunks(2).map(|row| row[1]).collect();

        let expected = differences(&net.fed(x), |x| {
            let mut y = Vec::new();
            for (x, inv_sigma) in x.chunks(d).zip(&inv_sigma) {
                let mean = x.iter().sum::<f64>() / d as f64;
                y.extend((0..d).map(|i| (x[i] - mean) * inv_sigma * gain[i] + bias[i]));
            }
            dot(&y, &back.dy)
        });
        assert_close("dx", &expected, &back.of(&net.tape, x), DIFFERENCES);
    }

    #[test]
    fn the_identity_rule_is_the_ratio(seed: u64, n in 1..9_usize) {
        let mut net = Net::new(seed);
        let x = net.input("x", &[n]);
        let y = net.tape.gelu("y", x);
        let back = net.backward(y, &[x], Rules { identity: true, ..Rules::NONE });
        let ratios = net.fed(x).into_iter().map(gelu_over_x);
        let expected: Vec<f64> = back.dy.iter().zip(ratios).map(|(dy, ratio)| dy * ratio).collect();
        let dx = back.of(&net.tape, x);
        assert_close("dx", &expected, &dx, ROUNDING);
        // All that y gets is x's.
        assert_close("x·dx", &[dot(back.values.f64(y), &back.dy)], &[dot(&net.fed(x), &dx)], ROUNDING);
    }

    #[test]
    fn the_half_rule_gives_each_factor_half(seed: u64, n in 1..9_usize, scale in -2.0..2.0_f32) {
        let record = |rules| {
            let mut net = Net::new(seed);
            let (a, b) = (net.input("a", &[n]), net.input("b", &[n]));
            let y = net.tape.mul("y", a, b, scale);
            let back = net.backward(y, &[a, b], rules);
            let (da, db) = (back.of(&net.tape, a), back.of(&net.tape, b));
            let shares = [(net.fed(a), da.clone()), (net.fed(b), db.clone())];
            let shared: f64 = shares.iter().map(|(x, dx)| dot(x, dx)).sum();
            ([da, db].concat(), shared, dot(back.values.f64(y), &back.dy))
        };
        let (plain, ..) = record(Rules::NONE);
        let (halved, shared, given) = record(Rules { half: true, ..Rules::NONE });
        let expected: Vec<f64> = plain.iter().map(|dx| dx / 2.0).collect();
        // The scale is an `f32`, so that half of it is exact.
        assert_close("half", &expected, &halved, ROUNDING);
        assert_close("a·da + b·db", &[given], &[shared], Tolerance { absolute: 1e-12, ..ROUNDING });
    }

    #[test]
    fn the_ah_rule_is_the_gradient_of_the_values_alone(
        seed: u64, b in 1..3_usize, h in 1..3_usize, t in 1..5_usize, e in 1..4_usize,
    ) {
        let mut net = Net::new(seed);
        let d = h * e;
        let qkv = net.input("qkv", &[b, t, 3 * d]);
        let pattern = net.tape.attention_pattern("pattern", qkv, h);
        let y = net.tape.attention_mix("y", pattern, qkv);
        let back = net.backward(y, &[qkv], Rules { ah: true, ..Rules::NONE });

        let mut frozen = Net::new(seed);
        let same_qkv = frozen.input("qkv", &[b, t, 3 * d]);
        let constant = frozen.tape.input("pattern", &[b, h, t, t]);
        frozen.feed.values(constant, back.values.f32(pattern));
        let y = frozen.tape.attention_mix("y", constant, same_qkv);
        let expected = frozen.differences(same_qkv, y, &back.dy);
        // The constant pattern is rounded to `f32`.
        let tolerance = Tolerance { relative: 1e-6, absolute: 1e-7 };
        assert_close("d qkv", &expected, &back.of(&net.tape, qkv), tolerance);
        // Nothing to q and k, not even a 0.
        let first_cols: Vec<_> = back.gradients.blocks(qkv).iter().map(|b| b.first_col).collect();
        prop_assert_eq!(first_cols, [2 * d]);
    }

    #[test]
    fn a_network(seed: u64) {
        let Network { net, x, y } = Network::new(seed, 2);
        net.check(y, &[x]);
    }

    #[test]
    fn the_first_half_of_a_batch_alone(seed: u64) {
        for rules in [Rules::NONE, Rules::RELP, Rules { ah: true, ..Rules::RELP }] {
            let Halves { whole, alone } = Halves::new(seed, rules);
            let run = |(net, dx): &(Net, Buf)| {
                reference::run(&net.tape, &net.feed).unwrap().f64(*dx).to_vec()
            };
            prop_assert_eq!(run(&whole), run(&alone));
        }
    }
}

#[test]
fn at_zero_the_identity_rule_is_a_half() {
    let mut net = Net::new(0);
    let x = net.input("x", &[1]);
    net.feed.values(x, vec![0.0]);
    let y = net.tape.gelu("y", x);
    let back = net.backward(y, &[x], Rules { identity: true, ..Rules::NONE });
    assert_eq!(back.of(&net.tape, x), [back.dy[0] / 2.0]);
}

/// One block of a transformer with a gated MLP, a residual stream and all that follows it.
struct Network {
    net: Net,
    x: Buf,
    y: Buf,
}

impl Network {
    fn new(seed: u64, sequences: usize) -> Self {
        const T: usize = 4;
        const D: usize = 6;
        const HIDDEN: usize = 5;
        let mut net = Net::new(seed);
        let norms = ["1", "2", "f"].map(|name| {
            let [gain, bias] =
                ["gain", "bias"].map(|part| net.weight(&format!("ln{name}.{part}"), &[D]));
            (gain, bias)
        });
        let (w_qkv, b_qkv) = (net.weight("qkv.w", &[D, 3 * D]), net.weight("qkv.b", &[3 * D]));
        let (w_z, b_z) = (net.weight("z.w", &[D, D]), net.weight("z.b", &[D]));
        let (w_in, w_gate) = (net.weight("in.w", &[D, HIDDEN]), net.weight("gate.w", &[D, HIDDEN]));
        let w_out = net.weight("out.w", &[HIDDEN, D]);
        let tokens = net.weight("tokens", &[7, D]);
        let ids = net.ids(&[sequences, 2], 7);
        let x = net.input("x", &[sequences, T, D]);

        let tape = &mut net.tape;
        let norm = |tape: &mut Tape, i: usize, x| {
            let (gain, bias) = norms[i];
            tape.layer_norm("ln", x, gain, bias, 0.05).0
        };
        let normed = norm(tape, 0, x);
        let qkv = tape.linear("qkv", normed, w_qkv, Some(b_qkv));
        let pattern = tape.attention_pattern("pattern", qkv, 2);
        let z = tape.attention_mix("z", pattern, qkv);
        let attention = tape.linear("attention", z, w_z, Some(b_z));
        let middle = tape.add("middle", x, attention);
        let normed = norm(tape, 1, middle);
        let hidden = tape.linear("hidden", normed, w_in, None);
        let hidden = tape.gelu("gelu", hidden);
        let gate = tape.linear("gate", normed, w_gate, None);
        let gated = tape.mul("gated", hidden, gate, 0.75);
        let mlp = tape.linear("mlp", gated, w_out, None);
        let end = tape.add("end", middle, mlp);
        let normed = norm(tape, 2, end);
        let last = tape.last_row("last", normed);
        let y = tape.gather_dot("y", last, tokens, ids);
        Self { net, x, y }
    }
}

/// A backward pass of the first two sequences of a batch of four, and of these two alone; each with
/// the coefficient of its input, the only output.
pub(crate) struct Halves {
    pub(crate) whole: (Net, Buf),
    pub(crate) alone: (Net, Buf),
}

impl Halves {
    pub(crate) fn new(seed: u64, rules: Rules) -> Self {
        let record = |sequences| {
            let Network { mut net, x, y } = Network::new(seed, sequences);
            let dy = net.input("dy", &[2, net.tape.info(y).cols()]);
            let dx = backward(&mut net.tape, &[(y, dy)], &[x], rules).get(x).unwrap();
            net.tape.output(dx);
            (net, dx)
        };
        Self { whole: record(4), alone: record(2) }
    }
}
