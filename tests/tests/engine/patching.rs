//! Exact patching against a naive loop of one forward pass a patch, and what is known of every
//! method without a golden.

use relp_model::{
    Direction, Method, Metric, Pair, Patch, Recipe, Replace, Request, Rules, Site, Sweep, gpt2,
};
use relp_tape::{Buf, Feed, Outputs, Tape};
use relp_tests::compare::{Tolerance, assert_close};

use crate::goldens::{Golden, Runner, reference, request, scores, some_neurons};
use crate::ops::cpu;

/// The sites that the naive loop knows how to patch. The goldens have all of them.
const NAIVE: [Site; 6] =
    [Site::ResidPre, Site::Z, Site::AttnOut, Site::ResidMid, Site::MlpOut, Site::ResidPost];

fn on_cpu(tape: &Tape, feed: &Feed) -> Outputs {
    cpu::run(tape, feed).unwrap()
}

/// logit(answer) − logit(foil) of the base run with one patch, by a forward pass from the patched
/// layer on.
fn naive(golden: &Golden, pair: &Pair, direction: Direction, patch: Option<Patch>) -> f64 {
    let config = &golden.config;
    let (t, d) = (pair.positions(), config.d_model);
    let forward = |resid: Option<(usize, Vec<f32>)>| {
        let mut tape = Tape::new();
        let mut feed = Feed::new();
        let (base, source) = direction.prompts();
        let ids = [base, source].map(|p| pair.tokens(p).iter().map(|token| token.id));
        let (layers, normed) = match resid {
            None => {
                let (tokens, forward) = gpt2::forward(&mut tape, config, 2, t);
                feed.ids(tokens, ids.into_iter().flatten().collect());
                (forward.layers, forward.last_normed)
            }
            Some((layer, resid)) => {
                let x = tape.input("resid", &[1, t, d]);
                feed.values(x, resid);
                let forward = gpt2::forward_from(&mut tape, config, layer, x);
                (forward.layers, forward.last_normed)
            }
        };
        let logits = gpt2::logits(&mut tape, config, normed);
        golden.feed_weights(&tape, &mut feed);
        let values = relp_tape::reference::run(&tape, &feed).unwrap();
        let of = |buf: Buf| values.f64(buf).to_vec();
        let logits = of(logits);
        let metric = logits[pair.answers[0].id as usize] - logits[pair.foils[0].id as usize];
        let sites = layers.iter().map(|layer| NAIVE.map(|site| of(layer.site(site))));
        (metric, sites.collect::<Vec<_>>())
    };
    let (base_metric, acts) = forward(None);
    let Some(Patch { site, layer, position, component: head }) = patch else { return base_metric };
    // The residual stream after the layer, as the patch leaves it; before it for `resid_pre`.
    let act = |layer: usize, site: Site| {
        let index = NAIVE.iter().position(|&s| s == site).unwrap();
        let values = &acts[layer][index];
        let (base, source) = values.split_at(values.len() / 2);
        (base.to_vec(), source.to_vec())
    };
    let row = position * d..(position + 1) * d;
    let put = |(mut base, source): (Vec<f64>, Vec<f64>)| {
        base[row.clone()].copy_from_slice(&source[row.clone()]);
        base
    };
    let add = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a + b).collect::<Vec<f64>>();
    let mlp = |resid_mid: Vec<f64>| {
        let mut tape = Tape::new();
        let mut feed = Feed::new();
        let x = tape.input("resid", &[1, t, d]);
        feed.values(x, resid_mid.iter().map(|&x| x as f32).collect::<Vec<_>>());
        let weight = |tape: &mut Tape, name: &str, shape: &[usize]| {
            tape.weight(&format!("h.{layer}.{name}"), shape)
        };
        let gain = weight(&mut tape, "ln_2.weight", &[d]);
        let bias = weight(&mut tape, "ln_2.bias", &[d]);
        let (normed, _) = tape.layer_norm("ln2", x, gain, bias, config.eps);
        let w = weight(&mut tape, "mlp.c_fc.weight", &[d, config.d_mlp]);
        let b = weight(&mut tape, "mlp.c_fc.bias", &[config.d_mlp]);
        let pre = tape.linear("pre", normed, w, Some(b));
        let post = tape.gelu("post", pre);
        let w = weight(&mut tape, "mlp.c_proj.weight", &[config.d_mlp, d]);
        let b = weight(&mut tape, "mlp.c_proj.bias", &[d]);
        let out = tape.linear("out", post, w, Some(b));
        golden.feed_weights(&tape, &mut feed);
        let values = relp_tape::reference::run(&tape, &feed).unwrap();
        add(&resid_mid, values.f64(out))
    };
    let (next, resid) = match site {
        Site::ResidPre => (layer, put(act(layer, site))),
        Site::ResidPost => (layer + 1, put(act(layer, site))),
        Site::MlpOut => (layer + 1, add(&act(layer, Site::ResidMid).0, &put(act(layer, site)))),
        Site::ResidMid => (layer + 1, mlp(put(act(layer, site)))),
        Site::AttnOut => {
            (layer + 1, mlp(add(&act(layer, Site::ResidPre).0, &put(act(layer, site)))))
        }
        Site::Z => {
            let (mut z, source) = act(layer, site);
            let width = d / config.n_head;
            let block = position * d + head * width..position * d + (head + 1) * width;
            z[block.clone()].copy_from_slice(&source[block]);
            let mut tape = Tape::new();
            let mut feed = Feed::new();
            let x = tape.input("z", &[t, d]);
            feed.values(x, z.iter().map(|&x| x as f32).collect::<Vec<_>>());
            let w = tape.weight(&format!("h.{layer}.attn.c_proj.weight"), &[d, d]);
            let b = tape.weight(&format!("h.{layer}.attn.c_proj.bias"), &[d]);
            let out = tape.linear("attn_out", x, w, Some(b));
            golden.feed_weights(&tape, &mut feed);
            let values = relp_tape::reference::run(&tape, &feed).unwrap();
            (layer + 1, mlp(add(&act(layer, Site::ResidPre).0, values.f64(out))))
        }
        other => panic!("{other} is not patched here"),
    };
    forward(Some((next, resid.iter().map(|&x| x as f32).collect()))).0
}

