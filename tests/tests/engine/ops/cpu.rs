//! The CPU executor.

use relp_cpu::{Cpu, CpuError};
use relp_tape::{Buf, Content, Feed, FeedError, Outputs, Piece, Storage, Tape};
use relp_tests::op_cases;

/// How matrices may lie: row by row, in panels as wide as natively and as in a browser, and in some that are no multiple
/// of anything.
pub(crate) const PANELS: [Option<usize>; 4] = [None, Some(64), Some(12), Some(5)];

/// Gives the weights of `feed`, plans the tape and runs it.
pub(crate) fn run(tape: &Tape, feed: &Feed) -> Result<Outputs, CpuError> {
    run_on(Cpu::new(), tape, feed)
}

/// The same on an executor without weights.
pub(crate) fn run_on(mut cpu: Cpu, tape: &Tape, feed: &Feed) -> Result<Outputs, CpuError> {
    for (buf, info) in tape.bufs() {
        if info.content == Content::Weight {
            cpu.set_weight(&info.name, feed.get_values(tape, buf)?);
        }
    }
    cpu.plan(tape)?.run(feed)
}

#[test]
fn every_op_matches_the_reference() {
    for panels in PANELS {
        let report = op_cases::check_all(|tape, feed| {
            run_on(Cpu::with_panels(panels), tape, feed).map_err(|error| error.to_string())
        });
        report.unwrap_or_else(|report| panic!("panels {panels:?}: {report}"));
    }
}

#[cfg(target_arch = "x86_64")]
#[test]
fn every_op_matches_the_reference_with_narrow_vectors() {
    assert!(relp_cpu::narrow_vectors(), "this processor lacks AVX2");
    let run = |tape: &Tape, feed: &Feed| run(tape, feed).map_err(|error| error.to_string());
    op_cases::check_all(run).unwrap_or_else(|report| panic!("{report}"));
}

/// What was multiplied with may be read row by row by the next tape, and the other way round; plans made before keep
/// what they had.
#[test]
fn a_matrix_is_brought_into_the_order_that_a_tape_reads() {
    let values: Vec<f32> = (0..5 * 16).map(|at| at as f32).collect();
    let mut product = Tape::new();
    let (x, w) = (product.input("x", &[1, 1, 5]), product.weight("w", &[5, 16]));
    let out = product.linear("out", x, w, None);
    product.output(out);
    let mut rows = Tape::new();
    let (ids, w) = (rows.ids("ids", &[1, 1], 5), rows.weight("w", &[5, 16]));
    let positions = rows.weight("p", &[1, 16]);
    let embedded = rows.embed("embedded", ids, w, positions);
    rows.output(embedded);
    let mut feed = Feed::new();
    feed.values(x, vec![0.0, 0.0, 0.0, 1.0, 0.0]);
    let mut of_ids = Feed::new();
    of_ids.ids(ids, vec![3]);

    for panels in PANELS {
        let mut cpu = Cpu::with_panels(panels);
        cpu.set_weight("w", &values);
        cpu.set_weight("p", &[0.0; 16]);
        let mut first = cpu.plan(&product).unwrap();
        let mut second = cpu.plan(&rows).unwrap();
        let mut third = cpu.plan(&product).unwrap();
        for plan in [&mut first, &mut third] {
            assert_eq!(plan.run(&feed).unwrap().get(out), &values[48..64], "{panels:?}");
        }
        assert_eq!(second.run(&of_ids).unwrap().get(embedded), &values[48..64], "{panels:?}");
    }
}

/// The bits of values that halves hold exactly.
pub(crate) fn bits(values: &[f32]) -> Vec<u16> {
    values.iter().map(|&x| half::f16::from_f32(x).to_bits()).collect()
}

#[test]
fn every_op_matches_the_reference_with_halves() {
    let cases = op_cases::with_halves();
    assert!(cases.len() > 50, "{}", cases.len());
    for panels in PANELS {
        let report = op_cases::check_each(&cases, |case| with_halves(panels, case));
        report.unwrap_or_else(|report| panic!("panels {panels:?}: {report}"));
    }
}

fn with_halves(panels: Option<usize>, case: &op_cases::Case) -> Result<Outputs, String> {
    let mut cpu = Cpu::with_panels(panels);
    let halves = op_cases::halves(case);
    for (buf, info) in case.tape.bufs() {
        if info.content != Content::Weight {
            continue;
        }
        let values = case.feed.get_values(&case.tape, buf).unwrap();
        if halves.contains(&buf) {
            cpu.reserve_weight(&info.name, values.len(), Storage::F16);
            // In two pieces.
            let bits = bits(values);
            let (first, rest) = bits.split_at(bits.len() / 2);
            cpu.write_weight(&info.name, 0, Piece::F16(first)).unwrap();
            cpu.write_weight(&info.name, first.len(), Piece::F16(rest)).unwrap();
        } else {
            cpu.set_weight(&info.name, values);
        }
    }
    let run = cpu.plan(&case.tape).and_then(|mut plan| plan.run(&case.feed));
    run.map_err(|error| error.to_string())
}

