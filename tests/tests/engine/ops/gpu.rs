//! The GPU executor. A missing adapter fails these tests; to skip them is a choice to be made.

mod fused;
mod listed;

use pollster::block_on;
use relp_gpu::{Counts, Gpu, GpuError, Tuning, Variant};
use relp_lrp::Rules;
use relp_model::{Recipe, Request};
use relp_tape::{Buf, Content, Feed, FeedError, Outputs, Piece, Slope, Storage, Tape, reference};
use relp_tests::compare::{Tolerance, assert_close};
use relp_tests::op_cases::{self, Random};

use crate::derivatives::{Halves, Net};
use crate::goldens::Golden;

/// The adapter that the tests run on.
pub(crate) fn gpu() -> Gpu {
    block_on(Gpu::request()).unwrap_or_else(|error| {
        panic!("{error}. To test without a GPU: cargo xtask test --without gpu")
    })
}

/// Uploads the weights of `feed`.
fn upload(gpu: &mut Gpu, tape: &Tape, feed: &Feed) -> Result<(), GpuError> {
    for (buf, info) in tape.bufs() {
        if info.content == Content::Weight {
            gpu.set_weight(&info.name, feed.get_values(tape, buf)?)?;
        }
    }
    Ok(())
}

/// The same, then plans the tape and runs it.
pub(crate) fn run(gpu: &mut Gpu, tape: &Tape, feed: &Feed) -> Result<Outputs, GpuError> {
    upload(gpu, tape, feed)?;
    let mut plan = block_on(gpu.plan(tape))?;
    block_on(gpu.run(&mut plan, feed))
}

/// A weight or an input of random values.
fn random_values(
    tape: &mut Tape,
    feed: &mut Feed,
    random: &mut Random,
    (name, shape, is_weight): (&str, &[usize], bool),
) -> Buf {
    let buf = if is_weight { tape.weight(name, shape) } else { tape.input(name, shape) };
    let n = shape.iter().product();
    feed.values(buf, (0..n).map(|_| random.unit()).collect::<Vec<_>>());
    buf
}

/// Compares all outputs with the reference's.
fn assert_as_reference(
    what: &str,
    (tape, feed): (&Tape, &Feed),
    found: &Outputs,
    tolerance: Tolerance,
) {
    let expected = reference::run(tape, feed).unwrap();
    for &buf in tape.outputs() {
        let what = format!("{what}: {}", tape.name(buf));
        assert_close(&what, expected.f64(buf), found.get(buf), tolerance);
    }
}

#[test]
fn every_op_matches_the_reference() {
    let mut gpu = gpu();
    let report = op_cases::check_all(|tape, feed| {
        run(&mut gpu, tape, feed).map_err(|error| error.to_string())
    });
    report.unwrap_or_else(|report| panic!("on {:?}, {report}", gpu.adapter()));
}

/// The cases of matrix products, but for the one that is there for its many columns.
fn products(mut cases: Vec<op_cases::Case>) -> Vec<op_cases::Case> {
    cases.retain(|case| {
        case.op().name().starts_with("linear")
            && case.tape.bufs().all(|(_, info)| info.len() < 1 << 20)
    });
    cases
}

#[test]
fn every_variant_of_a_product_matches_the_reference() {
    let mut gpu = gpu();
    for variant in Variant::ALL {
        gpu.tune(Tuning::all(variant));
        let report = op_cases::check_each(&products(op_cases::all()), |case| {
            run(&mut gpu, &case.tape, &case.feed).map_err(|error| error.to_string())
        });
        report.unwrap_or_else(|report| panic!("{variant}, {report}"));
    }
}

