//! Ops that are done together by one dispatch.

use pollster::block_on;
use relp_gpu::{Gpu, Norm, Tuning, Variant};
use relp_tape::{Feed, Slope, Tape};
use relp_tests::compare::Tolerance;
use relp_tests::op_cases::Random;

use super::{assert_as_reference, gpu, random_values, upload};

/// A product with each of the ops that are done with it, whose results the reference has too.
fn with_epilogues(rows: usize, inner: usize, cols: usize, keeps: bool) -> (Tape, Feed) {
    let (mut tape, mut feed) = (Tape::new(), Feed::new());
    let mut random = Random::new(3);
    let mut given = |tape: &mut Tape, name: &str, shape: &[usize], is_weight: bool| {
        random_values(tape, &mut feed, &mut random, (name, shape, is_weight))
    };
    let x = given(&mut tape, "x", &[rows, inner], false);
    let w = given(&mut tape, "w", &[inner, cols], true);
    let w_t = given(&mut tape, "w_t", &[cols, inner], true);
    let bias = given(&mut tape, "bias", &[cols], true);
    // An operand with more rows than the product, as a backward pass has it.
    let act = given(&mut tape, "act", &[rows + 2, cols], false);
    let resid = given(&mut tape, "resid", &[rows, cols], false);
    let mut products = vec![tape.linear("gelu of", x, w, Some(bias))];
    let mut results = vec![tape.gelu("gelu", products[0])];
    products.push(tape.linear("sum of", x, w, None));
    results.push(tape.add("sum", resid, products[1]));
    products.push(tape.linear_t("sum of transposed", x, w_t, 0, Some(act)));
    results.push(tape.add("sum 2", products[2], act));
    for slope in [Slope::Derivative, Slope::Ratio] {
        let product = tape.linear_t("slope of", x, w_t, 0, None);
        products.push(product);
        results.push(tape.gelu_grad("slope", product, act, slope));
    }
    results.into_iter().for_each(|buf| tape.output(buf));
    products.into_iter().filter(|_| keeps).for_each(|buf| tape.output(buf));
    (tape, feed)
}

#[test]
fn what_is_done_with_a_product_matches_the_reference() {
    let mut gpu = gpu();
    for variant in Variant::ALL {
        gpu.tune(Tuning::all(variant));
        for (rows, inner, cols) in [(1, 3, 5), (5, 68, 36), (37, 130, 68), (66, 16, 131)] {
            for keeps in [false, true] {
                let (tape, feed) = with_epilogues(rows, inner, cols, keeps);
                upload(&mut gpu, &tape, &feed).unwrap();
                let mut plan = block_on(gpu.plan(&tape)).unwrap();
                assert_eq!(plan.progress(), (0, 5), "a dispatch each");
                let found = block_on(gpu.run(&mut plan, &feed)).unwrap();
                let tolerance = Tolerance { relative: 1e-5, absolute: 1e-6 };
                let what = format!("{variant} {rows}×{inner}×{cols}");
                assert_as_reference(&what, (&tape, &feed), &found, tolerance);
            }
        }
    }
}

/// A norm and a product of it, with GELU or not, of which `asked` says what else is read: the product, or what the norm's
/// gradient reads.
fn normed(rows: usize, inner: usize, gelu: bool, asked: bool) -> (Tape, Feed) {
    let (mut tape, mut feed) = (Tape::new(), Feed::new());
    let mut random = Random::new(5);
    let mut given = |tape: &mut Tape, name: &str, shape: &[usize], is_weight: bool| {
        random_values(tape, &mut feed, &mut random, (name, shape, is_weight))
    };
    let x = given(&mut tape, "x", &[rows, inner], false);
    let gain = given(&mut tape, "gain", &[inner], true);
    let shift = given(&mut tape, "shift", &[inner], true);
    let w = given(&mut tape, "w", &[inner, 69], true);
    let bias = given(&mut tape, "bias", &[69], true);
    let dy = given(&mut tape, "dy", &[rows, inner], false);
    let (norm, stats) = tape.layer_norm("norm", x, gain, shift, 1e-5);
    let y = tape.linear("y", norm, w, (rows > 1).then_some(bias));
    if gelu {
        let post = tape.gelu("gelu", y);
        tape.output(post);
    }
    if asked || !gelu {
        tape.output(y);
    }
    if asked {
        let dx = tape.layer_norm_grad("dx", dy, x, stats, gain, None, false);
        tape.output(stats);
        tape.output(dx);
    }
    (tape, feed)
}

