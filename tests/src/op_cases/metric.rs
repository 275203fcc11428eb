//! The ops that read a number off a row of logits.

use relp_tape::{Measure, Op};

use super::{Cases, Recorder};

pub(super) fn push(cases: &mut Cases) {
    for measure in [Measure::LogProb, Measure::ProbDiff, Measure::Divergence] {
        for (n, more, v, c, k, answers) in [
            (1, 0, 1, 1, 1, 1),
            (2, 1, 65, 2, 2, 1),
            (5, 0, 7, 3, 4, 3),
            (3, 2, 257, 1, 2, 2),
            (33, 0, 5, 2, 2, 1),
            (2, 0, 50_257, 2, 5, 2),
        ] {
            // Logits up to 1, and up to 100.
            for size in [1.0, 100.0] {
                let about = format!("{measure:?} N={n}+{more} V={v} C={c} K={k} size={size}");
                let metric = |r: &mut Recorder, rows: usize| {
                    let clean_rows = r.ids(&[rows + more], c);
                    let targets = targets(r, rows + more, k, v);
                    let logits = r.input("logits", &[rows, v], size);
                    let clean = r.input("clean", &[c, v], size);
                    (logits, (clean, clean_rows), targets)
                };
                cases.push(&about, |r| {
                    let (logits, clean, targets) = metric(r, n);
                    r.tape.metric("out", logits, clean, targets, answers, measure);
                });
                cases.push(&about, |r| {
                    let (logits, (clean, clean_rows), targets) = metric(r, n + more);
                    let dy = r.input("dy", &[n, 1], 1.0);
                    // The op itself is not recorded, so that its result is whatever is at hand.
                    let out = dy;
                    let of =
                        Op::Metric { logits, clean, clean_rows, targets, answers, measure, out };
                    r.tape.metric_grad("out", dy, &of);
                });
            }
        }
    }
}

/// Different targets in every row.
fn targets(r: &mut Recorder, rows: usize, k: usize, v: usize) -> relp_tape::Buf {
    let buf = r.tape.ids("targets", &[rows, k], v as u32);
    let mut ids = Vec::new();
    for _ in 0..rows {
        let first = r.random.below(v as u32);
        ids.extend((0..k as u32).map(|k| (first + k) % v as u32));
    }
    r.feed.ids(buf, ids);
    buf
}
