//! What each op's shader is given: buffers, parameters, and how many workgroups run it.

use relp_tape::{Buf, Measure, Op, Rows, Slope, Tape};

use crate::fuse::{Fused, Group};
use crate::product::{Epilogue, Prologue, Shape, Variant};
use crate::shader::{Attending, Product, Quads, Shader, finds_rows};
use crate::tuning::Tuning;
use crate::weights::Form;

/// Elements that a workgroup computes in a shader with an invocation an element.
const GROUP: usize = 64;
/// The most workgroups along an axis that WebGPU promises.
const MAX_GROUPS: usize = 65_535;

/// One dispatch.
pub(crate) struct Kernel {
    pub(crate) shader: Shader,
    /// The words of the shader's `Params`.
    pub(crate) params: Vec<u32>,
    /// Workgroups, which the shader counts row by row.
    pub(crate) grid: (u32, u32),
    /// What is bound after `Params`, and as which number.
    pub(crate) operands: Vec<(u32, Buf)>,
    /// Floating-point operations, about.
    pub(crate) work: f64,
    /// Of what computes some rows: which, how many there are in all, and as which number their list is bound.
    pub(crate) list: Option<(Listed, u32)>,
}

/// How many workgroups there are for some rows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Listed {
    pub(crate) rows: Rows,
    pub(crate) of: usize,
    /// That a workgroup takes.
    tile_rows: usize,
    /// Workgroups of the same rows.
    across: usize,
}

impl Listed {
    /// Workgroups for so many rows.
    pub(crate) fn grid(self, rows: usize) -> (u32, u32) {
        grid(rows.div_ceil(self.tile_rows) * self.across)
    }
}

impl Kernel {
    /// Of ops in one that compute some rows, for weights that are kept in the form that `form` tells.
    pub(crate) fn of(
        tape: &Tape,
        group: &Group,
        rows: Rows,
        tuning: Tuning,
        form: impl Fn(Buf) -> Form,
    ) -> Self {
        let ops = &tape.ops()[group.first..][..group.len()];
        let op = &ops[group.main()];
        let variant = is_product(op).then(|| tuning.variant(tape.info(op.writes()[0]).rows()));
        let (params, workgroups) = dispatch(tape, op, variant);
        let is_listed = rows != Rows::All && finds_rows(op.name());
        let reads = op.reads();
        let of_matrix = |buf: Buf| {
            let (name, _) = reads.iter().find(|(_, read)| *read == buf)?;
            Some((*name, form(buf)))
        };
        let mut kernel = Self {
            shader: Shader {
                name: op.name(),
                matrices: op.matrices().into_iter().filter_map(of_matrix).collect(),
                quads: Quads { rest: holds_quads(tape, op), ..Quads::default() },
                attending: match *op {
                    Op::AttentionPattern { out, .. } => {
                        let keeps = !matches!(group.fused, Fused::Attention { keeps: false });
                        Some(Attending::to(tape.info(out).cols(), keeps))
                    }
                    Op::AttentionRows { keys, .. } => {
                        Some(Attending::to(tape.info(keys).cols(), false))
                    }
                    _ => None,
                },
                product: None,
                is_listed,
            },
            params,
            grid: grid(workgroups),
            operands: (1..).zip(operands(op)).collect(),
            work: ops.iter().map(|op| work(tape, op)).sum(),
            list: None,
        };
        match (group.fused, variant) {
            (Fused::Product { prologue, epilogue, keeps }, Some(variant)) => {
                kernel.become_product(tape, op, variant, (prologue, epilogue, keeps));
                let product = op.writes()[0];
                if !keeps {
                    kernel.operands.retain(|(_, buf)| *buf != product);
                }
                if epilogue != Epilogue::None {
                    // What the next op reads beside the product, and then what it writes.
                    let next = &ops[group.main() + 1];
                    let read = next.reads().into_iter().map(|(_, buf)| buf);
                    let more = read.filter(|buf| *buf != product).chain(next.writes());
                    kernel.operands.extend((5..).zip(more));
                }
                if let (
                    Prologue::LayerNorm { keeps },
                    &Op::LayerNorm { x, gain, bias, eps, out, stats },
                ) = (prologue, &ops[0])
                {
                    kernel.params[4] = eps.to_bits();
                    // Also where it is bound in place of a bias.
                    let normed = kernel.operands.iter_mut().filter(|(_, buf)| *buf == out);
                    normed.for_each(|(_, buf)| *buf = x);
                    kernel.operands.extend([(8, gain), (9, bias)]);
                    kernel.operands.extend(keeps.then_some((10, stats)));
                }
            }
            (_, Some(variant)) => {
                let alone = (Prologue::None, Epilogue::None, true);
                kernel.become_product(tape, op, variant, alone);
            }
            _ => kernel.become_fused(tape, ops, group.fused),
        }
        kernel.list = kernel.shader.list_binding().map(|binding| {
            let of = kernel.params[0] as usize;
            let tile_rows = variant.map_or(1, |variant| variant.shape().tile_rows);
            let across = workgroups / of.div_ceil(tile_rows);
            (Listed { rows, of, tile_rows, across }, binding)
        });
        kernel
    }

