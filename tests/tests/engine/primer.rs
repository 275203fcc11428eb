//! The bundled model through the whole engine, against its own golden (`tools/primer/golden.py`).

use std::future::ready;
use std::ops::Range;
use std::path::PathBuf;

use pollster::block_on;
use relp_engine::{
    Cancelled, Control, Engine, EngineError, Files, Hashing, InMemory, Uncontrolled, WeightSource,
};
use relp_model::{
    Choice, Direction, Figure, Kind, Method, PairText, Precision, Problem, Request, Rules, Site,
};
use relp_tests::compare::{Tolerance, assert_close, compare};
use relp_tests::hex;
use serde::Deserialize;
use sha2::{Digest, Sha256};

#[derive(Deserialize)]
struct Example {
    clean: String,
    corrupted: String,
    answer: String,
    foil: String,
}

pub(crate) fn file(name: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../models/primer");
    std::fs::read(folder.join(name)).unwrap()
}

pub(crate) fn engine(choice: Choice) -> Engine<InMemory> {
    engine_with(choice, Precision::F32)
}

pub(crate) fn engine_with(choice: Choice, precision: Precision) -> Engine<InMemory> {
    let (config, tokenizer) = (file("config.json"), file("tokenizer.json"));
    let files = Files { name: "primer", config: &config, tokenizer: &tokenizer, precision };
    let weights = InMemory(file("model.safetensors"));
    block_on(Engine::load(files, weights, choice, &mut Uncontrolled)).unwrap()
}

pub(crate) fn examples() -> Vec<Request> {
    let examples: Vec<Example> = serde_json::from_slice(&file("examples.json")).unwrap();
    let request = |example: Example| Request {
        pair: PairText {
            clean: example.clean,
            corrupted: example.corrupted,
            answers: vec![example.answer],
            foils: vec![example.foil],
            bos: true,
        },
        ..Request::default()
    };
    examples.into_iter().map(request).collect()
}

pub(crate) fn headline() -> Request {
    examples().remove(0)
}

pub(crate) fn run(engine: &mut Engine<InMemory>, request: &Request) -> Figure {
    block_on(engine.attribute(request, &mut Uncontrolled)).unwrap()
}

/// Compares a figure of the first example with what PyTorch computed in float64.
fn check_golden(engine: &mut Engine<InMemory>) {
    let golden: serde_json::Value = serde_json::from_slice(&file("golden.json")).unwrap();
    for method in [Method::Relp, Method::Atp] {
        let figure = run(engine, &Request { method, ..headline() });
        let ids = |tokens: &[relp_model::Token]| -> Vec<u64> {
            tokens.iter().map(|token| u64::from(token.id)).collect()
        };
        let golden_ids = |name: &str| -> Vec<u64> {
            golden[name].as_array().unwrap().iter().map(|id| id.as_u64().unwrap()).collect()
        };
        assert_eq!(ids(&figure.tokens.clean), golden_ids("clean"));
        assert_eq!(ids(&figure.tokens.corrupted), golden_ids("corrupted"));
        for site in Site::PAPER {
            let rows = golden[method.name()][site.name()].as_array().unwrap();
            let cells = rows.iter().flat_map(|row| row.as_array().unwrap());
            let expected: Vec<f64> = cells.map(|cell| cell.as_f64().unwrap()).collect();
            let what = format!("{method} {site} on {:?}", figure.executor);
            assert_close(&what, &expected, &figure.maps[&site].values, Tolerance::GOLDEN);
        }
        for (prompt, found) in
            [("clean", figure.metric.clean), ("corrupted", figure.metric.corrupted)]
        {
            let logit = |name: &str| golden["logits"][prompt][name].as_f64().unwrap();
            let expected = logit("answer") - logit("foil");
            assert!((expected - found).abs() <= 1e-4 * expected.abs() + 1e-6, "{expected} {found}");
        }
    }
}

#[test]
fn the_reference_reproduces_the_golden() {
    check_golden(&mut engine(Choice::Reference));
}

#[test]
fn the_cpu_reproduces_the_golden() {
    check_golden(&mut engine(Choice::Cpu));
}

#[test]
fn every_example_is_answered_and_rules_off_is_atp_bit_for_bit() {
    let mut engine = engine(Choice::Cpu);
    let examples = examples();
    assert!(examples.len() >= 8);
    for request in examples {
        let relp = run(&mut engine, &request);
        assert!(relp.metric.clean > 0.0, "{request:?}");
        let none = run(&mut engine, &Request { rules: Rules::NONE, ..request.clone() });
        let atp = run(&mut engine, &Request { method: Method::Atp, ..request.clone() });
        assert_eq!(none.maps, atp.maps);
        assert_ne!(relp.maps, atp.maps);
        for figure in [&none, &atp] {
            assert_eq!(figure.metric, relp.metric, "the forward pass never changes");
            assert_eq!(figure.predictions, relp.predictions, "the forward pass never changes");
        }
    }
}

