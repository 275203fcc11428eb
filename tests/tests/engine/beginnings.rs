//! What is not computed of prompts that begin alike makes no difference.

use std::slice;

use relp_cpu::Cpu;
use relp_model::{
    Attribution, Computation, Direction, Method, Pair, Recipe, Replace, Request, Rules, Site, Token,
};
use relp_tape::{Beginnings, Content, Feed, Needed, Op, Outputs, Rows, Tape, reference};
use relp_tests::compare::{Tolerance, assert_close};

use crate::goldens::{Golden, request};
use crate::ops::cpu;

const POSITIONS: usize = 6;

/// Prompts that have so many tokens in common.
fn pair(common: usize) -> Pair {
    let token = |id: usize| Token { id: id as u32, text: String::new() };
    let clean: Vec<Token> = (0..POSITIONS).map(|t| token(3 + 5 * t % 7)).collect();
    let differing = (common..POSITIONS).map(|t| token(20 + t));
    let corrupted = clean[..common].iter().cloned().chain(differing).collect();
    Pair { clean, corrupted, answers: vec![token(5)], foils: vec![token(6)] }
}

fn compare(golden: &Golden, tape: &Tape, feed: Feed, what: &str) -> Outputs {
    compare_on(|tape, feed| cpu::run(tape, feed).unwrap(), golden, tape, feed, what)
}

fn compare_on(
    run: impl FnOnce(&Tape, &Feed) -> Outputs,
    golden: &Golden,
    tape: &Tape,
    mut feed: Feed,
    what: &str,
) -> Outputs {
    golden.feed_weights(tape, &mut feed);
    let expected = reference::run(tape, &feed).unwrap();
    let found = run(tape, &feed);
    for &buf in tape.outputs() {
        let what = format!("{what}: {}", tape.name(buf));
        assert_close(&what, expected.f64(buf), found.get(buf), Tolerance::GOLDEN);
    }
    found
}

/// All that a request takes, of prompts that have so much in common.
fn compare_all(
    mut run: impl FnMut(&Tape, &Feed) -> Outputs,
    golden: &Golden,
    request: &Request,
    common: usize,
) {
    let pair = pair(common);
    let recipe = Recipe::new(request, &pair);
    for part in recipe.parts(&golden.config) {
        let computation = recipe.record(&golden.config, &part);
        let feed = computation.feed(&pair, request.direction);
        let what = format!("{:?}, {:?}, {common}", request.method, request.replace);
        compare_on(&mut run, golden, computation.tape(), feed, &what);
    }
}

/// A run in which everything becomes NaN, and one like it after which nothing may be.
struct AfterNan<'a> {
    golden: &'a Golden,
    computation: Computation,
    pair: Pair,
}

impl<'a> AfterNan<'a> {
    fn all(golden: &'a Golden) -> impl Iterator<Item = Self> {
        let asked = every_request().filter(|request| request.direction == Direction::Denoise);
        asked.flat_map(move |request| {
            let pair = pair(3);
            let recipe = Recipe::new(&request, &pair);
            let parts = recipe.parts(&golden.config).into_iter();
            let recorded = parts.map(move |part| recipe.record(&golden.config, &part));
            recorded.map(move |computation| Self { golden, computation, pair: pair.clone() })
        })
    }

    fn tape(&self) -> &Tape {
        self.computation.tape()
    }

    /// The golden's weights, but of the last token, which is in no prompt.
    fn weights(&self) -> Vec<(String, Vec<f32>)> {
        let (n_vocab, d) = (self.golden.config.n_vocab, self.golden.config.d_model);
        let tape = self.tape();
        let mut feed = Feed::new();
        self.golden.feed_weights(tape, &mut feed);
        let weights = tape.bufs().filter(|(_, info)| info.content == Content::Weight);
        let weights = weights.map(|(buf, info)| {
            let mut values = feed.get_values(tape, buf).unwrap().to_vec();
            if tape.shape(buf) == [n_vocab, d] {
                values[(n_vocab - 1) * d..].fill(f32::NAN);
            }
            (info.name.clone(), values)
        });
        weights.collect()
    }

    fn check(&self, mut run: impl FnMut(&Feed) -> Outputs) {
        let (tape, n_vocab) = (self.tape(), self.golden.config.n_vocab);
        let broken = Token { id: n_vocab as u32 - 1, text: String::new() };
        let with_broken = |prompt: &[Token]| [slice::from_ref(&broken), &prompt[1..]].concat();
        let pair = &self.pair;
        let (clean, corrupted) = (with_broken(&pair.clean), with_broken(&pair.corrupted));
        let of_nan = Pair { clean, corrupted, ..pair.clone() };
        let found = run(&self.computation.feed(&of_nan, Direction::Denoise));
        assert!(found.first_not_finite().is_some(), "nothing was NaN");
        let mut feed = self.computation.feed(pair, Direction::Denoise);
        let found = run(&feed);
        self.golden.feed_weights(tape, &mut feed);
        let expected = reference::run(tape, &feed).unwrap();
        // The logit of the broken token is NaN.
        for &buf in tape.outputs().iter().filter(|&&buf| tape.info(buf).cols() != n_vocab) {
            assert_close(tape.name(buf), expected.f64(buf), found.get(buf), Tolerance::GOLDEN);
        }
    }
}

