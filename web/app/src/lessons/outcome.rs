//! What came of a step, read off the figures.

use relp_model::{Figure, Method, Rules, Site};

use super::plan::{Lesson, WITH_AH, WITHOUT_IDENTITY, WITHOUT_LN};
use super::record::{Seen, largest_at};
use crate::labels;
use crate::locale::{number, t};

/// What came of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Which of the options was right, if one was.
    pub right: Option<usize>,
    /// What happened, in numbers.
    pub words: String,
}

/// What came of a step; `None` as long as the model has not shown it.
pub fn outcome(lesson: Lesson, step: usize, seen: &Seen) -> Option<Told> {
    match (lesson, step) {
        (Lesson::Patching, 1) => first_layer(seen.last()?),
        (Lesson::Patching, 2) => last_layer(seen.last()?),
        (Lesson::Gradients, 1) => where_gradients_fail(seen),
        (Lesson::Gradients, 3) => whether_rules_help(seen),
        (Lesson::Rules, 5) => which_rule_matters(seen),
        (Lesson::NameMovers, 1) => where_heads_are(seen),
        (Lesson::NameMovers, 4) => where_the_head_looks(seen),
        (Lesson::WhenWrong, 4) => which_is_closer(seen),
        _ => None,
    }
}

fn differing(figure: &Figure) -> Vec<usize> {
    let both = figure.tokens.clean.iter().zip(&figure.tokens.corrupted);
    both.enumerate()
        .filter(|(_, (clean, corrupted))| clean != corrupted)
        .map(|(at, _)| at)
        .collect()
}

fn token(figure: &Figure, position: usize) -> String {
    figure.tokens.clean.get(position).map(|token| labels::axis(&token.text)).unwrap_or_default()
}

/// Where patching moves anything before the first layer.
fn first_layer(figure: &Figure) -> Option<Told> {
    let map = figure.maps.get(&Site::ResidPre)?;
    let moved: Vec<usize> = (0..map.positions())
        .filter(|&at| map.get(0, at).is_some_and(|score| score.abs() > f32::EPSILON))
        .collect();
    let differ = differing(figure);
    let right = match moved.as_slice() {
        all if all.len() == map.positions() => Some(0),
        some if some == differ => Some(1),
        [last] if last + 1 == map.positions() => Some(2),
        _ => None,
    };
    let list = |positions: &[usize]| {
        let texts: Vec<String> =
            positions.iter().map(|&at| format!("{at} “{}”", token(figure, at))).collect();
        texts.join(", ")
    };
    let words = t!(
        "lesson-patching-2-outcome",
        moved = list(&moved),
        positions = map.positions(),
        differ = list(&differ)
    );
    Some(Told { right, words })
}

/// Where the answer is before the last layer.
fn last_layer(figure: &Figure) -> Option<Told> {
    let map = figure.maps.get(&Site::ResidPre)?;
    let layer = map.layers().checked_sub(1)?;
    let (position, score) = largest_at(map, layer)?;
    let difference = if figure.normalised { 1.0 } else { figure.metric.difference() };
    let share = 100.0 * f64::from(score) / difference;
    let right = match position {
        // Of the difference that patching all of it would make.
        _ if share.abs() < 50.0 => Some(2),
        last if last + 1 == map.positions() => Some(1),
        other if differing(figure).contains(&other) => Some(0),
        _ => None,
    };
    let words = t!(
        "lesson-patching-3-outcome",
        layer = layer,
        position = position,
        token = token(figure, position),
        score = labels::score(f64::from(score)),
        percent = number(&format!("{share:.0}")),
    );
    Some(Told { right, words })
}

/// The third of the layers, from 0, in which a layer lies.
fn third(layer: usize, layers: usize) -> usize {
    (3 * layer / layers.max(1)).min(2)
}

fn where_gradients_fail(seen: &Seen) -> Option<Told> {
    let errors = seen.errors(Method::Atp, Rules::RELP, &[Site::AttnOut, Site::MlpOut])?;
    let mlp = seen.errors(Method::Atp, Rules::RELP, &[Site::MlpOut])?;
    let (mlp_error, mlp_exact) = mlp.first().copied()?;
    let (layer, (error, exact)) =
        errors.iter().copied().enumerate().max_by(|(_, a), (_, b)| a.0.total_cmp(&b.0))?;
    let of = seen.agreement(Method::Atp, Rules::RELP)?;
    let words = t!(
        "lesson-gradients-2-outcome",
        layer = layer,
        error = number(&format!("{error:.2}")),
        exact = number(&format!("{exact:.2}")),
        percent = number(&format!("{:.0}", 100.0 * mlp_error / mlp_exact.max(f32::MIN_POSITIVE))),
        pearson = of.pearson.map(labels::coefficient).unwrap_or_default(),
    );
    Some(Told { right: Some(third(layer, errors.len())), words })
}

