//! Which neighbouring ops of a tape are done by one dispatch.

use relp_tape::{Buf, Content, Op, Slope, Tape};

use crate::product::Epilogue;

/// Neighbouring ops that one dispatch does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    /// The number of the first op.
    pub(crate) first: usize,
    /// What the ops are together.
    pub(crate) fused: Fused,
}

/// Ops in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fused {
    /// An op by itself.
    No,
    /// A matrix product and what follows from its result, which is kept if anyone else reads it.
    Product { epilogue: Epilogue, keeps: bool },
    /// `attention_pattern`, `attention_mix`; the pattern is kept if anyone else reads it.
    Attention { keeps: bool },
    /// `attention_mix_grad_pattern`, `softmax_grad`.
    AttentionGrad,
    /// Two of `delta_dot`.
    DeltaDots,
}

impl Group {
    /// How many ops there are.
    pub(crate) fn len(&self) -> usize {
        if self.fused == Fused::No { 1 } else { 2 }
    }
}

/// The tape's ops in groups, in order. `is_whole` tells whether a weight lies in one buffer: with the
/// parts of another, a fused shader would have more buffers than WebGPU promises.
pub(crate) fn groups(tape: &Tape, is_whole: impl Fn(Buf) -> bool) -> Vec<Group> {
    let ops = tape.ops();
    let mut uses = vec![0_usize; tape.bufs().len()];
    let read = ops.iter().flat_map(|op| op.reads().into_iter().map(|(_, buf)| buf));
    let stays = tape.outputs().iter().chain(tape.forward().kept()).copied();
    read.chain(stays).for_each(|buf| uses[buf.index()] += 1);
    let is_kept = |buf: Buf| uses[buf.index()] > 1;
    let mut groups = Vec::new();
    let mut first = 0;
    while let Some(op) = ops.get(first) {
        // What comes after the forward part can run without it.
        let next = ops.get(first + 1).filter(|_| first + 1 != tape.forward().ops());
        let fused = next.and_then(|next| fused(tape, op, next, &is_whole, is_kept));
        let group = Group { first, fused: fused.unwrap_or(Fused::No) };
        first += group.len();
        groups.push(group);
    }
    groups
}

/// What two ops are together, if they can be done by one dispatch.
fn fused(
    tape: &Tape,
    op: &Op,
    next: &Op,
    is_whole: impl Fn(Buf) -> bool,
    is_kept: impl Fn(Buf) -> bool,
) -> Option<Fused> {
    match (op, next) {
        (
            &(Op::Linear { w, out, .. } | Op::LinearT { w, out, .. }),
            &(Op::Add { .. } | Op::Gelu { .. } | Op::GeluGrad { .. }),
        ) if is_whole(w) => {
            let epilogue = epilogue(tape, out, next)?;
            Some(Fused::Product { epilogue, keeps: is_kept(out) })
        }
        (&Op::AttentionPattern { qkv, out }, &Op::AttentionMix { pattern, qkv: values, .. })
            if pattern == out && values == qkv =>
        {
            Some(Fused::Attention { keeps: is_kept(out) })
        }
        (&Op::AttentionMixGradPattern { out, .. }, &Op::SoftmaxGrad { dy, y, .. })
            if dy == out && y != out =>
        {
            Some(Fused::AttentionGrad)
        }
        (
            &Op::DeltaDot { act, grad, first_col, out },
            &Op::DeltaDot { act: act_1, grad: grad_1, first_col: first_col_1, out: out_1 },
        ) => {
            let same = |a: Buf, b: Buf| tape.shape(a) == tape.shape(b);
            let alike = same(act, act_1) && same(grad, grad_1) && same(out, out_1);
            let is_new = act_1 != out && grad_1 != out;
            (alike && is_new && first_col == first_col_1).then_some(Fused::DeltaDots)
        }
        _ => None,
    }
}

/// What an op makes of a product that it reads once, with as many elements.
fn epilogue(tape: &Tape, product: Buf, op: &Op) -> Option<Epilogue> {
    let len = |buf: Buf| tape.info(buf).len();
    match *op {
        Op::Add { a, b, out } if len(out) == len(product) => {
            let other = match (a == product, b == product) {
                (true, false) => b,
                (false, true) => a,
                _ => return None,
            };
            // An operand that is a weight may be kept in a way that only its own op reads.
            (tape.info(other).content != Content::Weight).then_some(Epilogue::Add)
        }
        Op::Gelu { x, .. } if x == product => Some(Epilogue::Gelu),
        Op::GeluGrad { dy, x, slope, .. } if dy == product && x != product => {
            Some(Epilogue::GeluGrad { is_ratio: slope == Slope::Ratio })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded() -> Tape {
        let mut tape = Tape::new();
        let x = tape.input("x", &[3, 4]);
        let w = tape.weight("w", &[4, 4]);
        let pre = tape.linear("pre", x, w, None);
        let post = tape.gelu("post", pre);
        let again = tape.linear("again", post, w, None);
        let sum = tape.add("sum", x, again);
        let twice = tape.linear("twice", sum, w, None);
        let doubled = tape.add("doubled", twice, twice);
        let slope = tape.gelu_grad("slope", doubled, pre, Slope::Ratio);
        tape.output(slope);
        tape
    }

    #[test]
    fn what_follows_from_a_product_is_done_with_it() {
        let kinds = |whole: bool| {
            let groups = groups(&recorded(), |_| whole);
            groups.iter().map(|group| (group.first, group.fused)).collect::<Vec<_>>()
        };
        let product = |epilogue, keeps| Fused::Product { epilogue, keeps };
        let expected = [
            // The derivative reads `pre` again; nobody reads `again`.
            (0, product(Epilogue::Gelu, true)),
            (2, product(Epilogue::Add, false)),
            (4, Fused::No),
            (5, Fused::No),
            (6, Fused::No),
        ];
        assert_eq!(kinds(true), expected);
        assert!(kinds(false).iter().all(|&(_, fused)| fused == Fused::No));
    }

    #[test]
    fn every_op_is_in_one_group() {
        let tape = recorded();
        let mut next = 0;
        for group in groups(&tape, |_| true) {
            assert_eq!(group.first, next);
            next += group.len();
        }
        assert_eq!(next, tape.ops().len());
    }

    #[test]
    fn an_output_is_kept() {
        let mut tape = Tape::new();
        let x = tape.input("x", &[3, 4]);
        let w = tape.weight("w", &[4, 4]);
        let pre = tape.linear("pre", x, w, None);
        let post = tape.gelu("post", pre);
        tape.output(pre);
        tape.output(post);
        let fused = Fused::Product { epilogue: Epilogue::Gelu, keeps: true };
        assert_eq!(groups(&tape, |_| true), [Group { first: 0, fused }]);
    }
}
