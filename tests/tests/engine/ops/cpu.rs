//! The CPU executor.

use relp_cpu::{Cpu, CpuError};
use relp_tape::{Content, Feed, FeedError, Outputs, Tape};
use relp_tests::op_cases;

/// Gives the weights of `feed`, plans the tape and runs it.
pub(crate) fn run(tape: &Tape, feed: &Feed) -> Result<Outputs, CpuError> {
    let mut cpu = Cpu::new();
    for (buf, info) in tape.bufs() {
        if info.content == Content::Weight {
            cpu.set_weight(&info.name, feed.get_values(tape, buf)?.to_vec());
        }
    }
    cpu.plan(tape)?.run(feed)
}

#[test]
fn every_op_matches_the_reference() {
    let report =
        op_cases::check_all(|tape, feed| run(tape, feed).map_err(|error| error.to_string()));
    report.unwrap_or_else(|report| panic!("{report}"));
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
    cpu.set_weight("w", vec![1.0; 6]);
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
    cpu.set_weight("wte", vec![0.0; 6]);
    let missing = CpuError::Weight { name: "wpe".to_owned(), expected: 4, found: 0 };
    assert_eq!(cpu.plan(&tape).err(), Some(missing));
    cpu.set_weight("wpe", vec![0.0; 4]);
    let mut plan = cpu.plan(&tape).unwrap();
    let none = FeedError::Length { name: "ids".to_owned(), expected: 2, found: None };
    assert_eq!(plan.run(&Feed::new()), Err(none.into()));
    let mut feed = Feed::new();
    feed.ids(ids, vec![0, 3]);
    let outside = FeedError::Id { name: "ids".to_owned(), id: 3, below: 3 };
    assert_eq!(plan.run(&feed), Err(outside.into()));
}