#[test]
fn a_norm_within_a_product_is_that_before_it_to_the_bit() {
    let [mut gpu, mut limited] = [gpu(), gpu()];
    limited.promise_buffers_alone();
    let within = Tuning::all(Variant::Split);
    let before = Tuning { norm: Norm::Before, ..within };
    for (rows, inner) in [(1, 1), (3, 6), (5, 768), (9, 70), (37, 257)] {
        for (gelu, asked) in [(false, false), (false, true), (true, false), (true, true)] {
            let (tape, feed) = normed(rows, inner, gelu, asked);
            let what = format!("{rows}×{inner} gelu: {gelu}, asked: {asked}");
            let run = |gpu: &mut Gpu, tuning: Tuning, dispatches: usize| {
                gpu.tune(tuning);
                upload(gpu, &tape, &feed).unwrap();
                let mut plan = block_on(gpu.plan(&tape)).unwrap();
                assert_eq!(plan.progress().1, dispatches + usize::from(asked), "{what}");
                block_on(gpu.run(&mut plan, &feed)).unwrap()
            };
            let found = run(&mut gpu, within, 1);
            assert_eq!(found, run(&mut gpu, before, 2), "{what}");
            // Of GELU, if the product is read too, there are nine buffers.
            let dispatches = if gelu && asked { 2 } else { 1 };
            assert_eq!(found, run(&mut limited, within, dispatches), "{what}");
            // Rows of one value are no more than their rounding, normed.
            let tolerance = Tolerance { relative: 1e-4, absolute: 1e-5 };
            assert_as_reference(&what, (&tape, &feed), &found, tolerance);
        }
    }
}

/// Attention, of which the pattern is asked for or not; then there and back, and two scores: what else is done by one
/// dispatch.
#[test]
fn ops_in_one_match_the_reference() {
    let mut gpu = gpu();
    for (positions, heads, width) in [(1, 1, 3), (7, 3, 5), (70, 2, 66), (65, 2, 4), (1030, 1, 4)] {
        for dispatches in [1, 3] {
            let (mut tape, mut feed) = (Tape::new(), Feed::new());
            let d = heads * width;
            let mut random = Random::new(4);
            let mut input = |tape: &mut Tape, name: &str, shape: &[usize]| {
                random_values(tape, &mut feed, &mut random, (name, shape, false))
            };
            let qkv = input(&mut tape, "qkv", &[2, positions, 3 * d]);
            let pattern = tape.attention_pattern("pattern", qkv, heads);
            let z = tape.attention_mix("z", pattern, qkv);
            tape.output(z);
            if dispatches == 3 {
                let dz = input(&mut tape, "dz", &[1, positions, d]);
                let dp = tape.attention_mix_grad_pattern("dp", dz, qkv, heads);
                let ds = tape.softmax_grad("ds", dp, pattern);
                let scores = [
                    tape.delta_dot("of a head", z, dz, 0, heads),
                    tape.delta_dot("of another", z, dz, 0, heads),
                ];
                for buf in [pattern, dp, ds].into_iter().chain(scores) {
                    tape.output(buf);
                }
            }
            let mut plan = block_on(gpu.plan(&tape)).unwrap();
            assert_eq!(plan.progress(), (0, dispatches));
            let found = block_on(gpu.run(&mut plan, &feed)).unwrap();
            let tolerance = Tolerance { relative: 1e-5, absolute: 1e-6 };
            let what = format!("{positions} positions, {heads}×{width}");
            assert_as_reference(&what, (&tape, &feed), &found, tolerance);
        }
    }
}