/// A run that went wrong has to be seen: no weight stands in for one that is no number.
#[test]
fn a_score_that_is_no_number_reaches_what_attends_to_it() {
    let mut gpu = gpu();
    let (mut tape, mut feed) = (Tape::new(), Feed::new());
    let qkv = tape.input("qkv", &[1, 3, 12]);
    let mut values = vec![0.5; 36];
    // The second key.
    values[12 + 4] = f32::NAN;
    feed.values(qkv, values);
    let pattern = tape.attention_pattern("pattern", qkv, 1);
    let z = tape.attention_mix("z", pattern, qkv);
    let queries = tape.ids("queries", &[2], 3);
    let keys = tape.ids("keys", &[2, 2], 4);
    feed.ids(queries, vec![0, 2]).ids(keys, vec![0, 3, 0, 1]);
    let flat = tape.input("flat", &[3, 12]);
    feed.values(flat, feed.get_values(&tape, qkv).unwrap().to_vec());
    let rows = tape.attention_rows("rows", flat, queries, keys, 1);
    tape.output(z);
    tape.output(rows);
    let found = run(&mut gpu, &tape, &feed).unwrap();
    let is_nan = |buf: Buf| found.get(buf).iter().map(|value| value.is_nan()).collect::<Vec<_>>();
    assert_eq!(is_nan(z), [[false; 4], [true; 4], [true; 4]].concat());
    assert_eq!(is_nan(rows), [[false; 4], [true; 4]].concat());
}

/// Weights as halves, in several buffers, and both.
#[test]
fn every_op_matches_the_reference_however_its_weights_are_kept() {
    let mut gpu = gpu();
    for (variant, storage, parts) in [
        (Variant::Direct, Storage::F16, 1),
        (Variant::Direct, Storage::F32, 3),
        (Variant::Split, Storage::F16, 2),
        (Variant::Tile, Storage::F16, 1),
        (Variant::WideTile, Storage::F32, 2),
    ] {
        gpu.tune(Tuning::all(variant));
        // Half a million columns are no other case, and take long.
        let mut cases = op_cases::with_halves();
        cases.retain(|case| case.tape.bufs().all(|(_, info)| info.len() < 1 << 20));
        let report = op_cases::check_each(&cases, |case| {
            let halves = op_cases::halves(case);
            for (buf, info) in case.tape.bufs() {
                if info.content != Content::Weight {
                    continue;
                }
                let values = case.feed.get_values(&case.tape, buf).unwrap();
                gpu.split_weights_at(u64::MAX);
                if !halves.contains(&buf) {
                    gpu.set_weight(&info.name, values).unwrap();
                    continue;
                }
                let bytes = if storage == Storage::F16 { 2 } else { 4 };
                gpu.split_weights_at((bytes * values.len().div_ceil(parts) as u64).max(4) + 4);
                gpu.reserve_weight(&info.name, values.len(), storage).unwrap();
                let bits = super::cpu::bits(values);
                let half = values.len() / 4 * 2;
                for (at, end) in [(0, half), (half, values.len())] {
                    let piece = match storage {
                        Storage::F16 => Piece::F16(&bits[at..end]),
                        Storage::F32 => Piece::F32(&values[at..end]),
                    };
                    gpu.write_weight(&info.name, at, piece).unwrap();
                }
            }
            let mut plan = block_on(gpu.plan(&case.tape)).map_err(|error| error.to_string())?;
            block_on(gpu.run(&mut plan, &case.feed)).map_err(|error| error.to_string())
        });
        report.unwrap_or_else(|report| panic!("{variant}, {storage:?} in {parts}, {report}"));
    }
}

/// Many ops in one pass, each waiting for the ones before it.
#[test]
fn a_network_and_its_backward_match_the_reference() {
    let mut gpu = gpu();
    for rules in [Rules::NONE, Rules::RELP, Rules { ah: true, ..Rules::RELP }] {
        let (net, dx) = Halves::new(7, rules).whole;
        let expected = reference::run(&net.tape, &net.feed).unwrap();
        let found = run(&mut gpu, &net.tape, &net.feed).unwrap();
        let tolerance = Tolerance { relative: 1e-5, absolute: 0.0 };
        assert_close(&rules.to_string(), expected.f64(dx), found.get(dx), tolerance);
    }
}

#[test]
fn the_first_half_of_a_batch_comes_out_the_same_alone() {
    let mut gpu = gpu();
    for rules in [Rules::NONE, Rules::RELP, Rules { ah: true, ..Rules::RELP }] {
        let Halves { whole, alone } = Halves::new(7, rules);
        let mut run =
            |(net, dx): (Net, Buf)| run(&mut gpu, &net.tape, &net.feed).unwrap().get(dx).to_vec();
        assert_eq!(run(whole), run(alone), "{rules}");
    }
}

