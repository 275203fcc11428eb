//! Scores, logits and activations against figures of an independent implementation
//! (`tests/data/golden/README.md`).

use std::collections::HashMap;
use std::path::Path;

use relp_model::{
    Attribution, Checkpoint, Config, Direction, Method, Pair, PairText, Recipe, Request, Rules,
    Site, Token, gpt2,
};
use relp_tape::{Buf, Content, Feed, Outputs, Tape, reference};
use relp_tests::compare::{Tolerance, compare};
use safetensors::SafeTensors;

/// A golden model with its figures.
pub(crate) struct Golden {
    name: &'static str,
    pub(crate) config: Config,
    weights: HashMap<String, Vec<f32>>,
    figures: Vec<u8>,
}

impl Golden {
    pub(crate) fn all() -> [Self; 2] {
        ["tiny-a", "tiny-b"].map(|name| {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/golden").join(name);
            let read = |file: &str| std::fs::read(folder.join(file)).unwrap();
            let config = Config::from_json(&read("config.json")).unwrap();
            let file = read("model.safetensors");
            let checkpoint = Checkpoint::from_file(&file, &config).unwrap();
            let widen = |tensor: &relp_model::TensorInfo| {
                (tensor.name.clone(), tensor.dtype.to_f32(&file[tensor.bytes.clone()]))
            };
            let weights = checkpoint.tensors.iter().map(widen).collect();
            Self { name, config, weights, figures: read("figures.safetensors") }
        })
    }

    fn f64(&self, name: &str) -> Vec<f64> {
        let figures = SafeTensors::deserialize(&self.figures).unwrap();
        let data = figures.tensor(name).unwrap_or_else(|error| panic!("{name}: {error}")).data();
        data.as_chunks().0.iter().map(|&bytes| f64::from_le_bytes(bytes)).collect()
    }

    /// Token ids, and how many a row.
    fn ids(&self, name: &str) -> (Vec<u32>, usize) {
        let figures = SafeTensors::deserialize(&self.figures).unwrap();
        let tensor = figures.tensor(name).unwrap();
        let ids = tensor.data().as_chunks().0.iter();
        let cols = tensor.shape().get(1).copied().unwrap_or(1);
        (ids.map(|&bytes| i64::from_le_bytes(bytes) as u32).collect(), cols)
    }

    pub(crate) fn pairs(&self) -> Vec<Pair> {
        let token = |&id: &u32| Token { id, text: String::new() };
        let (clean, positions) = self.ids("clean");
        let (corrupted, _) = self.ids("corrupt");
        let (answers, _) = self.ids("answer");
        let (foils, _) = self.ids("foil");
        let prompts = clean.chunks(positions).zip(corrupted.chunks(positions));
        let targets = answers.iter().zip(&foils);
        prompts
            .zip(targets)
            .map(|((clean, corrupted), (answer, foil))| Pair {
                clean: clean.iter().map(token).collect(),
                corrupted: corrupted.iter().map(token).collect(),
                answer: token(answer),
                foil: token(foil),
            })
            .collect()
    }

    /// Adds the weights that a tape reads.
    pub(crate) fn feed_weights(&self, tape: &Tape, feed: &mut Feed) {
        for (buf, info) in tape.bufs() {
            if info.content == Content::Weight {
                feed.values(buf, self.weights[&info.name].clone());
            }
        }
    }
}

/// The rule sets that the goldens have, by their name there.
const RULES: [(&str, Rules); 4] = [
    ("atp", Rules::NONE),
    ("ln", Rules { ln: true, ..Rules::NONE }),
    ("relp", Rules { half: false, ..Rules::RELP }),
    ("relp+ah", Rules { ah: true, half: false, ..Rules::RELP }),
];

pub(crate) type Runner<'a> = &'a mut dyn FnMut(&Tape, &Feed) -> Outputs;

