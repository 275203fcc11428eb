//! Which neighbouring ops of a tape are done by one dispatch.

use relp_tape::{Buf, Content, Op, Slope, Tape};

use crate::product::{Epilogue, Prologue};

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
    /// What a matrix product is made of, the product, and what follows from its result, which is kept if anyone else
    /// reads it.
    Product { prologue: Prologue, epilogue: Epilogue, keeps: bool },
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
        match self.fused {
            Fused::No => 1,
            Fused::Product { epilogue: Epilogue::None, .. } => self.main() + 1,
            Fused::Product { .. } => self.main() + 2,
            _ => 2,
        }
    }

    /// Which of them says what the dispatch is like.
    pub(crate) fn main(&self) -> usize {
        match self.fused {
            Fused::Product { prologue: Prologue::LayerNorm { .. }, .. } => 1,
            _ => 0,
        }
    }

    /// The values that only its own dispatch would read, so that they are nowhere.
    pub(crate) fn skipped(&self, tape: &Tape) -> Vec<Buf> {
        let ops = &tape.ops()[self.first..][..self.len()];
        let mut skipped = Vec::new();
        match self.fused {
            Fused::Product { prologue, keeps, .. } => {
                if let (Prologue::LayerNorm { keeps }, &Op::LayerNorm { out, stats, .. }) =
                    (prologue, &ops[0])
                {
                    skipped.push(out);
                    skipped.extend((!keeps).then_some(stats));
                }
                skipped.extend(ops[self.main()].writes().into_iter().filter(|_| !keeps));
            }
            Fused::Attention { keeps: false } => skipped.extend(ops[0].writes()),
            _ => {}
        }
        skipped
    }
}

/// What the ops of a tape are put together by.
pub(crate) struct Fuse<'a, W, V> {
    pub(crate) tape: &'a Tape,
    /// Whether a weight lies in one buffer: with the parts of another, a fused shader would have more buffers than WebGPU
    /// promises.
    pub(crate) is_whole: W,
    /// Whether the dispatch of a product with so many rows can begin with its `layer_norm`.
    pub(crate) has_prologue: V,
    /// The most buffers that a shader may have.
    pub(crate) most_buffers: usize,
}