/// `x` [rows, 300] on its way through the ops with sums along a row; all results are outputs.
fn row_ops(x: &[f32], rows: usize) -> (Tape, Feed) {
    let (mut tape, mut feed) = (Tape::new(), Feed::new());
    let mut random = Random::new(1);
    let mut weight = |tape: &mut Tape, name, shape: &[usize]| {
        let buf = tape.weight(name, shape);
        let n = shape.iter().product();
        feed.values(buf, (0..n).map(|_| random.unit()).collect::<Vec<_>>());
        buf
    };
    let (w, w_t) = (weight(&mut tape, "w", &[300, 70]), weight(&mut tape, "w_t", &[70, 300]));
    let (gain, bias) = (weight(&mut tape, "gain", &[300]), weight(&mut tape, "bias", &[300]));
    let input = tape.input("x", &[rows, 300]);
    feed.values(input, x.to_vec());
    let (normed, stats) = tape.layer_norm("normed", input, gain, bias, 1e-5);
    let linear = tape.linear("linear", normed, w, None);
    let linear_t = tape.linear_t("linear_t", normed, w_t, 0, None);
    let grad = tape.layer_norm_grad("grad", normed, input, stats, gain, None, false);
    for buf in [normed, stats, linear, linear_t, grad] {
        tape.output(buf);
    }
    (tape, feed)
}

#[test]
fn a_row_comes_out_the_same_to_the_bit_whatever_other_rows_there_are() {
    const ROWS: usize = 70;
    let mut gpu = gpu();
    let mut random = Random::new(2);
    let x: Vec<f32> = (0..ROWS * 300).map(|_| random.unit()).collect();
    let mut run = |x: &[f32], variant| {
        gpu.tune(Tuning::all(variant));
        let (tape, feed) = row_ops(x, x.len() / 300);
        let outputs = run(&mut gpu, &tape, &feed).unwrap();
        tape.outputs().iter().map(|&buf| outputs.get(buf).to_vec()).collect::<Vec<_>>()
    };
    let all = run(&x, Variant::Tile);
    for (first, count) in [(0, 1), (1, 1), (31, 1), (32, 1), (69, 1), (0, 33), (5, 15), (40, 30)] {
        // All variants add up in the same order.
        for variant in Variant::ALL {
            let some = run(&x[first * 300..][..count * 300], variant);
            for (all, some) in all.iter().zip(some) {
                let cols = all.len() / ROWS;
                let expected = &all[first * cols..][..count * cols];
                assert_eq!(expected, some, "{variant}: rows {first}+{count}");
            }
        }
    }
}

/// `y = a · w + b`, with `a` and `b` inputs of n elements and `w` the weight [n, n].
fn small(n: usize) -> (Tape, [Buf; 3], Buf) {
    let mut tape = Tape::new();
    let (a, b) = (tape.input("a", &[1, n]), tape.input("b", &[1, n]));
    let w = tape.weight(&format!("w{n}"), &[n, n]);
    let product = tape.linear("product", a, w, None);
    let y = tape.add("y", product, b);
    tape.output(y);
    (tape, [a, b, w], y)
}

/// With w = 2 · 1, y = 2a + b.
fn set_twice_identity(gpu: &mut Gpu, n: usize) {
    let w: Vec<f32> = (0..n * n).map(|i| if i / n == i % n { 2.0 } else { 0.0 }).collect();
    gpu.set_weight(&format!("w{n}"), &w).unwrap();
}

#[test]
fn a_second_run_builds_nothing() {
    let mut gpu = gpu();
    set_twice_identity(&mut gpu, 3);
    let (tape, [a, b, _], y) = small(3);
    let mut plan = block_on(gpu.plan(&tape)).unwrap();
    assert_eq!(gpu.counts(), Counts { pipelines: 1, submits: 0, readbacks: 0 });
    for run in 1..4 {
        let mut feed = Feed::new();
        feed.values(a, vec![1.0, 2.0, run as f32]).values(b, vec![0.5; 3]);
        let outputs = block_on(gpu.run(&mut plan, &feed)).unwrap();
        assert_eq!(outputs.get(y), [2.5, 4.5, 2.0 * run as f32 + 0.5]);
        assert_eq!(gpu.counts(), Counts { pipelines: 1, submits: run, readbacks: run });
    }
}

