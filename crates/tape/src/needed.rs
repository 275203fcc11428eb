//! Which rows a run needs of what it computes, of sequences that begin alike.
//!
//! What is computed of a token depends on those before it alone, so that sequences with the same beginning have the
//! same values there. A base run and its source run differ by nothing there, and no coefficient that this is
//! multiplied with matters.

use std::iter;
use std::ops::Range;

use crate::{Buf, Content, Op, Tape};

/// The rows of an op's result that are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// Every one.
    All,
    /// Of \[S,…,T,…\], what sequences that begin alike have in common is computed once. It is the same in all.
    Distinct,
    /// Of \[N·B,…,T,…\], those from the first position on in which base and source run differ. The others are zero, or no
    /// result depends on them.
    Differing,
}

/// What a tape's ops need, whatever the tokens are.
#[derive(Clone, Debug)]
pub struct Needed {
    ids: Option<Buf>,
    rows: Vec<Rows>,
}

impl Needed {
    /// Looks through a tape.
    pub fn of(tape: &Tape) -> Self {
        let mut needed = Self { ids: None, rows: vec![Rows::All; tape.ops().len()] };
        let embedded = tape.ops().iter().find_map(|op| match *op {
            Op::Embed { ids, .. } if matches!(tape.shape(ids), [_, _]) => Some(ids),
            _ => None,
        });
        let Some(ids) = embedded else { return needed };
        let of_tokens = of_tokens(tape, ids);
        let pairs = Pairs::of(tape, ids);
        let need = need(tape, pairs, &of_tokens);
        for (at, (rows, op)) in needed.rows.iter_mut().zip(tape.ops()).enumerate() {
            // What stays is for other tapes as well, which may need more.
            let is_kept = at < tape.forward().ops();
            *rows = match *op {
                Op::LayerNorm { out, .. }
                | Op::Linear { out, .. }
                | Op::Gelu { out, .. }
                | Op::AttentionPattern { out, .. }
                | Op::AttentionMix { out, .. }
                    if of_tokens[out.index()] =>
                {
                    Rows::Distinct
                }
                Op::LayerNormGrad { dx: out, .. }
                | Op::LinearT { out, .. }
                | Op::GeluGrad { dx: out, .. }
                | Op::AttentionMixGradPattern { out, .. }
                | Op::AttentionMixGradV { out, .. }
                | Op::SoftmaxGrad { out, .. }
                | Op::AttentionScoresGrad { out, .. }
                    if !is_kept && need[out.index()] == Need::Differing =>
                {
                    Rows::Differing
                }
                Op::DeltaDot { act, grad, .. } if pairs.is_effect(tape, act, grad, &of_tokens) => {
                    Rows::Differing
                }
                _ => Rows::All,
            };
        }
        needed.ids = Some(ids);
        needed
    }

    /// The tokens on which it depends how many there are, \[S,T\]; none if all rows are needed.
    pub fn ids(&self) -> Option<Buf> {
        self.ids
    }

    /// Those of an op, by its number.
    pub fn rows(&self, op: usize) -> Rows {
        self.rows[op]
    }
}

/// Whether each buffer is of the tokens' sequences, with values that depend on the tokens so far alone.
fn of_tokens(tape: &Tape, tokens: Buf) -> Vec<bool> {
    let mut found = vec![false; tape.bufs().len()];
    for op in tape.ops() {
        let weight = |buf: Buf| tape.info(buf).content == Content::Weight;
        let of_tokens = match *op {
            Op::Embed { ids, tokens: rows, positions, .. } => {
                ids == tokens && weight(rows) && weight(positions)
            }
            Op::LayerNorm { x, gain, bias, .. } => found[x.index()] && weight(gain) && weight(bias),
            Op::Linear { x, w, bias, .. } => {
                found[x.index()] && weight(w) && bias.is_none_or(weight)
            }
            Op::Gelu { x, .. } => found[x.index()],
            Op::Add { a, b, .. } | Op::Mul { a, b, .. } => found[a.index()] && found[b.index()],
            Op::AttentionPattern { qkv, .. } => found[qkv.index()],
            Op::AttentionMix { pattern, qkv, .. } => found[pattern.index()] && found[qkv.index()],
            _ => false,
        };
        op.writes().iter().for_each(|buf| found[buf.index()] = of_tokens);
    }
    found
}

/// Sequences of which the first half may be base runs, and the second their source runs.
#[derive(Clone, Copy)]
struct Pairs {
    sequences: usize,
    positions: usize,
}

impl Pairs {
    fn of(tape: &Tape, ids: Buf) -> Self {
        Self { sequences: tape.shape(ids)[0], positions: tape.shape(ids)[1] }
    }