#[test]
fn the_walk_finds_what_a_forward_pass_a_patch_finds() {
    for golden in Golden::all() {
        let pair = &golden.pairs()[0];
        for direction in Direction::ALL {
            let request = request(Method::Ap, direction, &NAIVE);
            let run = scores(&golden, &request, pair, &mut { reference });
            let base = naive(&golden, pair, direction, None);
            for site in NAIVE {
                let (heads, t) = (site.components(&golden.config), pair.positions());
                let mut expected = Vec::new();
                for layer in 0..golden.config.n_layer {
                    for position in 0..t {
                        for component in 0..heads {
                            let patch = Patch { site, layer, position, component };
                            expected.push(naive(&golden, pair, direction, Some(patch)) - base);
                        }
                    }
                }
                let what = format!("{direction} {site}");
                assert_close(&what, &expected, &run.scores[&site], Tolerance::GOLDEN);
            }
        }
    }
}

/// A sweep over all sites, with some neurons.
fn everywhere(golden: &Golden, pair: &Pair) -> Request {
    let mut request = request(Method::Ap, Direction::Denoise, &Site::PATCHED);
    request.neurons = some_neurons(&golden.config, pair.positions());
    request
}

/// Two runs of the same prompt: nothing that is put in differs from what is there.
fn no_ops(run: Runner<'_>) {
    for golden in Golden::all() {
        for metric in Metric::ALL {
            let mut pair = golden.pairs().remove(0);
            let (config, t) = (&golden.config, pair.positions());
            let request = Request { metric, ..everywhere(&golden, &pair) };
            // The patches of a pair that differs from its first position on.
            pair.clean[0].id = (pair.corrupted[0].id + 1) % config.n_vocab as u32;
            let recipe = Recipe::new(&request, &pair);
            let patches = recipe.parts(config).concat();
            pair.corrupted = pair.clean.clone();
            assert!(patches.len() > 2 * t * config.n_layer);
            let sweep = Sweep::record(config, &recipe, patches);
            let mut feed = sweep.feed(&pair, Direction::Denoise);
            golden.feed_weights(sweep.tape(), &mut feed);
            let run = sweep.read(&run(sweep.tape(), &feed), Direction::Denoise);
            for (site, scores) in run.scores {
                assert!(scores.iter().all(|&score| score == 0.0), "{metric} {site}: {scores:?}");
            }
        }
    }
}