#[test]
fn what_earlier_runs_left_in_rows_that_are_not_computed_reaches_nothing() {
    let [golden, _] = Golden::all();
    for case in AfterNan::all(&golden) {
        let mut cpu = Cpu::new();
        case.weights().iter().for_each(|(name, values)| cpu.set_weight(name, values));
        let mut plan = cpu.plan(case.tape()).unwrap();
        case.check(|feed| plan.run(feed).unwrap());
    }
}

fn every_request() -> impl Iterator<Item = Request> {
    let all = Method::ALL.into_iter().flat_map(|method| {
        Direction::ALL.into_iter().flat_map(move |direction| {
            Replace::ALL.into_iter().map(move |replace| {
                let sites = Site::PATCHED.into_iter();
                let sites = sites.filter(|&site| replace != Replace::Mean || site != Site::Pattern);
                let sites: Vec<Site> = sites.collect();
                // Of RelP; the other methods have none.
                let rules = Rules::RELP;
                Request { replace, rules, ..request(method, direction, &sites) }
            })
        })
    });
    all.filter(|request| request.check().is_ok())
}

#[test]
fn every_method_finds_the_same_whatever_prompts_have_in_common() {
    let [golden, _] = Golden::all();
    for request in every_request() {
        for common in [0, 1, 3, POSITIONS - 1, POSITIONS] {
            compare_all(|tape, feed| cpu::run(tape, feed).unwrap(), &golden, &request, common);
        }
    }
}

#[test]
fn a_batch_has_beginnings_of_its_own_for_every_pair() {
    let [golden, _] = Golden::all();
    let pairs = [pair(2), pair(POSITIONS), pair(0), pair(4)];
    for direction in Direction::ALL {
        let request = request(Method::Relp, direction, &Site::PAPER);
        let recipe = Recipe::new(&request, &pairs[0]);
        let attribution = Attribution::record(&golden.config, pairs.len(), &recipe);
        let feed = attribution.feed(&pairs, direction);
        let found = compare(&golden, attribution.tape(), feed, "a batch");
        for (run, common) in attribution.read(&found, direction).iter().zip([2, POSITIONS, 0, 4]) {
            for scores in run.scores.values() {
                let of_layers = scores.chunks(POSITIONS).map(|layer| layer.split_at(common));
                let (before, after): (Vec<_>, Vec<_>) = of_layers.unzip();
                assert!(before.concat().iter().all(|score| *score == 0.0), "{before:?}");
                // Of the first layer all count.
                assert!(after[0].iter().all(|score| *score != 0.0), "{after:?}");
            }
        }
    }
}

fn rows(tape: &Tape) -> Vec<(&'static str, Rows)> {
    let needed = Needed::of(tape);
    tape.ops().iter().enumerate().map(|(at, op)| (op.name(), needed.rows(at))).collect()
}

#[test]
fn ops_compute_no_more_than_is_needed() {
    let [golden, _] = Golden::all();
    let layers = golden.config.n_layer;
    let of = |request: &Request| {
        let recipe = Recipe::new(request, &pair(3));
        let [part] = &recipe.parts(&golden.config)[..] else { panic!("it is one tape") };
        rows(recipe.record(&golden.config, part).tape())
    };
    let relp = request(Method::Relp, Direction::Denoise, &Site::PAPER);
    let found = of(&relp);
    let many = |found: &[(&str, Rows)], name: &str, of: Rows| {
        found.iter().filter(|found| **found == (name, of)).count()
    };
    // Of the forward pass.
    assert_eq!(many(&found, "linear", Rows::Distinct), 4 * layers);
    assert_eq!(many(&found, "linear", Rows::All), 0);
    assert_eq!(many(&found, "linear_t", Rows::All), 1, "the logits, of the last position alone");
    for (name, each) in [("layer_norm", 2), ("gelu", 1), ("attention_pattern", 1)] {
        assert!(many(&found, name, Rows::Distinct) >= each * layers, "{name}");
        assert_eq!(many(&found, name, Rows::All), usize::from(each == 2), "{name}: the last alone");
    }
    assert_eq!(many(&found, "attention_mix", Rows::Distinct), layers);
    // Of the backward pass, in which queries and keys on the one hand, values on the other, are products of their own.
    assert_eq!(many(&found, "linear_t", Rows::Differing), 5 * layers);
    assert_eq!(many(&found, "delta_dot", Rows::Differing), 3 * layers, "of every site");
    for name in ["gelu_grad", "attention_mix_grad_v", "attention_mix_grad_pattern", "softmax_grad"]
    {
        assert_eq!(many(&found, name, Rows::Differing), layers, "{name}");
    }

    let differing =
        |request: &Request| of(request).iter().filter(|(_, rows)| *rows == Rows::Differing).count();
    let ablated = Request { replace: Replace::Zero, ..relp.clone() };
    assert_eq!(differing(&ablated), 0, "zeros differ at every position");
    let by_tokens = Request { method: Method::GradXInput, ..relp };
    assert_eq!(differing(&by_tokens), 0, "no token is one");
}

