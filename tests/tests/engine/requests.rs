//! What can be asked beside one figure of one pair: means, single cells, parts as they come, patterns.

use pollster::block_on;
use relp_engine::{Cancelled, Control, EngineError, Uncontrolled};
use relp_model::{
    Cell, Choice, Method, Metric, Neuron, Part, Precision, Prompt, Replace, Request, Site,
    agreement, mean,
};
use relp_tests::compare::{Tolerance, assert_close};

use crate::primer::{engine, engine_with, examples, headline, run};

/// The bundled pairs of one length.
fn pairs() -> Vec<Request> {
    let all = examples();
    all.into_iter()
        .filter(|request| request.pair.clean.ends_with("gave the ball to"))
        .chain(
            examples()
                .into_iter()
                .filter(|request| request.pair.clean.ends_with("gave the bag to")),
        )
        .collect()
}

#[test]
fn a_batch_is_the_mean_of_its_pairs_and_of_one_it_is_that_one() {
    let mut engine = engine(Choice::Cpu);
    let pairs = pairs();
    assert_eq!(pairs.len(), 2);
    for method in Method::ALL {
        let of = |request: &Request| Request { method, ..request.clone() };
        let each: Vec<_> = pairs.iter().map(|request| run(&mut engine, &of(request))).collect();
        let batch = pairs.iter().map(|request| request.pair.clone()).collect();
        let batch = run(&mut engine, &Request { batch, ..of(&headline()) });
        assert_eq!(batch, mean(&each).unwrap());
        assert_eq!(batch.metric.clean, (each[0].metric.clean + each[1].metric.clean) / 2.0);

        let one = Request { batch: vec![pairs[0].pair.clone()], ..of(&headline()) };
        let one = run(&mut engine, &one);
        assert_eq!((&one.maps, &one.tokens), (&each[0].maps, &each[0].tokens));
        assert_eq!(one.pairs.len(), 1);
    }
    let mut batch: Vec<_> = pairs.iter().map(|request| request.pair.clone()).collect();
    batch[1].clean.push_str(" again");
    let bad = Request { batch, ..headline() };
    let error = block_on(engine.attribute(&bad, &mut Uncontrolled)).unwrap_err();
    assert!(matches!(error, EngineError::OneOfPairs { pair: 2, .. }), "{error}");
    assert!(error.to_string().starts_with("Pair 2: The prompts differ"), "{error}");

    // Pairs of two lengths have no mean, which is said before the work on any.
    let batch = examples().into_iter().map(|request| request.pair).collect();
    let unequal = Request { batch, ..headline() };
    let mut work = Parts::default();
    let error = block_on(engine.attribute(&unequal, &mut work)).unwrap_err();
    assert!(error.to_string().contains("average over pairs of one length"), "{error}");
    assert_eq!(work.pauses, 0);
}

#[test]
fn neurons_that_are_not_patched_are_not_in_the_figure() {
    let mut engine = engine(Choice::Cpu);
    let inside = Neuron { layer: 1, position: 3, neuron: 5 };
    let outside = Neuron { neuron: 1 << 20, ..inside };
    let sites = vec![Site::Post];
    for (neurons, found) in [(vec![inside, outside], vec![inside]), (vec![outside], vec![])] {
        let method = Method::Ap;
        let request = Request { method, sites: sites.clone(), neurons, ..headline() };
        let map = run(&mut engine, &request).maps.remove(&Site::Post).unwrap();
        assert_eq!((map.values.len(), map.neurons), (found.len(), Some(found)));
    }
}

#[test]
fn one_cell_is_that_cell_of_the_whole() {
    let mut engine = engine(Choice::Cpu);
    let sites = vec![Site::ResidPre, Site::Q, Site::Z, Site::MlpOut];
    for metric in Metric::ALL {
        let whole = Request { method: Method::Ap, metric, sites: sites.clone(), ..headline() };
        let cell = Cell { layer: 2, position: 10 };
        let one = run(&mut engine, &Request { cell: Some(cell), ..whole.clone() });
        let whole = run(&mut engine, &whole);
        for (site, map) in &one.maps {
            let each = map.heads().max(1);
            for (i, &score) in map.values.iter().enumerate() {
                let at = Cell { layer: i / each / 15, position: i / each % 15 };
                let expected = if at == cell { whole.maps[site].values[i] } else { 0.0 };
                assert!((score - expected).abs() <= 1e-5 * (1.0 + expected.abs()), "{site} {at:?}");
            }
        }
    }
}

/// Keeps the parts, and counts the moments at which a run could be cancelled.
#[derive(Default)]
struct Parts {
    parts: Vec<Part>,
    pauses: usize,
}

impl Control for Parts {
    async fn pause(&mut self, _done: u64, _total: u64) -> Result<(), Cancelled> {
        self.pauses += 1;
        Ok(())
    }

    fn part(&mut self, part: Part) {
        self.parts.push(part);
    }
}

