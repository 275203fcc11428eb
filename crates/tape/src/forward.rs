//! The first part of a tape, whose results stay for the next run.

use std::fmt;

use crate::{Buf, Content, Tape};

/// The forward part of a tape: the ops before the call of [`Tape::keep`], and the values of theirs that
/// the ops after it may read. Nothing is in it, unless a tape says so.
///
/// Tapes of which it is the same can share what it computes, whatever comes after.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forward {
    pub(crate) ops: usize,
    pub(crate) bufs: usize,
    pub(crate) kept: Vec<Buf>,
}

impl Forward {
    /// How many of the tape's first ops there are.
    pub fn ops(&self) -> usize {
        self.ops
    }

    /// How many of the tape's first buffers are given to or written by these ops.
    pub fn bufs(&self) -> usize {
        self.bufs
    }

    /// The values that stay.
    pub fn kept(&self) -> &[Buf] {
        &self.kept
    }
}

impl Tape {
    /// Ends the forward part of the tape. Of the values so far, ops recorded from now on read `kept`
    /// alone, and so do executors' outputs.
    ///
    /// # Panics
    /// If it has ended already, or what was an output before is not kept.
    #[track_caller]
    pub fn keep(&mut self, mut kept: Vec<Buf>) {
        assert_eq!(self.forward, Forward::default(), "the forward part has ended already");
        kept.sort_unstable();
        kept.dedup();
        self.forward = Forward { ops: self.ops.len(), bufs: self.bufs.len(), kept };
        self.outputs.iter().for_each(|&buf| self.assert_there(buf));
    }

    /// The forward part.
    pub fn forward(&self) -> &Forward {
        &self.forward
    }

    /// Whether another tape begins with the same forward part and keeps the same of it.
    pub fn same_forward(&self, other: &Tape) -> bool {
        let Forward { ops, bufs, .. } = self.forward;
        self.forward == other.forward
            && self.ops[..ops] == other.ops[..ops]
            && self.bufs[..bufs] == other.bufs[..bufs]
    }

    /// A buffer is still there for the ops that are recorded now.
    #[track_caller]
    pub(crate) fn assert_there(&self, buf: Buf) {
        let gone = buf.index() < self.forward.bufs
            && self.info(buf).content == Content::Value
            && self.forward.kept.binary_search(&buf).is_err();
        assert!(!gone, "{} is not kept after the forward part", self.name(buf));
    }
}

/// The line of a listing where the forward part ends.
impl fmt::Display for Forward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "kept")?;
        self.kept.iter().try_for_each(|buf| write!(f, " %{}", buf.index()))
    }
}

/// What the values that lie in the memory of a forward part were computed from, if they are whole. All
/// plans that share the memory share this.
#[derive(Debug, Default)]
pub struct Known {
    from: Option<Vec<u32>>,
    runs: u64,
}

/// A run that has begun in the memory of a forward part.
#[derive(Debug, Default)]
pub struct Begun {
    run: u64,
    /// What the forward part is computed from; `None` when it has been.
    from: Option<Vec<u32>>,
}

impl Known {
    /// Begins a run from what it is [given](crate::Feed::given_forward). Unless the memory holds just
    /// what comes of that, it holds nothing from now on, until [`settle`](Self::settle) is called.
    #[must_use]
    pub fn begin(&mut self, given: Vec<u32>) -> Begun {
        self.runs += 1;
        let is_kept = self.from.as_ref() == Some(&given);
        if !is_kept {
            self.from = None;
        }
        Begun { run: self.runs, from: (!is_kept).then_some(given) }
    }

    /// The ops of the forward part have run.
    pub fn settle(&mut self, begun: &mut Begun) {
        self.assert_last(begun);
        if let Some(from) = begun.from.take() {
            self.from = Some(from);
        }
    }

    /// Holds what is there for nothing.
    pub fn forget(&mut self) {
        self.from = None;
    }

    /// No other run has begun since, which would have written into the same memory.
    ///
    /// # Panics
    /// If one has.
    #[track_caller]
    pub fn assert_last(&self, begun: &Begun) {
        assert_eq!(self.runs, begun.run, "another run has begun in the same memory");
    }
}

impl Begun {
    /// Whether the forward part need not run.
    pub fn is_kept(&self) -> bool {
        self.from.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// x → y → z, and what comes after z is kept.
    fn recorded(after: impl Fn(&mut Tape, Buf) -> Buf) -> Tape {
        let mut tape = Tape::new();
        let x = tape.input("x", &[2]);
        let y = tape.gelu("y", x);
        let z = tape.gelu("z", y);
        tape.keep(vec![z]);
        let out = after(&mut tape, z);
        tape.output(out);
        tape
    }

    #[test]
    fn what_comes_after_makes_no_other_forward_part() {
        let once = recorded(|tape, z| tape.gelu("once", z));
        let twice = recorded(|tape, z| tape.add("twice", z, z));
        assert!(once.same_forward(&twice) && once != twice);
        assert_eq!((once.forward().ops(), once.forward().bufs()), (2, 3));

        let mut longer = Tape::new();
        let x = longer.input("x", &[3]);
        let y = longer.gelu("y", x);
        let z = longer.gelu("z", y);
        longer.keep(vec![z]);
        assert!(!once.same_forward(&longer));
        let mut more = Tape::new();
        let x = more.input("x", &[2]);
        let y = more.gelu("y", x);
        let z = more.gelu("z", y);
        more.keep(vec![y, z]);
        assert!(!once.same_forward(&more));
        assert!(!once.same_forward(&Tape::new()) && Tape::new().same_forward(&Tape::new()));
    }

    #[test]
    #[should_panic(expected = "y is not kept after the forward part")]
    fn what_is_not_kept_is_not_read_afterwards() {
        recorded(|tape, z| tape.add("sum", z, Buf(z.0 - 1)));
    }

    #[test]
    #[should_panic(expected = "y is not kept after the forward part")]
    fn what_is_not_kept_is_no_output() {
        recorded(|_, z| Buf(z.0 - 1));
    }

    #[test]
    fn only_what_was_computed_to_the_end_is_known() {
        let mut known = Known::default();
        let mut first = known.begin(vec![1, 2]);
        assert!(!first.is_kept());
        assert!(!known.begin(vec![1, 2]).is_kept(), "the first was left under way");
        first = known.begin(vec![1, 2]);
        known.settle(&mut first);
        assert!(first.is_kept() && known.begin(vec![1, 2]).is_kept());
        let mut other = known.begin(vec![2, 1]);
        assert!(!other.is_kept() && !known.begin(vec![1, 2]).is_kept());
        other = known.begin(vec![2, 1]);
        known.settle(&mut other);
        known.forget();
        assert!(!known.begin(vec![2, 1]).is_kept());
    }

    #[test]
    #[should_panic(expected = "another run has begun")]
    fn a_run_that_was_overtaken_does_not_go_on() {
        let mut known = Known::default();
        let mut first = known.begin(vec![]);
        let _second = known.begin(vec![]);
        known.settle(&mut first);
    }
}
