//! What stays in memory after a run.

use peak_alloc::PeakAlloc;
use relp_model::Choice;
use relp_tests::soak;

use crate::primer::{engine, run};

/// Counts the bytes of this process, in which `nextest` runs one test.
#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

#[test]
fn of_hundreds_of_runs_not_a_byte_stays() {
    let mut engine = engine(Choice::Cpu);
    let mut round = || {
        for n in 0..soak::ROUND {
            run(&mut engine, &soak::request(n, true));
        }
        ALLOCATED.current_usage()
    };
    // The first fills what is kept: plans, and words that were cut into tokens.
    round();
    let (before, after) = (round(), round());
    assert_eq!(before, after, "each run leaves {} bytes", after.abs_diff(before) / soak::ROUND);
}