/// What a browser builds while weights come, for prompts of another length.
#[test]
fn what_was_foreseen_need_not_be_built_when_it_is_planned() {
    let [golden, _] = Golden::all();
    let mut gpu = gpu();
    // As on a GPU; a software adapter has one variant for all.
    gpu.tune(Tuning::usual(false));
    let recorded = |positions: usize| {
        let recipe = Recipe::of_length(&Request::default(), positions);
        let [part] = &recipe.parts(&golden.config)[..] else { panic!("it is one tape") };
        recipe.record(&golden.config, part).tape().clone()
    };
    let tape = recorded(golden.config.n_ctx.min(16));
    for (_, info) in tape.bufs().filter(|(_, info)| info.content == Content::Weight) {
        gpu.reserve_weight(&info.name, info.len(), Storage::F32).unwrap();
    }
    gpu.foresee(&tape);
    let built = gpu.counts();
    assert!(built.pipelines > 10, "{built:?}");
    for positions in [4, golden.config.n_ctx.min(15)] {
        block_on(gpu.plan(&recorded(positions))).unwrap();
        assert_eq!(gpu.counts(), built, "of {positions} tokens");
    }
}

/// Both prompts forward, and one back: what a person waits for each time.
#[test]
fn a_repeated_relp_run_is_one_submit_and_one_readback() {
    let mut gpu = gpu();
    let (net, dx) = Halves::new(7, Rules::RELP).whole;
    upload(&mut gpu, &net.tape, &net.feed).unwrap();
    let mut plan = block_on(gpu.plan(&net.tape)).unwrap();
    assert!(plan.progress().1 < net.tape.ops().len(), "ops are done together");
    let first = block_on(gpu.run(&mut plan, &net.feed)).unwrap();
    let before = gpu.counts();
    let again = block_on(gpu.run(&mut plan, &net.feed)).unwrap();
    let Counts { pipelines, submits, readbacks } = before;
    let after = Counts { pipelines, submits: submits + 1, readbacks: readbacks + 1 };
    assert_eq!(gpu.counts(), after);
    assert_eq!(first.get(dx), again.get(dx));
}

#[test]
fn plans_live_side_by_side_and_grow() {
    let mut gpu = gpu();
    let sizes = [1, 100, 3];
    let mut plans = Vec::new();
    for n in sizes {
        set_twice_identity(&mut gpu, n);
        let (tape, bufs, y) = small(n);
        plans.push((n, block_on(gpu.plan(&tape)).unwrap(), bufs, y));
    }
    for round in 0..2 {
        for (n, plan, [a, b, _], y) in &mut plans {
            let mut feed = Feed::new();
            feed.values(*a, vec![round as f32; *n]).values(*b, vec![*n as f32; *n]);
            let outputs = block_on(gpu.run(plan, &feed)).unwrap();
            assert_eq!(outputs.get(*y), vec![2.0 * round as f32 + *n as f32; *n]);
        }
    }
    assert_eq!(gpu.counts(), Counts { pipelines: 2, submits: 6, readbacks: 6 });
}

#[test]
fn a_new_weight_is_for_new_plans() {
    let mut gpu = gpu();
    set_twice_identity(&mut gpu, 1);
    let (tape, [a, b, _], y) = small(1);
    let mut old = block_on(gpu.plan(&tape)).unwrap();
    gpu.set_weight("w1", &[10.0]).unwrap();
    let mut new = block_on(gpu.plan(&tape)).unwrap();
    let mut feed = Feed::new();
    feed.values(a, vec![1.0]).values(b, vec![0.0]);
    assert_eq!(block_on(gpu.run(&mut old, &feed)).unwrap().get(y), [2.0]);
    assert_eq!(block_on(gpu.run(&mut new, &feed)).unwrap().get(y), [10.0]);
}