impl<W: Fn(Buf) -> bool, V: Fn(usize) -> bool> Fuse<'_, W, V> {
    /// The tape's ops in groups, in order.
    pub(crate) fn groups(&self) -> Vec<Group> {
        let (tape, ops) = (self.tape, self.tape.ops());
        let mut uses = vec![0_usize; tape.bufs().len()];
        let read = ops.iter().flat_map(|op| op.reads().into_iter().map(|(_, buf)| buf));
        let stays = tape.outputs().iter().chain(tape.forward().kept()).copied();
        read.chain(stays).for_each(|buf| uses[buf.index()] += 1);
        let mut groups = Vec::new();
        let mut first = 0;
        while first < ops.len() {
            // What comes after the forward part can run without it.
            let forward = tape.forward().ops();
            let end = if first < forward { forward } else { ops.len() };
            let fused = self.normed(&ops[first..end], &uses);
            let fused = fused.or_else(|| self.fused(&ops[first..end], &uses));
            let group = Group { first, fused: fused.unwrap_or(Fused::No) };
            first += group.len();
            groups.push(group);
        }
        groups
    }

    /// A `layer_norm` that only the product after it reads, and that.
    fn normed(&self, ops: &[Op], uses: &[usize]) -> Option<Fused> {
        let [Op::LayerNorm { out: normed, stats, .. }, rest @ ..] = ops else { return None };
        let &[Op::Linear { x, w, out, .. }, ..] = rest else { return None };
        let rows = self.tape.info(out).rows();
        if x != *normed || uses[x.index()] > 1 || !(self.is_whole)(w) || !(self.has_prologue)(rows)
        {
            return None;
        }
        let (epilogue, keeps) = match self.fused(rest, uses) {
            Some(Fused::Product { epilogue, keeps, .. }) => (epilogue, keeps),
            _ => (Epilogue::None, true),
        };
        if !epilogue.follows_norm() {
            return None;
        }
        let prologue = Prologue::LayerNorm { keeps: uses[stats.index()] > 0 };
        // Of a product x, w and bias, of the norm gain and shift, and perhaps a list of rows.
        let written = usize::from(keeps) + usize::from(uses[stats.index()] > 0);
        let buffers = 3 + 2 + 1 + written + epilogue.buffers();
        (buffers <= self.most_buffers).then_some(Fused::Product { prologue, epilogue, keeps })
    }

    /// What the first two ops are together, if they can be done by one dispatch.
    fn fused(&self, ops: &[Op], uses: &[usize]) -> Option<Fused> {
        let [op, next, ..] = ops else { return None };
        let tape = self.tape;
        let is_kept = |buf: Buf| uses[buf.index()] > 1;
        match (op, next) {
            (
                &(Op::Linear { w, out, .. } | Op::LinearT { w, out, .. }),
                &(Op::Add { .. } | Op::Gelu { .. } | Op::GeluGrad { .. }),
            ) if (self.is_whole)(w) => {
                let epilogue = epilogue(tape, out, next)?;
                let prologue = Prologue::None;
                Some(Fused::Product { prologue, epilogue, keeps: is_kept(out) })
            }
            (
                &Op::AttentionPattern { qkv, out },
                &Op::AttentionMix { pattern, qkv: values, .. },
            ) if pattern == out && values == qkv => Some(Fused::Attention { keeps: is_kept(out) }),
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

    fn grouped(tape: &Tape, whole: bool) -> Vec<Group> {
        let is_whole = |_: Buf| whole;
        Fuse { tape, is_whole, has_prologue: |_| false, most_buffers: 8 }.groups()
    }

    /// A norm of which `stats` are read or not, a product, and perhaps GELU of it, that is an output too.
    fn normed(reads_stats: bool, gelu: bool) -> Tape {
        let mut tape = Tape::new();
        let x = tape.input("x", &[3, 4]);
        let [gain, shift] = ["gain", "shift"].map(|name| tape.weight(name, &[4]));
        let w = tape.weight("w", &[4, 4]);
        let (norm, stats) = tape.layer_norm("norm", x, gain, shift, 1e-5);
        let mut y = tape.linear("y", norm, w, None);
        if gelu {
            tape.output(y);
            y = tape.gelu("gelu", y);
        }
        if reads_stats {
            y = tape.layer_norm_grad("dx", y, x, stats, gain, None, true);
        }
        tape.output(y);
        tape
    }

    #[test]
    fn a_norm_is_done_with_the_product_that_alone_reads_it() {
        let kinds = |tape: &Tape, rows: usize, most_buffers: usize| {
            let fuse = Fuse { tape, is_whole: |_| true, has_prologue: |n| n <= rows, most_buffers };
            fuse.groups().into_iter().map(|group| group.fused).collect::<Vec<_>>()
        };
        let product = |keeps, epilogue| Fused::Product {
            prologue: Prologue::LayerNorm { keeps },
            epilogue,
            keeps: true,
        };
        let tape = normed(false, false);
        assert_eq!(kinds(&tape, 3, 8), [product(false, Epilogue::None)]);
        let skipped = |tape: &Tape| {
            let fuse = Fuse { tape, is_whole: |_| true, has_prologue: |_| true, most_buffers: 9 };
            let skipped = fuse.groups().iter().flat_map(|group| group.skipped(tape)).collect();
            Vec::<Buf>::into_iter(skipped).map(|buf| tape.name(buf)).collect::<Vec<_>>().join(", ")
        };
        assert_eq!(skipped(&tape), "norm, norm.stats");
        assert_eq!(kinds(&tape, 2, 8), [Fused::No, Fused::No], "too many rows");
        let tape = normed(true, false);
        assert_eq!(kinds(&tape, 3, 8), [product(true, Epilogue::None), Fused::No]);
        assert_eq!(skipped(&tape), "norm");
        let tape = normed(true, true);
        let gelu = Epilogue::Gelu;
        assert_eq!(kinds(&tape, 3, 9), [product(true, gelu), Fused::No]);
        let separate = Fused::Product { prologue: Prologue::None, epilogue: gelu, keeps: true };
        assert_eq!(kinds(&tape, 3, 8), [Fused::No, separate, Fused::No], "too many buffers");
        let mut tape = normed(false, false);
        tape.output(tape.ops()[0].writes()[0]);
        assert_eq!(kinds(&tape, 3, 8), [Fused::No, Fused::No], "it is asked for");
    }

    #[test]
    fn what_follows_from_a_product_is_done_with_it() {
        let kinds = |whole: bool| {
            let groups = grouped(&recorded(), whole);
            groups.iter().map(|group| (group.first, group.fused)).collect::<Vec<_>>()
        };
        let product =
            |epilogue, keeps| Fused::Product { prologue: Prologue::None, epilogue, keeps };
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
        for group in grouped(&tape, true) {
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
        let (prologue, epilogue) = (Prologue::None, Epilogue::Gelu);
        let fused = Fused::Product { prologue, epilogue, keeps: true };
        assert_eq!(grouped(&tape, true), [Group { first: 0, fused }]);
    }
}