/// Errors that differ by less than this share are about the same.
const SAME: f32 = 0.1;

fn whether_rules_help(seen: &Seen) -> Option<Told> {
    let sum = |method| {
        let errors = seen.errors(method, Rules::RELP, &[Site::AttnOut, Site::MlpOut])?;
        Some(errors.iter().map(|(error, _)| error).sum::<f32>())
    };
    let (atp, relp) = (sum(Method::Atp)?, sum(Method::Relp)?);
    let right = match (relp - atp) / atp.max(f32::MIN_POSITIVE) {
        change if change < -SAME => 0,
        change if change > SAME => 2,
        _ => 1,
    };
    let pearson = |method| {
        let of = seen.agreement(method, Rules::RELP)?;
        of.pearson.map(labels::coefficient)
    };
    let words = t!(
        "lesson-gradients-4-outcome",
        atp = number(&format!("{atp:.2}")),
        relp = number(&format!("{relp:.2}")),
        atp_pearson = pearson(Method::Atp)?,
        relp_pearson = pearson(Method::Relp)?,
    );
    Some(Told { right: Some(right), words })
}

fn which_rule_matters(seen: &Seen) -> Option<Told> {
    let pearson = |rules| seen.agreement(Method::Relp, rules)?.pearson;
    let all = pearson(Rules::RELP)?;
    let changed = [pearson(WITHOUT_LN)?, pearson(WITHOUT_IDENTITY)?, pearson(WITH_AH)?];
    let moved = |at: &usize| (changed[*at] - all).abs();
    let right = (0..changed.len()).max_by(|a, b| moved(a).total_cmp(&moved(b)));
    let [ln, identity, ah] = changed.map(labels::coefficient);
    let words = t!(
        "lesson-rules-6-outcome",
        all = labels::coefficient(all),
        ln = ln,
        identity = identity,
        ah = ah
    );
    Some(Told { right, words })
}

fn where_heads_are(seen: &Seen) -> Option<Told> {
    let ((layer, head), score) = seen.mover()?;
    let figure = seen.last()?;
    let words = t!(
        "lesson-movers-2-outcome",
        layer = layer,
        head = head,
        score = labels::score(f64::from(score))
    );
    Some(Told { right: Some(third(layer, figure.model.config.n_layer)), words })
}

fn where_the_head_looks(seen: &Seen) -> Option<Told> {
    let figure = seen.last()?;
    let patterns = seen.patterns()?;
    let ((layer, head), _) = seen.mover()?;
    if patterns.layer != layer {
        return None;
    }
    let pattern = patterns.of_head(&patterns.clean, head)?;
    let positions = patterns.positions;
    let from_last = pattern.get(pattern.len().checked_sub(positions)?..)?;
    let (at, share) =
        from_last.iter().copied().enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b))?;
    let looked = figure.tokens.clean.get(at)?;
    let right = if figure.answers.contains(looked) {
        Some(0)
    } else if figure.foils.contains(looked) {
        Some(1)
    } else {
        Some(2)
    };
    let words = t!(
        "lesson-movers-5-outcome",
        position = at,
        token = token(figure, at),
        percent = number(&format!("{:.0}", 100.0 * share)),
    );
    Some(Told { right, words })
}

