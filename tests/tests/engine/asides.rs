//! What can be asked of a pair without attributing it: how a model does on it, and other words for it.

use pollster::block_on;
use relp_engine::{EngineError, Uncontrolled};
use relp_model::{Choice, Metric, Precision, Problem};
use relp_tests::compare::{Tolerance, assert_close};

use crate::primer::{engine, engine_with, examples, headline, run};

#[test]
fn a_survey_finds_the_metric_that_a_figure_has() {
    let mut engine = engine(Choice::Cpu);
    for request in examples().into_iter().step_by(5) {
        let figure = run(&mut engine, &request);
        let survey =
            block_on(engine.survey(&request.pair, Metric::LogitDiff, &mut Uncontrolled)).unwrap();
        let expected = [figure.metric.clean, figure.metric.corrupted];
        let found = [survey.clean as f32, survey.corrupted as f32];
        assert_close(&request.pair.clean, &expected, &found, Tolerance::GOLDEN);
        assert_eq!(survey.tokens, figure.tokens.clean.len());
        let likeliest = &figure.predictions.clean[0].token;
        assert_eq!(&survey.likeliest, likeliest);
        let answer = figure.answers[0].id;
        let place = figure.predictions.clean.iter().position(|one| one.token.id == answer);
        assert_eq!(place.unwrap_or(survey.rank), survey.rank);
        assert!(survey.is_right());
    }
    let mut wrong = headline().pair;
    std::mem::swap(&mut wrong.answers, &mut wrong.foils);
    let survey = block_on(engine.survey(&wrong, Metric::LogitDiff, &mut Uncontrolled)).unwrap();
    assert!(!survey.is_right() && survey.rank > 0);
    wrong.clean.clear();
    let error = block_on(engine.survey(&wrong, Metric::LogitDiff, &mut Uncontrolled)).unwrap_err();
    assert!(matches!(error, EngineError::Pair(_)), "{error}");
}

/// What could stand in the place of the first token with this text.
fn similar(choice: Choice, precision: Precision, word: &str, k: usize) -> Vec<String> {
    let mut engine = engine_with(choice, precision);
    let text = headline().pair.clean;
    let reader = engine.reader();
    let tokens = reader.tokens(&text, true);
    let position = tokens.iter().position(|token| token.text == word).unwrap();
    let found = block_on(engine.similar(&text, true, position, k, &mut Uncontrolled)).unwrap();
    for token in &found {
        let changed = reader.replaced(&tokens, position, &token.text, true).unwrap();
        assert_eq!(reader.tokens(&changed, true).len(), tokens.len(), "{changed}");
        assert_ne!(changed, text);
    }
    found.into_iter().map(|token| token.text).collect()
}

#[test]
fn similar_tokens_are_other_words_of_the_kind_that_fit() {
    let names = similar(Choice::Cpu, Precision::F32, " Mary", 12);
    assert_eq!(names.len(), 12);
    let known =
        " Ella Sara Crystal Amber Donna Amy Laura Anna Sarah Alice Lisa Emma Kate Jane Emily Nina";
    let are_names = names[..5].iter().filter(|name| known.contains(name.as_str())).count();
    assert!(are_names >= 4, "{names:?}");
    assert!(names.iter().all(|name| name.starts_with(' ')), "{names:?}");
    let reference = similar(Choice::Reference, Precision::F32, " Mary", 12);
    assert_eq!(names, reference);
    let halves = similar(Choice::Cpu, Precision::F16, " Mary", 4);
    assert_eq!(halves, names[..4]);
}

mod gpu {
    use super::*;

    #[test]
    fn similar_tokens_are_the_same_on_the_gpu() {
        let names = similar(Choice::Cpu, Precision::F32, " Mary", 6);
        assert_eq!(similar(Choice::Gpu, Precision::F32, " Mary", 6), names);
    }
}

#[test]
fn what_begins_a_text_or_is_not_there_has_nothing_similar() {
    let mut engine = engine(Choice::Cpu);
    let text = headline().pair.clean;
    let bos = block_on(engine.similar(&text, true, 0, 5, &mut Uncontrolled)).unwrap();
    assert!(bos.is_empty(), "{bos:?}");
    let error = block_on(engine.similar(&text, true, 500, 5, &mut Uncontrolled)).unwrap_err();
    let EngineError::Pair(problems) = error else { panic!("{error}") };
    assert!(matches!(problems[..], [Problem::Empty { .. }]));
    let reader = engine.reader();
    let tokens = reader.tokens(&text, true);
    assert_eq!(reader.replaced(&tokens, 2, " counterrevolutionary", true), None);
}