#[test]
fn work_in_parts_tells_what_is_there_and_what_is_missing() {
    let mut engine = engine(Choice::Cpu);
    let request = Request {
        method: Method::Ap,
        replace: Replace::Zero,
        sites: Site::HEADS.to_vec(),
        ..headline()
    };
    let mut parts = Parts::default();
    let whole = block_on(engine.attribute(&request, &mut parts)).unwrap();
    assert!(!parts.parts.is_empty(), "this takes more than one part");
    let mut missing = usize::MAX;
    for part in &parts.parts {
        assert!(part.missing.len() < missing && !part.missing.is_empty());
        missing = part.missing.len();
        for (site, map) in &part.figure.maps {
            for (i, &score) in map.values.iter().enumerate() {
                let cell = Cell { layer: i / 8 / 15, position: i / 8 % 15 };
                if !part.missing.contains(&(*site, cell)) {
                    assert_eq!(score, whole.maps[site].values[i], "{site} {cell:?}");
                }
            }
        }
    }
}

#[test]
fn patterns_are_shares_and_see_no_later_position() {
    let mut engine = engine(Choice::Cpu);
    let pair = headline().pair;
    for layer in [0, 5] {
        let found = block_on(engine.patterns(&pair, layer, &mut Uncontrolled)).unwrap();
        assert_eq!((found.layer, found.heads, found.positions), (layer, 8, 15));
        for (run, prompt) in [(&found.clean, Prompt::Clean), (&found.corrupted, Prompt::Corrupted)]
        {
            for head in 0..8 {
                let pattern = found.of_head(run, head).unwrap();
                for (query, row) in pattern.chunks(15).enumerate() {
                    let sum: f32 = row.iter().sum();
                    assert!((sum - 1.0).abs() < 1e-5, "{prompt:?} {head} {query}");
                    assert!(row[query + 1..].iter().all(|&share| share == 0.0));
                }
            }
            assert_eq!(found.of_head(run, 8), None);
        }
        assert_ne!(found.clean, found.corrupted);
    }
    let error = block_on(engine.patterns(&pair, 6, &mut Uncontrolled)).unwrap_err();
    assert_eq!(error.to_string(), "There is no layer 6: this model's are 0 to 5.");
}

#[test]
fn scores_without_a_sign_are_compared_with_sizes() {
    let mut engine = engine(Choice::Cpu);
    let star = run(&mut engine, &Request { method: Method::AtpStar, ..headline() });
    let exact = run(&mut engine, &Request { method: Method::Ap, ..headline() });
    assert!(star.maps.values().flat_map(|map| &map.values).all(|&score| score >= 0.0));
    for found in agreement(&star, &exact) {
        assert_eq!(found.agreement.same_sign, None);
        assert!(found.agreement.pearson.unwrap() > 0.8, "{found:?}");
    }
    // Also where the metric's difference is negative.
    let mut turned = headline();
    (turned.pair.clean, turned.pair.corrupted) = (turned.pair.corrupted, turned.pair.clean);
    turned.normalise = true;
    let star = run(&mut engine, &Request { method: Method::AtpStar, ..turned });
    assert!(star.metric.difference() < 0.0);
    assert!(star.maps.values().flat_map(|map| &map.values).all(|&score| score >= 0.0));
}

#[test]
fn a_metric_is_read_the_same_by_every_executor() {
    for metric in Metric::ALL {
        for replace in Replace::ALL {
            let sites = vec![Site::ResidPre, Site::V, Site::Post];
            let request = Request { metric, replace, sites, ..headline() };
            let reference = run(&mut engine(Choice::Reference), &request);
            let cpu = run(&mut engine(Choice::Cpu), &request);
            for (site, map) in &reference.maps {
                if *site != Site::Post {
                    let what = format!("{metric} {replace} {site}");
                    let tolerance = Tolerance { absolute: 1e-7, ..Tolerance::GOLDEN };
                    assert_close(&what, &map.values, &cpu.maps[site].values, tolerance);
                }
            }
            assert_eq!(cpu.maps[&Site::Post].values.len(), 6 * request.top);
        }
    }
}

/// The bundled model's file holds halves, so that keeping them loses nothing.
#[test]
fn halves_are_kept_as_they_are_and_the_figure_says_so() {
    let exact = run(&mut engine(Choice::Cpu), &headline());
    assert_eq!(exact.model.weights, Precision::F32);
    for choice in [Choice::Reference, Choice::Cpu] {
        let found = run(&mut engine_with(choice, Precision::F16), &headline());
        assert_eq!(found.model.weights, Precision::F16);
        assert_eq!(found.model.sha256, exact.model.sha256);
        for site in Site::PAPER {
            let (found, exact) = (&found.maps[&site].values, &exact.maps[&site].values);
            assert_close(site.name(), exact, found, Tolerance::GOLDEN);
        }
    }
}

mod gpu {
    use super::*;

    #[test]
    fn halves_of_weights_are_the_same_halves() {
        let cpu = run(&mut engine_with(Choice::Cpu, Precision::F16), &headline());
        let gpu = run(&mut engine_with(Choice::Gpu, Precision::F16), &headline());
        for site in Site::PAPER {
            let (expected, found) = (&cpu.maps[&site].values, &gpu.maps[&site].values);
            assert_close(site.name(), expected, found, Tolerance::GOLDEN);
        }
    }
}