    /// Ops in one other than a product's.
    fn become_fused(&mut self, tape: &Tape, ops: &[Op], fused: Fused) {
        let op = &ops[0];
        match fused {
            Fused::No | Fused::Product { .. } => {}
            Fused::Attention { keeps } => {
                self.shader.name = "attention";
                let bound = [operands(op), ops[1].writes()].concat();
                let pattern = op.writes()[0];
                self.operands =
                    (1..).zip(bound).filter(|(_, buf)| keeps || *buf != pattern).collect();
            }
            Fused::AttentionGrad => {
                let dp = op.writes()[0];
                let (of_pattern, of_softmax) = (op.reads(), ops[1].reads());
                self.shader.name = "attention_grad";
                let read = of_pattern.into_iter().chain(of_softmax).map(|(_, buf)| buf);
                let written = ops.iter().flat_map(Op::writes);
                let bound = read.filter(|buf| *buf != dp).chain(written);
                self.operands = (1..).zip(bound).collect();
            }
            Fused::DeltaDots => {
                self.shader.name = "delta_dots";
                self.grid = grid(2 * tape.info(op.writes()[0]).len());
                self.operands = (1..).zip(ops.iter().flat_map(operands)).collect();
            }
        }
    }

    fn become_product(
        &mut self,
        tape: &Tape,
        op: &Op,
        variant: Variant,
        (prologue, epilogue, keeps): (Prologue, Epilogue, bool),
    ) {
        let cols = |buf: Buf| tape.info(buf).cols();
        let (x, w, out, first_col) = match *op {
            Op::Linear { x, w, out, .. } => (x, w, out, 0),
            Op::LinearT { x, w, first_col, out, .. } => (x, w, out, first_col),
            _ => return,
        };
        let whole = |n: usize| n.is_multiple_of(4);
        let form = self.shader.matrices.first().map_or_else(Form::default, |(_, form)| *form);
        self.shader.quads = Quads {
            x: whole(cols(x)),
            w: whole(cols(w)) && whole(first_col) && form.holds_quads(),
            rest: whole(cols(out)),
        };
        let is_ragged = !whole(cols(x)) || variant.steps_past(cols(x));
        let product = Product { variant, prologue, epilogue, keeps, is_ragged };
        self.shader.product = Some(product);
    }
}

/// Whether what an op other than a product reads at four elements at once begins and ends with whole ones.
fn holds_quads(tape: &Tape, op: &Op) -> bool {
    let of_heads = |cols: usize, heads: usize| (cols / heads).is_multiple_of(4);
    match *op {
        Op::Gelu { out, .. } | Op::GeluGrad { dx: out, .. } => {
            tape.info(out).len().is_multiple_of(4)
        }
        Op::LayerNorm { x, .. } => tape.info(x).cols().is_multiple_of(4),
        Op::LayerNormGrad { dx, .. } => tape.info(dx).cols().is_multiple_of(4),
        Op::AttentionPattern { qkv, out } => {
            of_heads(tape.info(qkv).cols() / 3, tape.shape(out)[1])
        }
        Op::AttentionMixGradPattern { dz, out, .. } => {
            of_heads(tape.info(dz).cols(), tape.shape(out)[1])
        }
        Op::AttentionRows { heads, out, .. } => of_heads(tape.info(out).cols(), heads),
        _ => false,
    }
}