#[test]
fn a_patch_that_changes_nothing_scores_exactly_zero() {
    no_ops(&mut reference);
    no_ops(&mut on_cpu);
}

#[test]
fn work_in_parts_adds_up_to_the_same() {
    let golden = &Golden::all()[0];
    let (config, pair) = (&golden.config, &golden.pairs()[1]);
    let t = pair.positions();
    let request = Request { metric: Metric::Kl, ..everywhere(golden, pair) };
    let recipe = Recipe::new(&request, pair);
    let patches = recipe.parts(config).concat();
    let whole = scores(golden, &request, pair, &mut { on_cpu });
    for most_rows in [40, 400, 10_000] {
        let parts = Patch::parts(patches.clone(), t, most_rows);
        assert_eq!(parts.concat(), patches);
        let rows = |part: &[Patch]| part.iter().map(|patch| t - patch.position).sum::<usize>();
        assert!(parts.iter().all(|part| part.len() == 1 || rows(part) <= most_rows));
        let mut sum: Option<relp_model::Run> = None;
        for part in parts {
            let sweep = Sweep::record(config, &recipe, part);
            let mut feed = sweep.feed(pair, request.direction);
            golden.feed_weights(sweep.tape(), &mut feed);
            let run = sweep.read(&on_cpu(sweep.tape(), &feed), request.direction);
            match &mut sum {
                None => sum = Some(run),
                Some(sum) => sum.add(&run),
            }
        }
        for (site, scores) in sum.unwrap().scores {
            assert_close(site.name(), &whole.scores[&site], &scores, Tolerance::GOLDEN);
        }
    }
}

#[test]
fn what_cannot_matter_is_zero_and_not_computed() {
    let golden = &Golden::all()[0];
    let (config, pair) = (&golden.config, &golden.pairs()[0]);
    let (t, first) = (pair.positions(), pair.differing()[0]);
    let request = everywhere(golden, pair);
    let patches = Recipe::new(&request, pair).parts(config).concat();
    assert!(patches.iter().all(|patch| patch.position >= first));
    let read_everywhere = [Site::ResidPre, Site::K, Site::V];
    let last = |patch: &&Patch| {
        patch.layer == config.n_layer - 1 && !read_everywhere.contains(&patch.site)
    };
    assert!(patches.iter().filter(last).all(|patch| patch.position == t - 1));
    let run = scores(golden, &request, pair, &mut { on_cpu });
    for (site, map) in &run.scores {
        for (cell, scores) in map.chunks(site.components(config)).enumerate() {
            let (layer, position) = (cell / t, cell % t);
            let computed = patches
                .iter()
                .any(|patch| (patch.site, patch.layer, patch.position) == (*site, layer, position));
            assert!(computed || scores.iter().all(|&score| score == 0.0));
        }
    }
    // An ablation can matter everywhere.
    let request = Request { replace: Replace::Zero, ..request };
    let patches = Recipe::new(&request, pair).parts(config).concat();
    assert!(patches.iter().any(|patch| patch.position == 0));
}