#[test]
fn a_batch_of_directions_and_normalisation() {
    let mut engine = engine(Choice::Cpu);
    let raw = run(&mut engine, &headline());
    let normalised = run(&mut engine, &Request { normalise: true, ..headline() });
    let divisor = raw.metric.clean - raw.metric.corrupted;
    for site in Site::PAPER {
        let expected: Vec<f64> =
            raw.maps[&site].values.iter().map(|&x| f64::from(x) / divisor).collect();
        let tolerance = Tolerance { relative: 1e-6, absolute: 0.0 };
        assert_close(site.name(), &expected, &normalised.maps[&site].values, tolerance);
    }
    // Exchanging the prompts and the direction leaves base and source as they are.
    let pair = headline().pair;
    let swapped = PairText { clean: pair.corrupted.clone(), corrupted: pair.clean.clone(), ..pair };
    let noise =
        run(&mut engine, &Request { pair: swapped, direction: Direction::Noise, ..headline() });
    assert_eq!(noise.maps, raw.maps);
    assert_eq!(
        (noise.metric.clean, noise.metric.corrupted),
        (raw.metric.corrupted, raw.metric.clean)
    );
}

#[test]
fn a_figure_survives_json() {
    let figure = run(&mut engine(Choice::Cpu), &headline());
    let json = serde_json::to_string(&figure).unwrap();
    assert!(
        json.contains(r#""schema":"relp-figure/1""#)
            && json.contains(r#""rules":["ln","identity","half"]"#)
    );
    assert_eq!(serde_json::from_str::<Figure>(&json).unwrap(), figure);
}

#[test]
fn bad_pairs_are_explained_and_the_next_run_works() {
    let mut engine = engine(Choice::Cpu);
    let good = headline();
    let mut problems = |change: &dyn Fn(&mut Request)| -> Vec<Problem> {
        let mut request = good.clone();
        change(&mut request);
        match block_on(engine.attribute(&request, &mut Uncontrolled)) {
            Err(EngineError::Pair(problems)) => {
                let previewed = engine.reader().preview(&request.pair, request.metric).problems;
                let by_result = |p: &Problem| matches!(p, Problem::TooCloseToNormalise { .. });
                assert!(previewed == problems || problems.iter().all(by_result));
                problems
            }
            other => panic!("{other:?}"),
        }
    };
    let found = problems(&|r| r.pair.clean.push_str(" again"));
    assert!(matches!(found[..], [Problem::UnequalLength { .. }]), "{found:?}");
    let found = problems(&|r| r.pair.corrupted = r.pair.clean.clone());
    assert_eq!(found, [Problem::Identical]);
    let found = problems(&|r| (r.pair.clean, r.pair.answers) = ("  ".to_owned(), Vec::new()));
    assert!(matches!(found[..], [Problem::Empty { .. }, Problem::Empty { .. }]), "{found:?}");
    let found = problems(&|r| r.pair.clean = "When John and Mary went ".repeat(20));
    assert!(matches!(found[..], [Problem::TooLong { most: 64, .. }]), "{found:?}");
    let found = problems(&|r| r.pair.answers = vec![" Mary John".to_owned()]);
    assert!(matches!(found[..], [Problem::NotOneToken { .. }]), "{found:?}");
    let found = problems(&|r| r.pair.answers = vec![" Mary ".to_owned()]);
    assert!(found[0].to_string().ends_with("did you mean \" Mary\"?"), "{}", found[0]);
    let found = problems(&|r| r.pair.foils = r.pair.answers.clone());
    assert!(matches!(found[..], [Problem::SameAnswer { .. }]), "{found:?}");
    // A change that the model cannot tell apart by answer and foil.
    let found = problems(&|r| {
        r.normalise = true;
        r.pair.clean = "When John and Mary went to the shop".to_owned();
        r.pair.corrupted = "When John and Mary went to the park".to_owned();
        r.pair.answers = vec![" one".to_owned()];
        r.pair.foils = vec![" book".to_owned()];
    });
    assert!(matches!(found[..], [Problem::TooCloseToNormalise { .. }]), "{found:?}");
    run(&mut engine, &good);
}

/// Gives up at the n-th pause.
struct GiveUp(usize);

impl Control for GiveUp {
    async fn pause(&mut self, _done: u64, _total: u64) -> Result<(), Cancelled> {
        self.0 = self.0.checked_sub(1).ok_or(Cancelled)?;
        Ok(())
    }
}

#[test]
fn a_run_can_be_cancelled_and_run_again() {
    let mut engine = engine(Choice::Reference);
    let complete = run(&mut engine, &headline());
    let mut cancelled = 0;
    for pauses in 0..4 {
        match block_on(engine.attribute(&headline(), &mut GiveUp(pauses))) {
            Err(EngineError::Cancelled) => cancelled += 1,
            other => assert_eq!(other.unwrap(), complete),
        }
    }
    assert!(cancelled >= 2, "a run of the reference has several pauses");
    assert_eq!(run(&mut engine, &headline()), complete);
}

#[test]
fn loading_can_be_cancelled_and_damage_is_named() {
    let (config, tokenizer) = (file("config.json"), file("tokenizer.json"));
    let files =
        Files { name: "primer", config: &config, tokenizer: &tokenizer, precision: Precision::F32 };
    let load = |files: Files<'_>, weights: Vec<u8>| {
        block_on(Engine::load(files, InMemory(weights), Choice::Cpu, &mut Uncontrolled)).err()
    };
    let weights = file("model.safetensors");
    let message = |error: Option<EngineError>| error.map(|e| e.to_string()).unwrap_or_default();
    let cut = message(load(files, weights[..weights.len() / 2].to_vec()));
    assert!(cut.contains("should have") && cut.contains("Download the file again"), "{cut}");
    let empty = message(load(files, Vec::new()));
    assert!(empty.contains("model.safetensors cannot be read"), "{empty}");
    let other = Files { tokenizer: b"<html>", ..files };
    assert!(message(load(other, weights.clone())).contains("tokenizer.json cannot be read"));
    let other = Files { config: b"<html>", ..files };
    assert!(message(load(other, weights)).contains("config.json cannot be read"));
}

/// Weights that something else hashes, or fails to.
struct Hashed(InMemory, Result<[u8; 32], String>);

impl WeightSource for Hashed {
    fn len(&self) -> u64 {
        self.0.len()
    }

    async fn read(&mut self, range: Range<u64>) -> Result<Vec<u8>, String> {
        self.0.read(range).await
    }

    fn hash(&self) -> Option<Hashing> {
        Some(Box::pin(ready(self.1.clone())))
    }
}

#[test]
fn weights_may_be_hashed_by_their_source() {
    let (config, tokenizer) = (file("config.json"), file("tokenizer.json"));
    let load = |hash: Result<[u8; 32], String>| {
        let weights = Hashed(InMemory(file("model.safetensors")), hash);
        let files = Files {
            name: "primer",
            config: &config,
            tokenizer: &tokenizer,
            precision: Precision::F32,
        };
        block_on(Engine::load(files, weights, Choice::Cpu, &mut Uncontrolled))
    };
    assert_eq!(load(Ok([0xa7; 32])).unwrap().loaded().model.sha256, "a7".repeat(32));
    let error = load(Err("they are gone".to_owned())).err().unwrap();
    assert!(matches!(&error, EngineError::Source(why) if why == "they are gone"), "{error}");
    let hash = Sha256::digest(file("model.safetensors"));
    assert_eq!(engine(Choice::Cpu).loaded().model.sha256, hex(&hash));
}

#[test]
fn executors_agree_on_every_example() {
    let mut reference = engine(Choice::Reference);
    let mut cpu = engine(Choice::Cpu);
    for request in examples() {
        for direction in Direction::ALL {
            let request = Request { direction, ..request.clone() };
            let (expected, found) = (run(&mut reference, &request), run(&mut cpu, &request));
            for site in Site::PAPER {
                let (expected, found) = (&expected.maps[&site], &found.maps[&site]);
                let result =
                    compare(site.name(), &expected.values, &found.values, Tolerance::GOLDEN);
                result.unwrap_or_else(|fault| panic!("{request:?}: {fault}"));
            }
        }
    }
}

mod gpu {
    use super::*;

    #[test]
    fn the_gpu_reproduces_the_golden() {
        let mut engine = engine(Choice::Gpu);
        assert_eq!(engine.loaded().device.kind, Kind::Gpu, "{:?}", engine.loaded().device);
        check_golden(&mut engine);
    }

    #[test]
    fn a_software_gpu_is_taken_only_if_asked_for() {
        let software = crate::ops::gpu::gpu().adapter().is_software;
        let kind = |choice| engine(choice).loaded().device.kind;
        assert_eq!(kind(Choice::Auto), if software { Kind::Cpu } else { Kind::Gpu });
        assert_eq!(kind(Choice::Gpu), Kind::Gpu);
    }

    #[test]
    fn the_model_moves_between_executors() {
        let mut engine = engine(Choice::Cpu);
        let on_cpu = run(&mut engine, &headline());
        block_on(engine.switch(Choice::Gpu, &mut Uncontrolled)).unwrap();
        let on_gpu = run(&mut engine, &headline());
        assert_eq!((on_cpu.executor.kind, on_gpu.executor.kind), (Kind::Cpu, Kind::Gpu));
        block_on(engine.switch(Choice::Cpu, &mut Uncontrolled)).unwrap();
        assert_eq!(run(&mut engine, &headline()), on_cpu);
        // Given up half way, it stays where it was.
        let error = block_on(engine.switch(Choice::Reference, &mut GiveUp(0)));
        assert!(matches!(error, Err(EngineError::Cancelled) | Ok(())));
    }
}

#[test]
fn no_example_needs_a_note() {
    let reader = engine(Choice::Cpu).reader();
    for example in examples() {
        assert_eq!(reader.notes(&example.pair), Vec::new(), "{:?}", example.pair);
    }
}