fn is_product(op: &Op) -> bool {
    matches!(op, Op::Linear { .. } | Op::LinearT { .. })
}

/// The buffers that the op's shader binds after `Params`: what it reads, then what it writes.
fn operands(op: &Op) -> Vec<Buf> {
    let mut operands: Vec<Buf> = op.reads().into_iter().map(|(_, buf)| buf).collect();
    if let Op::Linear { x: first, bias: None, .. }
    | Op::LinearT { x: first, add: None, .. }
    | Op::LayerNormGrad { dy: first, add: None, .. } = *op
    {
        // Something must be bound; the flag in `Params` says that it is not read.
        operands.push(first);
    }
    operands.extend(op.writes());
    operands
}

/// The words of an op's parameters, and how many workgroups there are.
fn dispatch(tape: &Tape, op: &Op, variant: Option<Variant>) -> (Vec<u32>, usize) {
    let len = |buf: Buf| tape.info(buf).len();
    let rows = |buf: Buf| tape.info(buf).rows();
    let cols = |buf: Buf| tape.info(buf).cols();
    let axis = |buf: Buf, axis: usize| tape.shape(buf)[axis];
    // An invocation an element of `out`, after whose number come the other parameters.
    let elements = |out: Buf, params: &[u32]| {
        ([&[len(out) as u32], params].concat(), len(out).div_ceil(GROUP))
    };
    // The same with an invocation four elements.
    let quads = |out: Buf, params: &[u32]| {
        ([&[len(out) as u32], params].concat(), len(out).div_ceil(4 * GROUP))
    };
    // So many workgroups for each of the rows, of which the number is the first parameter.
    let for_rows =
        |rows: usize, each: usize, params: &[u32]| ([&[rows as u32], params].concat(), rows * each);
    let by_row = |rows: usize, params: &[u32]| for_rows(rows, 1, params);
    // One for each head of a row of the pattern, or for some columns of a row.
    let by_head = |pattern: Buf, params: &[u32]| {
        for_rows(axis(pattern, 0) * axis(pattern, 2), axis(pattern, 1), params)
    };
    let by_columns =
        |out: Buf, params: &[u32]| for_rows(rows(out), cols(out).div_ceil(GROUP), params);
    // A workgroup a tile of `out`, whose rows are the first parameter.
    let tiles = |out: Buf, params: &[u32]| {
        let Shape { tile_rows, col_quads, .. } = variant.unwrap_or(Variant::Tile).shape();
        let tiles = rows(out).div_ceil(tile_rows) * cols(out).div_ceil(4 * col_quads);
        ([&[rows(out) as u32], params].concat(), tiles)
    };
    // T, H, E of `pattern` [B,H,T,T], and the scale 1/√E of the scores.
    let heads = |pattern: Buf, d: usize| {
        let (h, t) = (axis(pattern, 1), axis(pattern, 2));
        let e = d / h;
        [t as u32, h as u32, e as u32, ((1.0 / (e as f64).sqrt()) as f32).to_bits()]
    };
    match *op {
        Op::Embed { ids, tokens, out, .. } => {
            elements(out, &[axis(ids, 1) as u32, cols(tokens) as u32])
        }
        Op::LayerNorm { x, eps, .. } => by_row(rows(x), &[cols(x) as u32, eps.to_bits()]),
        Op::LayerNormGrad { dy, add, detach_scale, .. } => {
            let flags = [u32::from(detach_scale), u32::from(add.is_some())];
            by_row(rows(dy), &[cols(dy) as u32, flags[0], flags[1]])
        }
        Op::Linear { w, bias, out, .. } => {
            // The last is of a norm before it.
            tiles(out, &[axis(w, 0) as u32, axis(w, 1) as u32, u32::from(bias.is_some()), 0])
        }
        Op::LinearT { x, w, first_col, add, out } => tiles(
            out,
            &[
                cols(x) as u32,
                axis(w, 0) as u32,
                axis(w, 1) as u32,
                first_col as u32,
                u32::from(add.is_some()),
            ],
        ),
        Op::AttentionPattern { qkv, out } => by_head(out, &heads(out, cols(qkv) / 3)),
        Op::AttentionMixGradPattern { dz, out, .. } => by_head(out, &heads(out, cols(dz))[..3]),
        Op::AttentionMix { pattern, out, .. } | Op::AttentionMixGradV { pattern, out, .. } => {
            by_columns(out, &heads(pattern, cols(out))[..3])
        }
        Op::AttentionScoresGrad { ds, qkv, out } => by_columns(out, &heads(ds, cols(qkv) / 3)),
        Op::SoftmaxGrad { dy, .. } => match *tape.shape(dy) {
            [_, h, t, s] => by_head(dy, &[t, h, s].map(|n| n as u32)),
            _ => by_row(rows(dy), &[rows(dy), 1, cols(dy)].map(|n| n as u32)),
        },
        Op::Gelu { out, .. } => quads(out, &[]),
        Op::Add { out, .. } => elements(out, &[]),
        Op::GeluGrad { slope, dx, .. } => quads(dx, &[u32::from(slope == Slope::Ratio)]),
        Op::Mul { scale, out, .. } => elements(out, &[scale.to_bits()]),
        Op::LastRow { x, out } => elements(out, &[axis(x, 1) as u32, cols(x) as u32]),
        Op::LastRowGrad { out, .. } => elements(out, &[axis(out, 1) as u32, cols(out) as u32]),
        Op::GatherDot { x, out, .. } => by_row(len(out), &[cols(out) as u32, cols(x) as u32]),
        Op::GatherDotGrad { dy, out, .. } => elements(out, &[cols(dy) as u32, cols(out) as u32]),
        Op::DeltaDot { act, grad, first_col, out } => by_row(
            len(out),
            &[
                rows(act) as u32 / 2,
                cols(grad) as u32,
                cols(act) as u32,
                first_col as u32,
                cols(out) as u32,
            ],
        ),
        Op::Interpolate { x, first_col, cols: moving, out } => {
            let half = len(x) / 2;
            let params = [half, len(out) / half, cols(x), first_col, moving];
            elements(out, &params.map(|n| n as u32))
        }
        Op::AddRows { a, b, out, .. } => {
            elements(out, &[cols(a) as u32, rows(a) as u32, rows(b) as u32])
        }
        Op::Splice { x, width, out, .. } => {
            elements(out, &[cols(x) as u32, rows(x) as u32, width as u32])
        }
        Op::AttentionRows { qkv, keys, heads, out, .. } => {
            let e = cols(out) / heads;
            let scale = (1.0 / (e as f64).sqrt()) as f32;
            let params = [cols(keys), heads, e, rows(qkv)].map(|n| n as u32);
            for_rows(rows(out), heads, &[&params[..], &[scale.to_bits()]].concat())
        }
        Op::AppendMeans { x, rows, out } => {
            elements(out, &[len(x) as u32, cols(x) as u32, cols(rows) as u32])
        }
        Op::QkFix { qkv, dp, out, .. } => {
            let [t, h, e, scale] = heads(dp, cols(qkv) / 3);
            by_row(len(out), &[t, h, e, axis(dp, 0) as u32, scale])
        }
        Op::Metric { logits, targets, answers, measure, out, .. } => {
            by_row(len(out), &metric_params(cols(logits), cols(targets), answers, measure))
        }
        Op::MetricGrad { dy, logits, targets, answers, measure, .. } => {
            by_row(len(dy), &metric_params(cols(logits), cols(targets), answers, measure))
        }
    }
}

