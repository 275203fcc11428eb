//! Scores, logits and activations against figures of an independent implementation
//! (`tests/data/golden/README.md`).

use std::collections::HashMap;
use std::path::Path;

use relp_cpu::Cpu;
use relp_model::{
    Attribution, Checkpoint, Config, Direction, Method, Metric, Neuron, Pair, Recipe, Request,
    Rules, Run, Site, Token, gpt2,
};
use relp_tape::{Buf, Content, Feed, Outputs, Tape, reference};
use relp_tests::compare::{Tolerance, compare};
use safetensors::SafeTensors;
use safetensors::tensor::TensorView;

use crate::ops::cpu;

/// A golden model with its figures.
pub(crate) struct Golden {
    name: &'static str,
    pub(crate) config: Config,
    weights: HashMap<String, Vec<f32>>,
    figures: Vec<u8>,
    more: Vec<u8>,
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
                let bytes = tensor.bytes.start as usize..tensor.bytes.end as usize;
                (tensor.name.clone(), tensor.dtype.to_f32(&file[bytes]))
            };
            let weights = checkpoint.tensors.iter().map(widen).collect();
            Self {
                name,
                config,
                weights,
                figures: read("figures.safetensors"),
                more: read("more.safetensors"),
            }
        })
    }

    /// Calls `f` with the tensor of this name.
    fn tensor<T>(&self, name: &str, f: impl FnOnce(&TensorView<'_>) -> T) -> T {
        for file in [&self.figures, &self.more] {
            if let Ok(tensor) = SafeTensors::deserialize(file).unwrap().tensor(name) {
                return f(&tensor);
            }
        }
        panic!("there is no golden {name}");
    }

    fn names(&self) -> Vec<String> {
        let names = |file: &[u8]| {
            let file = SafeTensors::deserialize(file).unwrap();
            file.names().into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        let mut names = [names(&self.figures), names(&self.more)].concat();
        names.sort();
        names
    }

    fn f64(&self, name: &str) -> Vec<f64> {
        self.tensor(name, |tensor| {
            let numbers = tensor.data().as_chunks().0.iter();
            numbers.map(|&bytes| f64::from_le_bytes(bytes)).collect()
        })
    }

    /// Token ids, and how many a row.
    fn ids(&self, name: &str) -> (Vec<u32>, usize) {
        self.tensor(name, |tensor| {
            let ids = tensor.data().as_chunks().0.iter();
            let cols = tensor.shape().get(1).copied().unwrap_or(1);
            (ids.map(|&bytes| i64::from_le_bytes(bytes) as u32).collect(), cols)
        })
    }

    /// The pairs, with an answer and a foil each.
    pub(crate) fn pairs(&self) -> Vec<Pair> {
        self.pairs_with("answer", "foil")
    }

    /// The pairs with several of them.
    fn pairs_with_several(&self) -> Vec<Pair> {
        self.pairs_with("answers", "foils")
    }

    fn pairs_with(&self, answers: &str, foils: &str) -> Vec<Pair> {
        let token = |&id: &u32| Token { id, text: String::new() };
        let (clean, positions) = self.ids("clean");
        let (corrupted, _) = self.ids("corrupt");
        let (answers, per_answer) = self.ids(answers);
        let (foils, per_foil) = self.ids(foils);
        let prompts = clean.chunks(positions).zip(corrupted.chunks(positions));
        let targets = answers.chunks(per_answer).zip(foils.chunks(per_foil));
        prompts
            .zip(targets)
            .map(|((clean, corrupted), (answers, foils))| Pair {
                clean: clean.iter().map(token).collect(),
                corrupted: corrupted.iter().map(token).collect(),
                answers: answers.iter().map(token).collect(),
                foils: foils.iter().map(token).collect(),
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

pub(crate) type Runner<'a> = &'a mut dyn FnMut(&Tape, &Feed) -> Outputs;

/// What a golden of scores is of, by its name there: `METHOD[+REPLACE][@METRIC][+several].DIRECTION.SITE`.
#[derive(Clone, Debug, PartialEq)]
struct Asked {
    request: Request,
    several: bool,
}

impl Asked {
    /// The question and its site; `None` of a golden that is no map of scores.
    fn of(name: &str) -> Option<(Self, Site)> {
        let [method, direction, site] = name.split('.').collect::<Vec<_>>()[..] else {
            return None;
        };
        let mut request = Request {
            direction: direction.parse().ok()?,
            rules: Rules::NONE,
            steps: 5,
            ..Request::default()
        };
        let mut words = method.split(['+', '@']).peekable();
        let method = words.next()?;
        let mut several = false;
        let mut rules = None;
        for word in words {
            match word {
                "ah" => rules = Some(Rules { ah: true, half: false, ..Rules::RELP }),
                "several" => several = true,
                word => match (word.parse(), word.parse()) {
                    (Ok(replace), _) => request.replace = replace,
                    (_, Ok(metric)) => request.metric = metric,
                    _ => panic!("{name}: {word}"),
                },
            }
        }
        let relp = Rules { half: false, ..Rules::RELP };
        (request.method, request.rules) = match method {
            "ln" => (Method::Relp, Rules { ln: true, ..Rules::NONE }),
            "relp" => (Method::Relp, rules.unwrap_or(relp)),
            "ig-inputs-5" => (Method::IgInputs, Rules::NONE),
            "ig-activations-5" => (Method::IgActivations, Rules::NONE),
            other => (other.parse().unwrap_or_else(|error| panic!("{name}: {error}")), Rules::NONE),
        };
        Some((Self { request, several }, site.parse().ok()?))
    }
}

/// Every fifth neuron, since patching all of them takes a while.
pub(crate) fn some_neurons(config: &Config, positions: usize) -> Vec<Neuron> {
    let all = (0..config.n_layer * positions * config.d_mlp).step_by(5);
    let neuron = |i: usize| Neuron {
        layer: i / config.d_mlp / positions,
        position: i / config.d_mlp % positions,
        neuron: i % config.d_mlp,
    };
    all.map(neuron).collect()
}

/// Compares every golden, and reports all that differ. Of the methods that take one pair at a time, at
/// most so many pairs are run.
fn check_all(most_pairs: usize, run: Runner<'_>) {
    let mut faults = Vec::new();
    let mut compared = 0;
    for golden in Golden::all() {
        let mut check = |what: &str, expected: &[f64], found: &[f32], tolerance| {
            compared += 1;
            let what = format!("{} {what}", golden.name);
            faults.extend(compare(&what, expected, found, tolerance).err());
        };
        check_scores(&golden, most_pairs, run, &mut check);
        check_forward(&golden, run, &mut check);
    }
    // All of both files but the inputs and the corrupted logits and the metrics, which the runs check.
    assert_eq!(compared, 2 * 489, "goldens went missing");
    let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert!(faults.is_empty(), "{} of {compared} differ:\n{}", faults.len(), faults.join("\n"));
}

type Check<'a> = &'a mut dyn FnMut(&str, &[f64], &[f32], Tolerance);

/// All maps of scores, those of a question in one run.
fn check_scores(golden: &Golden, most_pairs: usize, run: Runner<'_>, check: Check<'_>) {
    let mut questions: Vec<(Asked, Vec<(String, Site)>)> = Vec::new();
    for name in golden.names() {
        let Some((asked, site)) = Asked::of(&name) else { continue };
        match questions.iter_mut().find(|(other, _)| *other == asked) {
            Some((_, sites)) => sites.push((name, site)),
            None => questions.push((asked, vec![(name, site)])),
        }
    }
    for (mut asked, sites) in questions {
        let pairs = if asked.several { golden.pairs_with_several() } else { golden.pairs() };
        let positions = pairs[0].positions();
        let d_mlp = golden.config.d_mlp;
        asked.request.sites = sites.iter().map(|&(_, site)| site).collect();
        asked.request.neurons = some_neurons(&golden.config, positions);
        let runs = runs(golden, &asked.request, &pairs, most_pairs, run);
        check_metrics(golden, &asked, &runs);
        for (name, site) in sites {
            let mut expected = golden.f64(&name);
            expected.truncate(expected.len() / pairs.len() * runs.len());
            let mut found: Vec<f32> =
                runs.iter().flat_map(|run| run.scores[&site].clone()).collect();
            if (asked.request.method, site) == (Method::Ap, Site::Post) {
                let cells = golden.config.n_layer * positions * d_mlp;
                let patched = |i: &usize| (i % cells).is_multiple_of(5);
                expected = (0..expected.len()).filter(patched).map(|i| expected[i]).collect();
                found = (0..found.len()).filter(patched).map(|i| found[i]).collect();
            }
            // Differences of probabilities are small numbers.
            let tolerance = match asked.request.metric {
                Metric::ProbDiff => Tolerance { absolute: 1e-8, ..Tolerance::GOLDEN },
                _ => Tolerance::GOLDEN,
            };
            check(&name, &expected, &found, tolerance);
        }
    }
}

/// The runs of a question: of RelP and AtP all pairs as one batch, of the others pair by pair.
fn runs(
    golden: &Golden,
    request: &Request,
    pairs: &[Pair],
    most_pairs: usize,
    run: Runner<'_>,
) -> Vec<Run> {
    if !matches!(request.method, Method::Relp | Method::Atp) {
        let pairs = pairs.iter().take(most_pairs);
        return pairs.map(|pair| scores(golden, request, pair, run)).collect();
    }
    let recipe = Recipe::new(request, &pairs[0]);
    let attribution = Attribution::record(&golden.config, pairs.len(), &recipe);
    let mut feed = attribution.feed(pairs, request.direction);
    golden.feed_weights(attribution.tape(), &mut feed);
    attribution.read(&run(attribution.tape(), &feed), request.direction)
}

/// The metric that is shown is that of the goldens.
fn check_metrics(golden: &Golden, asked: &Asked, runs: &[Run]) {
    let several = if asked.several { ".several" } else { "" };
    let expected = golden.f64(&format!("metric.{}{several}", asked.request.metric));
    for (run, expected) in runs.iter().zip(expected.chunks(2)) {
        for (expected, found) in expected.iter().zip([run.metric_clean, run.metric_corrupted]) {
            let close = (expected - found).abs() <= 1e-5 * (1.0 + expected.abs());
            assert!(close, "{:?}: {expected} {found}", asked.request);
        }
    }
}

/// A request of a pair of tokens, which has no text.
pub(crate) fn request(method: Method, direction: Direction, sites: &[Site]) -> Request {
    let sites = sites.to_vec();
    Request { method, rules: Rules::NONE, direction, sites, ..Request::default() }
}

/// All parts of the work on a pair.
pub(crate) fn scores(golden: &Golden, request: &Request, pair: &Pair, run: Runner<'_>) -> Run {
    let recipe = Recipe::new(request, pair);
    let parts = recipe.parts(&golden.config);
    let mut parts = parts.iter().map(|part| {
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

fn check_forward(golden: &Golden, run: Runner<'_>, check: Check<'_>) {
    let mut check =
        |what: &str, found: &[f32]| check(what, &golden.f64(what), found, Tolerance::GOLDEN);
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
    check_all(usize::MAX, &mut reference);
}

#[test]
fn the_cpu_reproduces_them() {
    for panels in cpu::PANELS {
        let cpu = || Cpu::with_panels(panels);
        check_all(usize::MAX, &mut |tape, feed| cpu::run_on(cpu(), tape, feed).unwrap());
    }
}

#[cfg(target_arch = "x86_64")]
#[test]
fn the_cpu_reproduces_them_with_narrow_vectors() {
    assert!(relp_cpu::narrow_vectors(), "this processor lacks AVX2");
    check_all(usize::MAX, &mut |tape, feed| cpu::run(tape, feed).unwrap());
}

mod gpu {
    use super::check_all;
    use crate::ops::gpu;

    #[test]
    fn the_gpu_reproduces_them() {
        let mut device = gpu::gpu();
        for variant in relp_gpu::Variant::ALL {
            device.tune(relp_gpu::Tuning::all(variant));
            // A driver that computes on the CPU takes its time.
            check_all(1, &mut |tape, feed| gpu::run(&mut device, tape, feed).unwrap());
        }
    }
}

#[test]
#[should_panic(expected = "differ")]
fn a_wrong_sign_is_noticed() {
    check_all(1, &mut |tape, feed| {
        let values = reference::run(tape, feed).unwrap();
        let flip = |buf: Buf| if tape.name(buf).contains("attn_out") { -1.0 } else { 1.0 };
        let flipped = |&buf: &Buf| (buf, values.f32(buf).iter().map(|x| flip(buf) * x).collect());
        Outputs::new(tape.outputs().iter().map(flipped).collect())
    });
}