#[test]
fn a_plan_beside_another_computes_only_what_comes_after_their_forward_part() {
    let mut gpu = gpu();
    set_twice_identity(&mut gpu, 3);
    // By itself, a GELU would be done with the product before it.
    let (tape, x, _) = in_two_parts(|tape, product| tape.gelu("gelu", product));
    let mut first = block_on(gpu.plan(&tape)).unwrap();
    let feed = |of: f32| {
        let mut feed = Feed::new();
        feed.values(x, vec![of, 0.0, -of]);
        feed
    };
    let expected = block_on(gpu.run(&mut first, &feed(1.0))).unwrap();
    assert_eq!(first.progress(), (2, 2), "the parts are not done together");

    let (other, _, sum) = in_two_parts(|tape, product| tape.add("sum", product, product));
    let mut beside = block_on(gpu.plan_beside(&other, [&first])).unwrap();
    let mut counts = gpu.counts();
    assert_eq!(block_on(gpu.run(&mut beside, &feed(1.0))).unwrap().get(sum), [4.0, 0.0, -4.0]);
    assert_eq!(beside.progress(), (1, 1));
    (counts.submits, counts.readbacks) = (counts.submits + 1, counts.readbacks + 1);
    assert_eq!(gpu.counts(), counts);
    assert_eq!(block_on(gpu.run(&mut first, &feed(1.0))).unwrap(), expected);
    assert_eq!(first.progress(), (1, 1));

    // Either may compute what both have, and go before the other.
    assert_eq!(block_on(gpu.run(&mut beside, &feed(2.0))).unwrap().get(sum), [8.0, 0.0, -8.0]);
    assert_eq!(beside.progress(), (2, 2));
    block_on(gpu.run(&mut first, &feed(1.0))).unwrap();
    assert_eq!(first.progress(), (2, 2));
    drop(first);
    assert_eq!(block_on(gpu.run(&mut beside, &feed(1.0))).unwrap().get(sum), [4.0, 0.0, -4.0]);
    assert_eq!(beside.progress(), (1, 1));

    // Of other weights or another GPU nothing is taken.
    gpu.set_weight("w3", &[0.0; 9]).unwrap();
    let mut new = block_on(gpu.plan_beside(&other, [&beside])).unwrap();
    assert_eq!(block_on(gpu.run(&mut new, &feed(1.0))).unwrap().get(sum), [0.0; 3]);
    let mut elsewhere = self::gpu();
    set_twice_identity(&mut elsewhere, 3);
    let mut plan = block_on(elsewhere.plan_beside(&other, [&beside])).unwrap();
    block_on(elsewhere.run(&mut plan, &feed(1.0))).unwrap();
    assert_eq!(plan.progress(), (2, 2));
}

/// x · w3, which stays, and what is made of it.
fn in_two_parts(after: impl Fn(&mut Tape, Buf) -> Buf) -> (Tape, Buf, Buf) {
    let mut tape = Tape::new();
    let x = tape.input("x", &[1, 3]);
    let w = tape.weight("w3", &[3, 3]);
    let product = tape.linear("product", x, w, None);
    tape.keep(vec![product]);
    let out = after(&mut tape, product);
    tape.output(out);
    (tape, x, out)
}

#[test]
fn a_missing_or_mismatched_weight_is_an_error() {
    let mut gpu = gpu();
    let (tape, ..) = small(3);
    let error = block_on(gpu.plan(&tape)).unwrap_err();
    assert_eq!(error, GpuError::MissingWeight("w3".to_owned()));
    gpu.set_weight("w3", &[0.0; 8]).unwrap();
    let error = block_on(gpu.plan(&tape)).unwrap_err();
    let name = "w3".to_owned();
    assert_eq!(error, GpuError::WeightLength { name, expected: 9, found: 8 });
    // Neither spoils what comes after.
    set_twice_identity(&mut gpu, 3);
    block_on(gpu.plan(&tape)).unwrap();
}