/// What the shaders of a metric are told after the number of rows.
fn metric_params(n_vocab: usize, targets: usize, answers: usize, measure: Measure) -> [u32; 4] {
    let measure = match measure {
        Measure::LogProb => 0,
        Measure::ProbDiff => 1,
        Measure::Divergence => 2,
    };
    [n_vocab as u32, targets as u32, answers as u32, measure]
}

/// About how many floating-point operations an op takes: enough to tell a long submit from a short
/// one.
fn work(tape: &Tape, op: &Op) -> f64 {
    let len = |buf: Buf| tape.info(buf).len() as f64;
    let cols = |buf: Buf| tape.info(buf).cols() as f64;
    match *op {
        Op::Linear { x, out, .. } | Op::LinearT { x, out, .. } => 2.0 * len(out) * cols(x),
        Op::AttentionPattern { qkv, out } => 2.0 * len(out) * cols(qkv),
        Op::AttentionMix { pattern, out, .. } | Op::AttentionMixGradV { pattern, out, .. } => {
            2.0 * len(out) * cols(pattern)
        }
        Op::AttentionMixGradPattern { dz, out, .. } => 2.0 * len(out) * cols(dz),
        Op::AttentionScoresGrad { ds, out, .. } => 2.0 * len(out) * cols(ds),
        Op::AttentionRows { keys, out, .. } => 6.0 * len(out) * cols(keys),
        Op::QkFix { qkv, dp, .. } => 3.0 * len(dp) * cols(qkv),
        Op::Metric { logits, .. } => 10.0 * len(logits),
        _ => op.writes().into_iter().map(|buf| 10.0 * len(buf)).sum(),
    }
}