#[test]
fn pieces_that_do_not_fit_and_halves_in_a_wrong_place_are_refused() {
    let mut cpu = Cpu::new();
    let long = CpuError::Weight { name: "w".to_owned(), expected: 3, found: 2 };
    cpu.reserve_weight("w", 2, Storage::F32);
    assert_eq!(cpu.write_weight("w", 1, Piece::F32(&[1.0, 2.0])), Err(long));
    assert!(cpu.write_weight("w", 0, Piece::F16(&[0, 0])).is_err());
    assert!(cpu.write_weight("v", 0, Piece::F32(&[0.0])).is_err());
    let mut tape = Tape::new();
    let x = tape.input("x", &[1, 2]);
    let gain = tape.weight("gain", &[2]);
    let bias = tape.weight("bias", &[2]);
    tape.layer_norm("y", x, gain, bias, 1e-5);
    cpu.reserve_weight("gain", 2, Storage::F16);
    cpu.set_weight("bias", &[0.0; 2]);
    let halves = CpuError::Halves { name: "gain".to_owned(), op: "layer_norm" };
    assert_eq!(cpu.plan(&tape).err(), Some(halves));
}

#[test]
fn a_plan_runs_again_and_again() {
    let mut tape = Tape::new();
    let x = tape.input("x", &[2, 3]);
    let w = tape.weight("w", &[3, 2]);
    let y = tape.linear("y", x, w, None);
    let z = tape.add("z", y, y);
    tape.output(z);
    let mut cpu = Cpu::new();
    cpu.set_weight("w", &[1.0; 6]);
    let mut plan = cpu.plan(&tape).unwrap();
    for factor in [1.0, 2.0, -1.0] {
        let mut feed = Feed::new();
        feed.values(x, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0].map(|x: f32| x * factor).to_vec());
        let expected = [12.0, 12.0, 30.0, 30.0].map(|x| x * factor);
        assert_eq!(plan.run(&feed).unwrap().get(z), expected);
    }
}

#[test]
fn what_does_not_fit_is_named() {
    let mut tape = Tape::new();
    let ids = tape.ids("ids", &[1, 2], 3);
    let tokens = tape.weight("wte", &[3, 2]);
    let places = tape.weight("wpe", &[2, 2]);
    let out = tape.embed("out", ids, tokens, places);
    tape.output(out);
    let mut cpu = Cpu::new();
    cpu.set_weight("wte", &[0.0; 6]);
    let missing = CpuError::Weight { name: "wpe".to_owned(), expected: 4, found: 0 };
    assert_eq!(cpu.plan(&tape).err(), Some(missing));
    cpu.set_weight("wpe", &[0.0; 4]);
    let mut plan = cpu.plan(&tape).unwrap();
    let none = FeedError::Length { name: "ids".to_owned(), expected: 2, found: None };
    assert_eq!(plan.run(&Feed::new()), Err(none.into()));
    let mut feed = Feed::new();
    feed.ids(ids, vec![0, 3]);
    let outside = FeedError::Id { name: "ids".to_owned(), id: 3, below: 3 };
    assert_eq!(plan.run(&feed), Err(outside.into()));
}

/// x · w, which stays, and what is made of it.
fn in_two_parts(after: impl Fn(&mut Tape, Buf) -> Buf) -> (Tape, Buf, Buf) {
    let mut tape = Tape::new();
    let x = tape.input("x", &[1, 2]);
    let w = tape.weight("w", &[2, 2]);
    let product = tape.linear("product", x, w, None);
    tape.keep(vec![product]);
    let out = after(&mut tape, product);
    tape.output(out);
    (tape, x, out)
}

fn given(x: Buf, of: f32) -> Feed {
    let mut feed = Feed::new();
    feed.values(x, vec![of, -of]);
    feed
}

#[test]
fn a_plan_beside_another_computes_only_what_comes_after_their_forward_part() {
    let mut cpu = Cpu::new();
    cpu.set_weight("w", &[2.0, 0.0, 0.0, 2.0]);
    let (tape, x, gelu) = in_two_parts(|tape, product| tape.gelu("gelu", product));
    let mut first = cpu.plan(&tape).unwrap();
    let expected = first.run(&given(x, 1.0)).unwrap();
    assert_eq!(first.progress(), (2, 2));

    let (other, _, sum) = in_two_parts(|tape, product| tape.add("sum", product, product));
    let mut beside = cpu.plan_beside(&other, [&first]).unwrap();
    assert_eq!(beside.run(&given(x, 1.0)).unwrap().get(sum), [4.0, -4.0]);
    assert_eq!(beside.progress(), (1, 1));
    assert_eq!(first.run(&given(x, 1.0)).unwrap().get(gelu), expected.get(gelu));
    assert_eq!(first.progress(), (1, 1));
    // −0 is not 0 to every op.
    first.run(&given(x, 0.0)).unwrap();
    assert_eq!(beside.run(&given(x, -0.0)).unwrap().get(sum), [0.0, 0.0]);
    assert_eq!(beside.progress(), (2, 2));

    // Either may go before the other.
    drop(first);
    assert_eq!(beside.run(&given(x, 3.0)).unwrap().get(sum), [12.0, -12.0]);
    // Of other weights nothing is taken.
    cpu.set_weight("w", &[0.0; 4]);
    let mut new = cpu.plan_beside(&other, [&beside]).unwrap();
    assert_eq!(new.run(&given(x, 3.0)).unwrap().get(sum), [0.0, 0.0]);
}

#[test]
#[should_panic(expected = "another run has begun in the same memory")]
fn a_run_does_not_go_on_in_what_another_has_written() {
    let mut cpu = Cpu::new();
    cpu.set_weight("w", &[1.0; 4]);
    let (tape, x, _) = in_two_parts(|tape, product| tape.gelu("gelu", product));
    let mut first = cpu.plan(&tape).unwrap();
    let mut beside = cpu.plan_beside(&tape, [&first]).unwrap();
    first.start(&given(x, 1.0)).unwrap();
    first.step();
    beside.run(&given(x, 2.0)).unwrap();
    first.step();
}