/// Compares every golden that `run` can be compared with, and reports all that differ.
fn check_all(run: Runner<'_>) {
    let mut faults = Vec::new();
    let mut compared = 0;
    for golden in Golden::all() {
        let mut check = |what: &str, found: &[f32]| {
            compared += 1;
            let expected = golden.f64(what);
            let what = format!("{} {what}", golden.name);
            faults.extend(compare(&what, &expected, found, Tolerance::GOLDEN).err());
        };
        check_scores(&golden, run, &mut check);
        check_methods(&golden, run, &mut check);
        check_forward(&golden, run, &mut check);
    }
    assert_eq!(
        compared,
        2 * (RULES.len() * (6 + 3) + (6 + 3) + 2 * 3 + 1 + 8),
        "goldens went missing"
    );
    let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert!(faults.is_empty(), "{} of {compared} differ:\n{}", faults.len(), faults.join("\n"));
}

fn check_scores(golden: &Golden, run: Runner<'_>, check: &mut dyn FnMut(&str, &[f32])) {
    let pairs = golden.pairs();
    for (method, rules) in RULES {
        for direction in Direction::ALL {
            let positions = pairs[0].positions();
            let attribution =
                Attribution::record(&golden.config, pairs.len(), positions, &Site::ALL, rules);
            let mut feed = attribution.feed(&pairs, direction);
            golden.feed_weights(attribution.tape(), &mut feed);
            let outputs = run(attribution.tape(), &feed);
            let runs = attribution.read(&outputs, direction);
            let sites = match direction {
                Direction::Denoise => Site::ALL.as_slice(),
                Direction::Noise => Site::PAPER.as_slice(),
            };
            for &site in sites {
                let found: Vec<f32> =
                    runs.iter().flat_map(|run| run.scores[&site].clone()).collect();
                check(&format!("{method}.{direction}.{site}"), &found);
            }
            // The metric that is shown is that of the golden logits.
            for (run, (clean, corrupted)) in runs.iter().zip(golden_metrics(golden, &pairs)) {
                for (expected, found) in
                    [(clean, run.metric_clean), (corrupted, run.metric_corrupted)]
                {
                    assert!(
                        (expected - found).abs() <= 1e-4 * (1.0 + expected.abs()),
                        "{expected} {found}"
                    );
                }
            }
        }
    }
}

/// The methods that take one pair at a time: each part of each pair's work.
fn check_methods(golden: &Golden, run: Runner<'_>, check: &mut dyn FnMut(&str, &[f32])) {
    for (name, method, direction, sites) in [
        ("ap", Method::Ap, Direction::Denoise, Site::ALL.as_slice()),
        ("ap", Method::Ap, Direction::Noise, Site::PAPER.as_slice()),
        ("ig-inputs-5", Method::IgInputs, Direction::Denoise, Site::PAPER.as_slice()),
        ("ig-activations-5", Method::IgActivations, Direction::Denoise, Site::PAPER.as_slice()),
    ] {
        let request = request(method, direction, sites);
        let runs: Vec<_> =
            golden.pairs().iter().map(|pair| scores(golden, &request, pair, run)).collect();
        for site in sites {
            let found: Vec<f32> = runs.iter().flat_map(|run| run.scores[site].clone()).collect();
            check(&format!("{name}.{direction}.{site}"), &found);
        }
    }
}

/// A request of a pair of tokens, which has no text.
pub(crate) fn request(method: Method, direction: Direction, sites: &[Site]) -> Request {
    Request {
        pair: PairText::default(),
        method,
        rules: Rules::NONE,
        direction,
        sites: sites.to_vec(),
        normalise: false,
        steps: 5,
    }
}

/// All parts of the work on a pair.
pub(crate) fn scores(
    golden: &Golden,
    request: &Request,
    pair: &Pair,
    run: Runner<'_>,
) -> relp_model::Run {
    let recipe = Recipe::new(request, pair);
    let mut parts = (0..recipe.parts(&golden.config)).map(|part| {
        let computation = recipe.record(&golden.config, part);
        let mut feed = computation.feed(pair, request.direction);
        golden.feed_weights(computation.tape(), &mut feed);
        computation.read(&run(computation.tape(), &feed), request.direction)
    });
    let mut whole = parts.next().unwrap();
    parts.for_each(|part| whole.add(&part));
    whole
}