    /// Whether this multiplies the difference of two runs of the tokens with coefficients of each of their positions.
    fn is_effect(self, tape: &Tape, act: Buf, grad: Buf, of_tokens: &[bool]) -> bool {
        if !self.sequences.is_multiple_of(2) || !of_tokens[act.index()] {
            return false;
        }
        // Of as many tokens, and of sequences of which the pairs come one after the other, again and again.
        let is_of_pairs = |n: usize| n.is_multiple_of(self.sequences / 2);
        match *tape.shape(grad) {
            [n, t, _] => t == self.positions && is_of_pairs(n),
            [n, _, t, s] => (t, s) == (self.positions, self.positions) && is_of_pairs(n),
            _ => false,
        }
    }
}

/// What is needed of a buffer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Need {
    Nothing,
    /// No more than what follows the first difference.
    Differing,
    All,
}

/// What of each buffer.
fn need(tape: &Tape, pairs: Pairs, of_tokens: &[bool]) -> Vec<Need> {
    let mut needs = vec![Need::Nothing; tape.bufs().len()];
    tape.outputs().iter().for_each(|buf| needs[buf.index()] = Need::All);
    for op in tape.ops().iter().rev() {
        let of_result = op.writes().iter().map(|buf| needs[buf.index()]).max();
        let by_position: Vec<Buf> = match *op {
            Op::DeltaDot { act, grad, .. } if pairs.is_effect(tape, act, grad, of_tokens) => {
                vec![grad]
            }
            _ if of_result != Some(Need::Differing) => Vec::new(),
            Op::LayerNormGrad { dy, add, .. } => [dy].into_iter().chain(add).collect(),
            Op::LinearT { x, add, .. } => [x].into_iter().chain(add).collect(),
            Op::AttentionMixGradPattern { dz, .. } | Op::AttentionMixGradV { dz, .. } => vec![dz],
            Op::SoftmaxGrad { dy, .. } | Op::GeluGrad { dy, .. } => vec![dy],
            Op::AttentionScoresGrad { ds, .. } => vec![ds],
            Op::Add { a, b, .. } | Op::Mul { a, b, .. } => vec![a, b],
            _ => Vec::new(),
        };
        for (_, buf) in op.reads() {
            let need = if by_position.contains(&buf) { Need::Differing } else { Need::All };
            let so_far = &mut needs[buf.index()];
            *so_far = need.max(*so_far);
        }
    }
    needs
}

/// How the sequences of a run begin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beginnings {
    positions: usize,
    /// For each sequence the one before it that it has most tokens in common with from the first on, and how many.
    alike: Vec<(usize, usize)>,
    /// For each base run how many it has in common with its source run.
    common: Vec<usize>,
}

impl Beginnings {
    /// Of tokens \[S,`positions`\], of which the first half may be base runs, and the second their source runs.
    pub fn of(ids: &[u32], positions: usize) -> Self {
        let sequences: Vec<&[u32]> = ids.chunks(positions).collect();
        let common = |a: usize, b: usize| {
            let pairs = sequences[a].iter().zip(sequences[b]);
            pairs.take_while(|(a, b)| a == b).count()
        };
        let alike = (0..sequences.len()).map(|of| {
            let others = (0..of).map(|other| (other, common(other, of)));
            others.max_by_key(|(_, many)| *many).unwrap_or_default()
        });
        let pairs = sequences.len() / 2;
        let alike = alike.collect();
        Self { positions, alike, common: (0..pairs).map(|of| common(of, pairs + of)).collect() }
    }

    /// The rows that are computed of a result that has so many, in order.
    pub fn computed(&self, rows: Rows, many: usize) -> Vec<Range<usize>> {
        let of_sequences = |in_common: &dyn Fn(usize) -> usize| {
            let sequences = (0..many / self.positions).map(|at| {
                let first = at * self.positions;
                first + in_common(at)..first + self.positions
            });
            sequences.filter(|rows| !rows.is_empty()).collect()
        };
        match rows {
            Rows::All => iter::once(0..many).collect(),
            Rows::Distinct => of_sequences(&|at| self.alike[at].1),
            Rows::Differing => of_sequences(&|at| self.common[at % self.common.len()]),
        }
    }

    /// The rows that are those of others, where these begin, in an order in which each has what it is copied from.
    pub fn copied(&self) -> impl Iterator<Item = (Range<usize>, usize)> {
        self.alike.iter().enumerate().map(|(to, &(from, many))| {
            let from = from * self.positions;
            (from..from + many, to * self.positions)
        })
    }
}