fn which_is_closer(seen: &Seen) -> Option<Told> {
    let pearson = |method| seen.agreement(method, Rules::RELP)?.pearson;
    let (relp, atp) = (pearson(Method::Relp)?, pearson(Method::Atp)?);
    let without_ln = seen.agreement(Method::Relp, WITHOUT_LN)?.pearson?;
    let words = t!(
        "lesson-wrong-5-outcome",
        relp = labels::coefficient(relp),
        atp = labels::coefficient(atp),
        without_ln = labels::coefficient(without_ln),
    );
    Some(Told { right: Some(usize::from(atp > relp)), words })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use relp_model::{Metric, MetricValues, Token};

    use super::*;
    use crate::lessons::plan::Kind;
    use crate::testing;

    /// A figure of six layers and four positions, of which the third differs.
    fn figure(method: Method, score: impl Fn(usize, usize) -> f32) -> Arc<Figure> {
        let mut figure = testing::figure(6, 4);
        figure.tokens.corrupted[2] = Token { id: 9, text: " other".to_owned() };
        figure.method = method;
        figure.metric = MetricValues { name: Metric::LogitDiff, clean: 3.0, corrupted: -1.0 };
        for map in figure.maps.values_mut() {
            let cells = (0..6).flat_map(|layer| (0..4).map(move |at| (layer, at)));
            map.values = cells.map(|(layer, at)| score(layer, at)).collect();
        }
        Arc::new(figure)
    }

    fn seen(figures: &[(Arc<Figure>, Arc<Figure>)]) -> Seen {
        let mut seen = Seen::default();
        for (figure, exact) in figures {
            seen.add(figure.clone(), Some(exact.clone()), None);
        }
        seen
    }

    #[test]
    fn patching_is_told_by_the_figure_not_by_the_lesson() {
        let moving = figure(Method::Ap, |layer, at| match (layer, at) {
            (0..3, 2) | (3.., 3) => 4.0,
            _ => 0.0,
        });
        let right = |figure: &Arc<Figure>, step| {
            let seen = seen(&[(figure.clone(), figure.clone())]);
            outcome(Lesson::Patching, step, &seen).and_then(|told| told.right)
        };
        assert_eq!((right(&moving, 1), right(&moving, 2)), (Some(1), Some(1)));
        let staying = figure(Method::Ap, |_, at| if at == 2 { 4.0 } else { 0.0 });
        assert_eq!(right(&staying, 2), Some(0));
        let spread = figure(Method::Ap, |_, _| 1.0);
        assert_eq!((right(&spread, 1), right(&spread, 2)), (Some(0), Some(2)));
        let cell = |layer, at| seen(&[(moving.clone(), moving.clone())]).carries_half((layer, at));
        assert!(cell(4, 3) && !cell(1, 3) && !cell(1, 2) && !cell(9, 3));
    }

    #[test]
    fn errors_are_told_with_the_layer_that_has_most() {
        let exact = figure(Method::Ap, |layer, at| (layer * at) as f32);
        let early = figure(Method::Atp, |layer, at| {
            (layer * at) as f32 + if layer == 1 { 5.0 } else { 0.5 }
        });
        let relp = figure(Method::Relp, |layer, at| (layer * at) as f32 + 0.25);
        let all = seen(&[(early.clone(), exact.clone()), (relp, exact.clone())]);
        let told = outcome(Lesson::Gradients, 1, &all).unwrap();
        assert_eq!(told.right, Some(0));
        assert!(told.words.contains("layer 1"), "{}", told.words);
        assert_eq!(outcome(Lesson::Gradients, 3, &all).unwrap().right, Some(0));
        let only = seen(&[(early, exact)]);
        assert_eq!(outcome(Lesson::Gradients, 3, &only), None, "RelP has not been seen");
    }

    #[test]
    fn methods_and_rules_are_told_apart() {
        let exact = figure(Method::Ap, |layer, at| (layer * at) as f32);
        let good = |method| figure(method, |layer, at| (layer * at) as f32 * 1.5);
        let bad = figure(Method::Relp, |layer, at| (layer * at) as f32 - (at * at) as f32);
        let with = |rules, figure: &Arc<Figure>| {
            (Arc::new(Figure { rules, ..Figure::clone(figure) }), exact.clone())
        };
        let all = [(good(Method::Atp), exact.clone()), (bad.clone(), exact.clone())];
        assert_eq!(outcome(Lesson::WhenWrong, 4, &seen(&all)), None, "LN has not been off");
        let told = seen(&[all[0].clone(), all[1].clone(), with(WITHOUT_LN, &bad)]);
        assert_eq!(outcome(Lesson::WhenWrong, 4, &told).unwrap().right, Some(1));
        let (good, bad) = (good(Method::Relp), figure(Method::Relp, |layer, _| -(layer as f32)));
        let mut rules = vec![with(Rules::RELP, &good), with(WITHOUT_LN, &good)];
        rules.push(with(WITHOUT_IDENTITY, &bad));
        assert_eq!(outcome(Lesson::Rules, 5, &seen(&rules)), None, "AH has not been seen");
        rules.push(with(WITH_AH, &good));
        assert_eq!(outcome(Lesson::Rules, 5, &seen(&rules)).unwrap().right, Some(1));
    }

    #[test]
    fn every_prediction_is_told_and_every_lesson_has_its_pair() {
        for lesson in Lesson::ALL {
            assert!(lesson.pair().is_some());
            let steps = lesson.steps();
            assert!(steps[0].begin.is_some(), "it begins with its pair");
            let later = |of| steps.iter().any(|one| matches!(one.kind, Kind::Tell(at) if at == of));
            for (at, step) in steps.iter().enumerate() {
                if let Kind::Predict { options, at_once } = step.kind {
                    assert!(options.len() > 1 && at_once != later(at), "{}", step.text);
                }
            }
        }
    }
}
