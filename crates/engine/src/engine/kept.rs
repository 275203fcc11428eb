//! What a run leaves for the next one: only what changed is computed, and nothing else comes out.

use pollster::block_on;
use relp_model::{
    Choice, Direction, Figure, Method, Metric, PairText, Precision, Request, Rules, Site,
};

use super::Engine;
use crate::executor::{Executor, Plan};
use crate::{Files, InMemory, Uncontrolled};

fn file(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/primer/");
    std::fs::read(format!("{folder}{name}")).unwrap()
}

fn engine(choice: Choice) -> Engine<InMemory> {
    let (config, tokenizer) = (file("config.json"), file("tokenizer.json"));
    let precision = Precision::F32;
    let files = Files { name: "primer", config: &config, tokenizer: &tokenizer, precision };
    let weights = InMemory(file("model.safetensors"));
    block_on(Engine::load(files, weights, choice, &mut Uncontrolled)).unwrap()
}

fn asked() -> Request {
    let pair = PairText {
        clean: "When John and Mary went to the shop, John gave a drink to".to_owned(),
        corrupted: "When John and Mary went to the shop, Mary gave a drink to".to_owned(),
        answers: vec![" Mary".to_owned()],
        foils: vec![" John".to_owned()],
        bos: true,
    };
    Request { pair, ..Request::default() }
}

/// The figure, and what of the tape ran for it.
fn answer(engine: &mut Engine<InMemory>, request: &Request) -> (Figure, usize) {
    let figure = block_on(engine.attribute(request, &mut Uncontrolled)).unwrap();
    let done = match &engine.plans.last().unwrap().plan {
        Plan::Reference(tape) => (tape.ops().len(), tape.ops().len()),
        Plan::Cpu(plan) => plan.progress(),
        Plan::Gpu(plan) => plan.progress(),
    };
    assert_eq!(done.0, done.1, "a run comes to its end");
    (figure, done.1)
}

/// The same of an engine that has computed nothing.
fn anew(engine: &mut Engine<InMemory>, request: &Request) -> (Figure, usize) {
    engine.plans.clear();
    answer(engine, request)
}

fn bits(figure: &Figure) -> Vec<u32> {
    figure.maps.values().flat_map(|map| map.values.iter().map(|score| score.to_bits())).collect()
}

/// Questions about one pair, with as many other tapes.
fn questions() -> Vec<Request> {
    let asked = asked();
    let ln = Rules { ln: true, ..Rules::NONE };
    vec![
        Request { rules: Rules { ah: !Rules::RELP.ah, ..Rules::RELP }, ..asked.clone() },
        Request { rules: ln, ..asked.clone() },
        Request { method: Method::Atp, ..asked.clone() },
        Request { method: Method::AtpStar, ..asked.clone() },
        Request { sites: Site::PATCHED.to_vec(), ..asked.clone() },
        Request { method: Method::GradXInput, ..asked.clone() },
        Request { metric: Metric::Kl, ..asked.clone() },
        Request { method: Method::IgInputs, ..asked },
    ]
}

fn only_what_comes_after_the_forward_passes_runs_again(choice: Choice) {
    let (mut kept, mut fresh) = (engine(choice), engine(choice));
    let (figure, all) = answer(&mut kept, &asked());
    assert_eq!((figure, all), anew(&mut fresh, &asked()));
    let mut spared = None;
    for request in questions() {
        let (figure, ran) = answer(&mut kept, &request);
        let (expected, all) = anew(&mut fresh, &request);
        assert_eq!(figure, expected, "{request:?}");
        assert_eq!(bits(&figure), bits(&expected), "{request:?}");
        assert!(ran < all, "{ran} of {all} in {request:?}");
        assert_eq!(*spared.get_or_insert(all - ran), all - ran, "{request:?}");
    }
    // More plans than are kept: that of the first question is gone, what it computed is not.
    let (figure, ran) = answer(&mut kept, &asked());
    assert_eq!((Some(figure), Some(all - ran)), (Some(anew(&mut fresh, &asked()).0), spared));
}

