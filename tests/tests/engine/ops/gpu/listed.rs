//! Ops of prompts that begin alike, each in a dispatch of its own, which leaves out what they have in common.

use pollster::block_on;
use relp_gpu::{Tuning, Variant};
use relp_tape::{Buf, Feed, Needed, Rows, Tape};
use relp_tests::compare::Tolerance;
use relp_tests::op_cases::Random;

use super::{assert_as_reference, gpu, random_values, upload};

const POSITIONS: usize = 6;
const WIDTH: usize = 12;
const HEADS: usize = 3;
const TOKENS: usize = 9;

/// Two pairs, base runs first, that have so much in common: nothing, some of it, base runs what their pairs have not, a
/// whole prompt.
const PROMPTS: [[u32; 4 * POSITIONS]; 4] = [
    [0, 1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 7, 1, 2, 3, 4, 5, 8, 1, 2, 3, 4, 5],
    [0, 1, 2, 3, 4, 5, 0, 1, 2, 6, 4, 5, 0, 1, 7, 3, 4, 5, 0, 1, 2, 6, 4, 8],
    [0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 6, 5, 7, 1, 2, 3, 4, 5, 0, 8, 2, 3, 6, 5],
    [0, 1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 7],
];

/// A layer of attention, forward and backward, with what is before it, and the effects of its residual stream. Between
/// ops that would be one dispatch there is another.
fn layer(random: &mut Random) -> (Tape, Feed, Buf) {
    let (mut tape, mut feed) = (Tape::new(), Feed::new());
    let mut given = |tape: &mut Tape, name: &str, shape: &[usize]| {
        random_values(tape, &mut feed, random, (name, shape, true))
    };
    let tokens = given(&mut tape, "tokens", &[TOKENS, WIDTH]);
    let positions = given(&mut tape, "positions", &[POSITIONS, WIDTH]);
    let [gain, shift] = ["gain", "shift"].map(|name| given(&mut tape, name, &[WIDTH]));
    let w = given(&mut tape, "w", &[WIDTH, 3 * WIDTH]);
    let coefficients = given(&mut tape, "coefficients", &[2, POSITIONS, WIDTH]);
    let ids = tape.ids("ids", &[4, POSITIONS], TOKENS as u32);
    let x = tape.embed("x", ids, tokens, positions);
    let between = |tape: &mut Tape| {
        let _ = tape.gelu("between", gain);
    };
    let (norm, stats) = tape.layer_norm("norm", x, gain, shift, 1e-5);
    between(&mut tape);
    let qkv = tape.linear("qkv", norm, w, None);
    let pattern = tape.attention_pattern("pattern", qkv, HEADS);
    between(&mut tape);
    let z = tape.attention_mix("z", pattern, qkv);
    [norm, stats, pattern, z].into_iter().for_each(|buf| tape.output(buf));
    let dp = tape.attention_mix_grad_pattern("dp", coefficients, qkv, HEADS);
    between(&mut tape);
    let ds = tape.softmax_grad("ds", dp, pattern);
    let dv = tape.attention_mix_grad_v("dv", coefficients, pattern);
    let dqk = tape.attention_scores_grad("dqk", ds, qkv);
    let d_norm = tape.linear_t("of q and k", dqk, w, 0, None);
    let d_norm = tape.linear_t("of v", dv, w, 2 * WIDTH, Some(d_norm));
    let dx = tape.layer_norm_grad("dx", d_norm, x, stats, gain, None, false);
    let effect = tape.delta_dot("effect", x, dx, 0, 1);
    tape.output(effect);
    (tape, feed, ids)
}

#[test]
fn rows_that_prompts_have_in_common_are_what_they_are_by_themselves() {
    let (tape, mut feed, ids) = layer(&mut Random::new(5));
    let needed = Needed::of(&tape);
    for (at, op) in tape.ops().iter().enumerate() {
        let is_of_all = ["embed", "gelu"].contains(&op.name());
        assert_eq!(needed.rows(at) == Rows::All, is_of_all, "{}", op.name());
    }
    let mut gpu = gpu();
    gpu.tune(Tuning::all(Variant::Tile));
    upload(&mut gpu, &tape, &feed).unwrap();
    let mut plan = block_on(gpu.plan(&tape)).unwrap();
    assert_eq!(plan.progress(), (0, tape.ops().len()), "a dispatch each");
    for (at, prompts) in PROMPTS.iter().chain(&PROMPTS[..1]).enumerate() {
        feed.ids(ids, prompts.to_vec());
        let found = block_on(gpu.run(&mut plan, &feed)).unwrap();
        let tolerance = Tolerance { relative: 1e-4, absolute: 1e-5 };
        assert_as_reference(&format!("prompts {at}"), (&tape, &feed), &found, tolerance);
    }
}