/// The reference executor as a runner.
pub(crate) fn reference(tape: &Tape, feed: &Feed) -> Outputs {
    let values = reference::run(tape, feed).unwrap();
    Outputs::new(tape.outputs().iter().map(|&buf| (buf, values.f32(buf))).collect())
}

/// logit(answer) − logit(foil) on the clean and on the corrupted prompt of each pair.
fn golden_metrics(golden: &Golden, pairs: &[Pair]) -> Vec<(f64, f64)> {
    let v = golden.config.n_vocab;
    let [clean, corrupted] = ["logits.clean", "logits.corrupt"].map(|name| golden.f64(name));
    let metric = |logits: &[f64], index: usize, pair: &Pair| {
        let last = &logits[((index + 1) * pair.positions() - 1) * v..][..v];
        last[pair.answer.id as usize] - last[pair.foil.id as usize]
    };
    let of = |(index, pair)| (metric(&clean, index, pair), metric(&corrupted, index, pair));
    pairs.iter().enumerate().map(of).collect()
}

fn check_forward(golden: &Golden, run: Runner<'_>, check: &mut dyn FnMut(&str, &[f32])) {
    let (clean, positions) = golden.ids("clean");
    let batch = clean.len() / positions;
    let config = &golden.config;
    let mut tape = Tape::new();
    let (ids, forward) = gpt2::forward(&mut tape, config, batch, positions);
    // Logits at every position, which an attribution does not need.
    let last = forward.layers[config.n_layer - 1].resid_post;
    let gain = tape.weight("ln_f.weight", &[config.d_model]);
    let bias = tape.weight("ln_f.bias", &[config.d_model]);
    let (normed, _) = tape.layer_norm("ln_final", last, gain, bias, config.eps);
    let logits = gpt2::logits(&mut tape, config, normed);
    tape.output(logits);
    let layers = &forward.layers;
    type Pick = fn(&gpt2::Layer) -> Buf;
    let sites: [(&str, Pick); 8] = [
        ("resid_pre", |layer| layer.resid_pre),
        ("attn_out", |layer| layer.attn_out),
        ("resid_mid", |layer| layer.resid_mid),
        ("mlp_out", |layer| layer.mlp_out),
        ("resid_post", |layer| layer.resid_post),
        ("z", |layer| layer.z),
        ("pattern", |layer| layer.pattern),
        ("post", |layer| layer.post),
    ];
    for (_, pick) in sites {
        layers.iter().for_each(|layer| tape.output(pick(layer)));
    }
    let mut feed = Feed::new();
    feed.ids(ids, clean);
    golden.feed_weights(&tape, &mut feed);
    let outputs = run(&tape, &feed);
    check("logits.clean", outputs.get(logits));
    for (site, pick) in sites {
        // Ours are [L][B, …]; the goldens are [B, L, …].
        let by_layer: Vec<&[f32]> = layers.iter().map(|layer| outputs.get(pick(layer))).collect();
        let len = by_layer[0].len() / batch;
        let found: Vec<f32> = (0..batch)
            .flat_map(|b| by_layer.iter().flat_map(move |values| &values[b * len..][..len]))
            .copied()
            .collect();
        check(&format!("act.clean.{site}"), &found);
    }
}

#[test]
fn the_reference_reproduces_them() {
    check_all(&mut reference);
}

#[test]
fn the_cpu_reproduces_them() {
    check_all(&mut |tape, feed| crate::ops::cpu::run(tape, feed).unwrap());
}

mod gpu {
    use super::check_all;
    use crate::ops::gpu;

    #[test]
    fn the_gpu_reproduces_them() {
        let mut device = gpu::gpu();
        check_all(&mut |tape, feed| gpu::run(&mut device, tape, feed).unwrap());
    }
}

#[test]
#[should_panic(expected = "differ")]
fn a_wrong_sign_is_noticed() {
    check_all(&mut |tape, feed| {
        let values = reference::run(tape, feed).unwrap();
        let flip = |buf: Buf| if tape.name(buf).contains("attn_out") { -1.0 } else { 1.0 };
        let flipped = |&buf: &Buf| (buf, values.f32(buf).iter().map(|x| flip(buf) * x).collect());
        Outputs::new(tape.outputs().iter().map(flipped).collect())
    });
}