fn another_prompt_or_direction_runs_everything(choice: Choice) {
    let (mut kept, mut fresh) = (engine(choice), engine(choice));
    let (_, all) = answer(&mut kept, &asked());
    let mut pair = asked().pair;
    pair.clean = pair.clean.replace("shop", "park");
    pair.corrupted = pair.corrupted.replace("shop", "park");
    let others = [
        Request { pair, ..asked() },
        asked(),
        Request { direction: Direction::Noise, ..asked() },
        asked(),
    ];
    for request in others {
        let (figure, ran) = answer(&mut kept, &request);
        assert_eq!((figure, ran), anew(&mut fresh, &request));
        assert_eq!(ran, all);
        let (_, again) = answer(&mut kept, &request);
        assert!(again < all);
    }
}

fn what_was_not_computed_to_the_end_is_not_believed(choice: Choice) {
    let (mut kept, mut fresh) = (engine(choice), engine(choice));
    let (expected, all) = answer(&mut kept, &asked());
    // Another direction is begun in the same memory, and cancelled.
    let ready = kept.plans.last_mut().unwrap();
    let pair = kept.reader.pair(&asked().pair, asked().metric).unwrap();
    let feed = ready.computation.feed(&pair, Direction::Noise);
    match (&mut kept.executor, &mut ready.plan) {
        (Executor::Cpu(_), Plan::Cpu(plan)) => {
            plan.start(&feed).unwrap();
            (0..5).for_each(|_| assert!(plan.step()));
        }
        (Executor::Gpu(gpu), Plan::Gpu(plan)) => block_on(gpu.start(plan, &feed)).unwrap(),
        _ => unreachable!("the reference keeps nothing"),
    }
    assert_eq!(answer(&mut kept, &asked()), (expected.clone(), all));
    // Whatever was found implausible is computed again.
    kept.plans.last_mut().unwrap().plan.forget();
    let other = questions().remove(1);
    assert_eq!(answer(&mut kept, &other), anew(&mut fresh, &other));
    assert!(answer(&mut kept, &asked()).1 < all);
    kept.plans.last_mut().unwrap().plan.forget();
    assert_eq!(answer(&mut kept, &asked()), (expected, all));
}

fn another_executor_begins_with_nothing(from: Choice, to: Choice) {
    let mut engine = engine(from);
    for choice in [to, from] {
        let (_, all) = answer(&mut engine, &asked());
        assert!(answer(&mut engine, &asked()).1 < all);
        block_on(engine.switch(choice, &mut Uncontrolled)).unwrap();
        assert!(engine.plans.is_empty());
    }
}

#[test]
fn a_rule_runs_only_what_comes_after_the_forward_passes() {
    only_what_comes_after_the_forward_passes_runs_again(Choice::Cpu);
}

#[test]
fn other_prompts_run_everything() {
    another_prompt_or_direction_runs_everything(Choice::Cpu);
}

#[test]
fn a_cancelled_run_leaves_nothing() {
    what_was_not_computed_to_the_end_is_not_believed(Choice::Cpu);
}

mod gpu {
    use super::*;

    #[test]
    fn a_rule_runs_only_what_comes_after_the_forward_passes() {
        only_what_comes_after_the_forward_passes_runs_again(Choice::Gpu);
    }

    #[test]
    fn other_prompts_run_everything() {
        another_prompt_or_direction_runs_everything(Choice::Gpu);
    }

    #[test]
    fn a_cancelled_run_leaves_nothing() {
        what_was_not_computed_to_the_end_is_not_believed(Choice::Gpu);
    }

    #[test]
    fn what_is_kept_goes_with_its_executor() {
        another_executor_begins_with_nothing(Choice::Gpu, Choice::Cpu);
    }
}