#[test]
fn a_tensor_over_the_limit_is_an_error_that_names_it() {
    let mut gpu = gpu();
    let limit = gpu.adapter().max_tensor_bytes;
    let elements = (limit / 4 + 1) as usize;
    let bytes = 4 * elements as u64;
    // A weight may lie in four buffers.
    let error = gpu.reserve_weight("big", 4 * elements, Storage::F32).unwrap_err();
    let (bytes_of_weight, limit_of_weight) = (4 * bytes, 4 * limit);
    let too_large =
        |name: &str, bytes, limit| GpuError::TooLarge { name: name.to_owned(), bytes, limit };
    assert_eq!(error, too_large("big", bytes_of_weight, limit_of_weight));
    assert!(error.to_string().contains(&format!("big takes {bytes_of_weight} bytes")));

    let mut tape = Tape::new();
    let dy = tape.input("dy", &[1, 1]);
    tape.last_row_grad("far", dy, elements);
    let error = block_on(gpu.plan(&tape)).unwrap_err();
    assert_eq!(error, too_large("far", bytes, limit));
}

#[test]
fn a_feed_that_does_not_fit_is_an_error() {
    let mut gpu = gpu();
    let mut tape = Tape::new();
    let ids = tape.ids("ids", &[1, 2], 3);
    let w = tape.weight("w", &[3, 1]);
    let x = tape.input("x", &[1, 1]);
    let y = tape.gather_dot("y", x, w, ids);
    tape.output(y);
    gpu.set_weight("w", &[1.0, 2.0, 3.0]).unwrap();
    let mut plan = block_on(gpu.plan(&tape)).unwrap();

    let length = |name: &str, expected, found| {
        GpuError::Feed(FeedError::Length { name: name.to_owned(), expected, found })
    };
    let mut feed = Feed::new();
    feed.ids(ids, vec![0, 2]);
    assert_eq!(block_on(gpu.run(&mut plan, &feed)), Err(length("x", 1, None)));
    feed.values(x, vec![1.0, 1.0]);
    assert_eq!(block_on(gpu.run(&mut plan, &feed)), Err(length("x", 1, Some(2))));
    feed.values(x, vec![1.0]).ids(ids, vec![0, 3]);
    let name = "ids".to_owned();
    let error = GpuError::Feed(FeedError::Id { name, id: 3, below: 3 });
    assert_eq!(block_on(gpu.run(&mut plan, &feed)), Err(error));
    assert_eq!(gpu.counts().submits, 0);
    feed.ids(ids, vec![0, 2]);
    assert_eq!(block_on(gpu.run(&mut plan, &feed)).unwrap().get(y), [1.0, 3.0]);
}

#[test]
fn a_plan_of_another_gpu_is_an_error() {
    let (mut gpu, mut other) = (gpu(), gpu());
    set_twice_identity(&mut other, 1);
    let (tape, [a, b, _], _) = small(1);
    let mut plan = block_on(other.plan(&tape)).unwrap();
    let mut feed = Feed::new();
    feed.values(a, vec![1.0]).values(b, vec![0.0]);
    assert_eq!(block_on(gpu.run(&mut plan, &feed)), Err(GpuError::ForeignPlan));
    block_on(other.run(&mut plan, &feed)).unwrap();
}

#[test]
fn a_tape_without_outputs_runs() {
    let mut gpu = gpu();
    let tape = Tape::new();
    let mut plan = block_on(gpu.plan(&tape)).unwrap();
    assert_eq!(block_on(gpu.run(&mut plan, &Feed::new())), Ok(Outputs::default()));
}

#[test]
fn the_ratio_of_gelu_at_zero_is_exactly_a_half() {
    let mut gpu = gpu();
    let (mut tape, mut feed) = (Tape::new(), Feed::new());
    let (dy, x) = (tape.input("dy", &[2]), tape.input("x", &[2]));
    let dx = tape.gelu_grad("dx", dy, x, Slope::Ratio);
    tape.output(dx);
    feed.values(dy, vec![1.0, 3.0]).values(x, vec![0.0, -0.0]);
    assert_eq!(run(&mut gpu, &tape, &feed).unwrap().get(dx), [0.5, 1.5]);
}
