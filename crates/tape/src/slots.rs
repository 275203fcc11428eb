//! Which values share memory: a buffer's place is free again after its last use.

use crate::{Buf, Content, Op, Tape};

/// A place in memory for every value of a tape, as few and as small as their lives allow.
///
/// While an op runs, what it reads and what it writes lie in different slots. The slot of an output
/// is its own until the end, and so is that of a value that the forward part keeps. The slots of the
/// forward part come first; what comes after has others, so that they are the same on every tape with
/// this forward part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slots {
    /// By [`Buf::index`].
    of: Vec<Option<usize>>,
    lens: Vec<usize>,
    /// How many slots belong to the forward part.
    forward: usize,
}

impl Slots {
    /// Assigns the slots of a tape's values, first fit by size.
    pub fn of(tape: &Tape) -> Self {
        Self::of_groups(tape, &vec![1; tape.ops().len()], &[])
    }

    /// The same for an executor that does so many ops at a time, and that needs no place for the values
    /// that are `skipped`. While a group runs, all that its ops read and write lie in different slots.
    pub fn of_groups(tape: &Tape, groups: &[usize], skipped: &[Buf]) -> Self {
        let mut begin = 0;
        let groups: Vec<&[Op]> = groups
            .iter()
            .map(|len| {
                begin += len;
                &tape.ops()[begin - len..begin]
            })
            .collect();
        let uses = |group: &[Op]| -> Vec<Buf> {
            let of = |op: &Op| op.reads().into_iter().map(|(_, buf)| buf).chain(op.writes());
            group.iter().flat_map(of).collect()
        };
        let mut last_use: Vec<usize> = vec![0; tape.bufs().len()];
        for (i, group) in groups.iter().enumerate() {
            uses(group).into_iter().for_each(|buf| last_use[buf.index()] = i);
        }
        for &buf in tape.outputs().iter().chain(tape.forward().kept()) {
            last_use[buf.index()] = usize::MAX;
        }
        let mut slots = Self { of: vec![None; tape.bufs().len()], lens: Vec::new(), forward: 0 };
        let mut free: Vec<usize> = Vec::new();
        let mut ops = 0;
        for (i, group) in groups.iter().enumerate() {
            let written = group.iter().flat_map(Op::writes);
            for buf in written.filter(|buf| !skipped.contains(buf)) {
                let slot = slots.take(&mut free, tape.info(buf).len());
                slots.of[buf.index()] = Some(slot);
            }
            let mut done = uses(group);
            done.retain(|&buf| {
                tape.info(buf).content == Content::Value && last_use[buf.index()] == i
            });
            done.sort_unstable();
            done.dedup();
            free.extend(done.into_iter().filter_map(|buf| slots.of[buf.index()]));
            ops += group.len();
            if ops == tape.forward().ops() {
                slots.forward = slots.lens.len();
                free.clear();
            }
        }
        slots
    }

    /// The slot of a value; `None` for what is given or skipped.
    pub fn get(&self, buf: Buf) -> Option<usize> {
        self.of[buf.index()]
    }

    /// The elements that each slot has to hold.
    pub fn lens(&self) -> &[usize] {
        &self.lens
    }

    /// How many of the first slots belong to the forward part.
    pub fn forward(&self) -> usize {
        self.forward
    }

    /// The smallest free slot that is large enough, or else the largest, made larger.
    fn take(&mut self, free: &mut Vec<usize>, len: usize) -> usize {
        let fits = free.iter().enumerate().filter(|(_, slot)| self.lens[**slot] >= len);
        let smallest = fits.min_by_key(|(_, slot)| self.lens[**slot]).map(|(i, _)| i);
        let largest =
            || free.iter().enumerate().max_by_key(|(_, slot)| self.lens[**slot]).map(|(i, _)| i);
        if let Some(i) = smallest.or_else(largest) {
            let slot = free.swap_remove(i);
            self.lens[slot] = self.lens[slot].max(len);
            slot
        } else {
            self.lens.push(len);
            self.lens.len() - 1
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_needs_two_slots_and_one_for_the_output() {
        let mut tape = Tape::new();
        let x = tape.input("x", &[4]);
        let mut y = x;
        for i in 0..5 {
            y = tape.gelu(&format!("y{i}"), y);
        }
        tape.output(y);
        let slots = Slots::of(&tape);
        assert_eq!(slots.get(x), None);
        assert_eq!(slots.lens(), [4, 4]);
        let first = tape.ops()[0].writes()[0];
        assert_eq!(slots.get(first), Some(0));
        assert_eq!(slots.get(y), Some(0), "free again long since");
    }

    #[test]
    fn nothing_is_overwritten_that_is_still_read() {
        let mut tape = Tape::new();
        let x = tape.input("x", &[3]);
        let kept = tape.gelu("kept", x);
        let mut y = tape.gelu("y", kept);
        for i in 0..4 {
            y = tape.add(&format!("sum {i}"), y, kept);
        }
        let early = tape.gelu("early output", x);
        tape.output(early);
        let last = tape.gelu("last", x);
        tape.output(last);
        let slots = Slots::of(&tape);
        for op in &tape.ops()[1..6] {
            assert_ne!(slots.get(op.writes()[0]), slots.get(kept), "{}", op.name());
        }
        assert_ne!(slots.get(early), slots.get(last), "outputs stay");
    }

    #[test]
    fn ops_that_run_together_overwrite_nothing_of_each_other() {
        let mut tape = Tape::new();
        let x = tape.input("x", &[4]);
        let mut y = x;
        for i in 0..6 {
            y = tape.gelu(&format!("y{i}"), y);
        }
        tape.output(y);
        let written = |i: usize| tape.ops()[i].writes()[0];
        let slots = Slots::of_groups(&tape, &[2, 2, 2], &[]);
        for group in [[1, 2, 3], [3, 4, 5]] {
            let [a, b, c] = group.map(|i| slots.get(written(i)));
            assert!(a != b && a != c && b != c, "{a:?} {b:?} {c:?}");
        }
        // Without the values in between, as if three ops ran.
        let skipped = [0, 2, 4].map(written);
        let slots = Slots::of_groups(&tape, &[2, 2, 2], &skipped);
        assert_eq!(slots.lens(), [4, 4]);
        assert_eq!(slots.get(skipped[0]), None);
    }

    #[test]
    fn the_forward_part_lies_the_same_whatever_comes_after() {
        let recorded = |ops: usize| {
            let mut tape = Tape::new();
            let x = tape.input("x", &[2, 4]);
            let a = tape.gelu("a", x);
            let b = tape.gelu("b", a);
            let c = tape.gelu("c", b);
            tape.keep(vec![b, c]);
            let mut y = c;
            for i in 0..ops {
                y = tape.last_row_grad(&format!("y{i}"), b, 4 << i);
            }
            tape.output(y);
            (Slots::of(&tape), [a, b, c], tape)
        };
        let (few, values, tape) = recorded(1);
        let (many, _, other) = recorded(5);
        assert!(tape.same_forward(&other));
        let forward = few.forward();
        assert_eq!((forward, many.forward()), (2, 2), "the third lies where the first did");
        assert_eq!(few.lens()[..forward], many.lens()[..forward]);
        assert_eq!(values.map(|buf| few.get(buf)), values.map(|buf| many.get(buf)));
        for op in &other.ops()[3..] {
            assert!(many.get(op.writes()[0]) >= Some(forward), "what is kept stays");
        }
    }
}