#[test]
fn integrated_gradients_converge_as_one_over_the_steps() {
    let golden = &Golden::all()[0];
    let pair = &golden.pairs()[0];
    for method in [Method::IgInputs, Method::IgActivations] {
        let error = |steps: usize| {
            let mut request = request(method, Direction::Denoise, &Site::PAPER);
            request.steps = steps;
            scores(golden, &request, pair, &mut on_cpu).convergence_error.unwrap()
        };
        let [few, more, most] = [16, 32, 128].map(error);
        // Right sums: half the error for twice the steps, but for terms of higher order.
        assert!((1.6..2.5).contains(&(few / more)), "{method}: {few} {more}");
        assert!((3.2..5.0).contains(&(more / most)), "{method}: {more} {most}");
    }
}

#[test]
fn with_one_step_the_gradient_is_that_of_the_source_run() {
    let golden = &Golden::all()[1];
    let pair = &golden.pairs()[0];
    let mut one = request(Method::IgInputs, Direction::Denoise, &Site::PATCHED);
    one.steps = 1;
    let found = scores(golden, &one, pair, &mut on_cpu);
    // The gradient on the source run times (source − base): attribution patching the other way round,
    // with the other sign.
    let other = request(Method::Atp, Direction::Noise, &Site::PATCHED);
    let expected = scores(golden, &other, pair, &mut on_cpu);
    for (site, scores) in expected.scores {
        let expected: Vec<f32> = scores.iter().map(|score| -score).collect();
        assert_close(site.name(), &expected, &found.scores[&site], Tolerance::GOLDEN);
    }
}

#[test]
fn a_head_site_adds_up_to_its_layer() {
    // What flows through z is all that flows through attn_out, for whatever is linear in it.
    let golden = &Golden::all()[0];
    let pair = &golden.pairs()[0];
    for rules in [Rules::NONE, Rules::RELP] {
        let mut request = request(Method::Relp, Direction::Denoise, &[Site::Z, Site::AttnOut]);
        request.rules = rules;
        let run = scores(golden, &request, pair, &mut on_cpu);
        let heads = golden.config.n_head;
        let sums: Vec<f32> = run.scores[&Site::Z].chunks(heads).map(|z| z.iter().sum()).collect();
        assert_close("attn_out", &run.scores[&Site::AttnOut], &sums, Tolerance::GOLDEN);
    }
}

mod gpu {
    use super::no_ops;
    use crate::ops::gpu;

    #[test]
    fn a_patch_that_changes_nothing_scores_exactly_zero() {
        let mut device = gpu::gpu();
        for variant in relp_gpu::Variant::ALL {
            device.tune(relp_gpu::Tuning::all(variant));
            no_ops(&mut |tape, feed| gpu::run(&mut device, tape, feed).unwrap());
        }
    }
}

#[test]
fn with_one_layer_atp_star_is_the_size_of_attribution_patching() {
    let mut golden = Golden::all().into_iter().next().unwrap();
    golden.config.n_layer = 1;
    let pair = &golden.pairs()[0];
    let sites = [Site::ResidPre, Site::V, Site::Pattern, Site::Z, Site::Post, Site::MlpOut];
    let plain = scores(&golden, &request(Method::Atp, Direction::Noise, &sites), pair, &mut on_cpu);
    let star = request(Method::AtpStar, Direction::Noise, &sites);
    let star = scores(&golden, &star, pair, &mut on_cpu);
    for (site, scores) in plain.scores {
        let sizes: Vec<f32> = scores.iter().map(|score| score.abs()).collect();
        assert_close(site.name(), &sizes, &star.scores[&site], Tolerance::GOLDEN);
    }
}

#[test]
fn the_mean_of_one_position_is_over_that_position() {
    let golden = &Golden::all()[0];
    let mut pair = golden.pairs().remove(0);
    pair.clean.truncate(1);
    pair.corrupted = vec![relp_model::Token { id: pair.clean[0].id ^ 1, text: String::new() }];
    let mut by_patch = request(Method::Ap, Direction::Denoise, &[Site::ResidPre, Site::MlpOut]);
    by_patch.replace = Replace::Mean;
    let run = scores(golden, &by_patch, &pair, &mut on_cpu);
    // Half way between the runs; of the last stream, all that is left is a LayerNorm.
    assert!(run.scores[&Site::ResidPre].iter().all(|score| score.is_finite() && *score != 0.0));
}