/// Folds workgroups into two axes. The last row may be longer than needed.
fn grid(groups: usize) -> (u32, u32) {
    let x = groups.clamp(1, MAX_GROUPS);
    (x as u32, groups.div_ceil(x) as u32)
}

#[cfg(test)]
mod tests {
    use relp_tape::Needed;

    use super::*;
    use crate::fuse::Fuse;

    #[test]
    fn what_prompts_have_in_common_is_left_out_by_products_norms_and_attention() {
        let mut tape = Tape::new();
        let ids = tape.ids("ids", &[2, 6], 9);
        let [tokens, positions] =
            [("tokens", 9), ("positions", 6)].map(|(name, rows)| tape.weight(name, &[rows, 4]));
        let [gain, shift] = ["gain", "shift"].map(|name| tape.weight(name, &[4]));
        let w = tape.weight("w", &[4, 12]);
        let x = tape.embed("x", ids, tokens, positions);
        let (norm, _) = tape.layer_norm("norm", x, gain, shift, 1e-5);
        let qkv = tape.linear("qkv", norm, w, None);
        let pattern = tape.attention_pattern("pattern", qkv, 2);
        let z = tape.attention_mix("z", pattern, qkv);
        tape.output(z);
        let needed = Needed::of(&tape);
        let fuse =
            Fuse { tape: &tape, is_whole: |_| true, has_prologue: |_| false, most_buffers: 8 };
        let listed: Vec<_> = fuse
            .groups()
            .iter()
            .map(|group| {
                let (rows, tuning) =
                    (needed.rows(group.first + group.main()), Tuning::all(Variant::Tile));
                let kernel = Kernel::of(&tape, group, rows, tuning, |_| Form::default());
                // All rows take as many workgroups as without a list, and of each position as many.
                let each = kernel.list.map(|(listed, _)| {
                    assert_eq!(listed.grid(listed.of), kernel.grid);
                    (listed.rows, listed.of, listed.grid(7).0)
                });
                (kernel.shader.name, each)
            })
            .collect();
        let distinct = |workgroups| Some((Rows::Distinct, 12, workgroups));
        let expected = [
            ("embed", None),
            ("layer_norm", distinct(7)),
            ("linear", distinct(1)),
            ("attention", distinct(14)),
        ];
        assert_eq!(listed, expected);
    }

    #[test]
    fn a_grid_covers_its_groups_within_the_limit() {
        for groups in [0, 1, MAX_GROUPS, MAX_GROUPS + 1, 10 * MAX_GROUPS - 1, 1 << 26] {
            let (x, y) = grid(groups);
            assert!(x as usize * y as usize >= groups);
            assert!(x as usize <= MAX_GROUPS && y as usize <= MAX_GROUPS);
        }
    }
}