#[test]
fn a_coefficient_that_is_asked_for_is_computed_whole() {
    let [golden, _] = Golden::all();
    let recipe = Recipe::new(&request(Method::Relp, Direction::Denoise, &Site::PAPER), &pair(3));
    let attribution = Attribution::record(&golden.config, 1, &recipe);
    let mut tape = attribution.tape().clone();
    let last = tape.ops().iter().rev().find_map(|op| match *op {
        Op::LinearT { out, .. } => Some(out),
        _ => None,
    });
    tape.output(last.unwrap());
    let at = tape.ops().iter().position(|op| op.writes() == [last.unwrap()]).unwrap();
    let before = &rows(&tape)[..=at];
    assert!(before.iter().all(|(_, rows)| *rows != Rows::Differing), "all lead to it: {before:?}");
    compare(&golden, &tape, attribution.feed(&[pair(3)], Direction::Denoise), "a coefficient");
}

#[test]
fn rows_are_computed_once_and_copied_from_where_they_are() {
    let tokens = [1, 2, 3, 4, 1, 2, 9, 4, 1, 2, 9, 9, 5, 2, 3, 4];
    let beginnings = Beginnings::of(&tokens, 4);
    assert_eq!(beginnings.computed(Rows::All, 16), vec![0..16; 1]);
    assert_eq!(beginnings.computed(Rows::Distinct, 16), [0..4, 6..8, 11..12, 12..16]);
    let copied: Vec<_> = beginnings.copied().filter(|(rows, _)| !rows.is_empty()).collect();
    assert_eq!(copied, [(0..2, 4), (4..7, 8)]);
    // The first two are base runs, the last two their source runs.
    assert_eq!(beginnings.computed(Rows::Differing, 8), [2..4, 4..8]);
    assert_eq!(beginnings.computed(Rows::Differing, 16), [2..4, 4..8, 10..12, 12..16]);
}

mod gpu {
    use pollster::block_on;
    use relp_gpu::{Tuning, Variant};

    use super::*;
    use crate::ops::gpu::{gpu, run};

    #[test]
    fn every_method_finds_the_same_whatever_prompts_have_in_common() {
        let [golden, _] = Golden::all();
        let mut gpu = gpu();
        let asked = every_request().filter(|request| request.direction == Direction::Denoise);
        for (request, variant) in asked.zip(Variant::ALL.into_iter().cycle()) {
            gpu.tune(Tuning::all(variant));
            for common in [0, 3, POSITIONS] {
                compare_all(
                    |tape, feed| run(&mut gpu, tape, feed).unwrap(),
                    &golden,
                    &request,
                    common,
                );
            }
        }
    }

    #[test]
    fn a_batch_has_beginnings_of_its_own_for_every_pair() {
        let [golden, _] = Golden::all();
        let pairs = [pair(2), pair(POSITIONS), pair(0), pair(4)];
        let recipe = Recipe::new(&request(Method::Relp, Direction::Noise, &Site::PAPER), &pairs[0]);
        let attribution = Attribution::record(&golden.config, pairs.len(), &recipe);
        let feed = attribution.feed(&pairs, Direction::Noise);
        for variant in Variant::ALL {
            let mut gpu = gpu();
            gpu.tune(Tuning::all(variant));
            let run = |tape: &Tape, feed: &Feed| run(&mut gpu, tape, feed).unwrap();
            compare_on(run, &golden, attribution.tape(), feed.clone(), variant.name());
        }
    }

    #[test]
    fn what_earlier_runs_left_in_rows_that_are_not_computed_reaches_nothing() {
        let [golden, _] = Golden::all();
        let mut gpu = gpu();
        for case in AfterNan::all(&golden) {
            for (name, values) in case.weights() {
                gpu.set_weight(&name, &values).unwrap();
            }
            let mut plan = block_on(gpu.plan(case.tape())).unwrap();
            case.check(|feed| block_on(gpu.run(&mut plan, feed)).unwrap());
        }
    }
}
