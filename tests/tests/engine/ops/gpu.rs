//! The GPU executor. A missing adapter fails these tests; to skip them is a choice to be made.

use pollster::block_on;
use relp_gpu::{Counts, Gpu, GpuError};
use relp_tape::{Content, Feed, FeedError, Outputs, Slope, Tape};
use relp_tests::op_cases::{self, Random};

/// The adapter that the tests run on.
pub(crate) fn gpu() -> Gpu {
    block_on(Gpu::request()).unwrap_or_else(|error| {
        panic!("{error}. To test without a GPU: cargo xtask test --without gpu")
    })
}

/// Uploads the weights of `feed`, plans the tape and runs it.
pub(crate) fn run(gpu: &mut Gpu, tape: &Tape, feed: &Feed) -> Result<Outputs, GpuError> {
    for (buf, info) in tape.bufs() {
        if info.content == Content::Weight {
            gpu.set_weight(&info.name, feed.get_values(tape, buf)?)?;
        }
    }
    let mut plan = block_on(gpu.plan(tape))?;
    block_on(gpu.run(&mut plan, feed))
}

#[test]
fn every_op_matches_the_reference() {
    let mut gpu = gpu();
    let report = op_cases::check_all(|tape, feed| {
        run(&mut gpu, tape, feed).map_err(|error| error.to_string())
    });
    report.unwrap_or_else(|report| panic!("on {:?}, {report}", gpu.adapter()));
}
