//! What is odd about a pair as this model answers it, which changes what its maps mean.

use relp_model::{Figure, Metric, Prediction, Token};

use crate::locale::t;

/// Two metrics that are closer than this share of the larger are as good as equal.
const CLOSE: f64 = 0.05;

/// What somebody who reads the maps should know, in sentences; none if all is as it should be.
pub fn findings(figure: &Figure) -> Vec<String> {
    let mut found = Vec::new();
    let (clean, corrupted) = (figure.metric.clean, figure.metric.corrupted);
    let is_difference = matches!(figure.metric.name, Metric::LogitDiff | Metric::ProbDiff);
    if is_difference && clean <= 0.0 {
        found.push(t!("doctor-wrong"));
    }
    if (clean - corrupted).abs() < CLOSE * clean.abs().max(corrupted.abs()) {
        found.push(t!("doctor-nearly-the-same"));
    } else if is_difference && clean > 0.0 && corrupted > 0.0 {
        found.push(t!("doctor-less-sure"));
    }
    // The predictions of a mean are those of its first pair.
    if figure.pairs.is_empty() {
        let count = figure.predictions.clean.len();
        let clean = is_unlikely(&figure.answers, &figure.predictions.clean)
            .then(|| t!("doctor-unlikely-answer", count = count));
        let foils = if figure.metric.name.has_foils() { &figure.foils[..] } else { &[] };
        let count = figure.predictions.corrupted.len();
        let corrupted = is_unlikely(foils, &figure.predictions.corrupted)
            .then(|| t!("doctor-unlikely-foil", count = count));
        found.extend(clean.into_iter().chain(corrupted));
    }
    found
}

/// Whether none of the tokens is among the likeliest ones.
fn is_unlikely(tokens: &[Token], likeliest: &[Prediction]) -> bool {
    let is_there = likeliest.iter().any(|prediction| tokens.contains(&prediction.token));
    !tokens.is_empty() && !likeliest.is_empty() && !is_there
}

#[cfg(test)]
mod tests {
    use relp_model::MetricValues;

    use super::*;
    use crate::testing;

    fn said(clean: f64, corrupted: f64) -> Vec<String> {
        let metric = MetricValues { name: Metric::LogitDiff, clean, corrupted };
        findings(&Figure { metric, ..testing::figure(1, 2) })
    }

    #[test]
    fn a_good_pair_has_no_findings() {
        assert_eq!(said(3.0, -1.0), Vec::<String>::new());
    }

    #[test]
    fn an_error_an_idle_change_and_one_that_does_not_decide_are_said() {
        assert!(said(-0.5, -3.0)[0].contains("explain an error"));
        assert!(said(3.0, 2.95)[0].contains("nearly the same"));
        assert!(said(3.0, 1.0)[0].contains("less sure"));
        assert_eq!(said(-3.0, -2.95).len(), 2);
    }

    #[test]
    fn a_foil_that_is_not_considered_is_said() {
        let mut figure = testing::figure(1, 2);
        let one = |token: &Token| Prediction { token: token.clone(), probability: 0.5, logit: 1.0 };
        figure.predictions.clean = vec![one(&figure.answers[0])];
        figure.predictions.corrupted = vec![one(&figure.answers[0])];
        let found = findings(&figure);
        assert!(
            matches!(&found[..], [one] if one.contains("foil after the corrupted")),
            "{found:?}"
        );
        figure.predictions.corrupted = vec![one(&figure.foils[0])];
        assert!(findings(&figure).is_empty());
    }
}
