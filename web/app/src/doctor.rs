//! What is odd about a pair as this model answers it, which changes what its maps mean.

use relp_model::{Figure, Metric, Prediction, Token};

/// Two metrics that are closer than this share of the larger are as good as equal.
const CLOSE: f64 = 0.05;

/// What somebody who reads the maps should know, in sentences; none if all is as it should be.
pub fn findings(figure: &Figure) -> Vec<String> {
    let mut found = Vec::new();
    let (clean, corrupted) = (figure.metric.clean, figure.metric.corrupted);
    let is_difference = matches!(figure.metric.name, Metric::LogitDiff | Metric::ProbDiff);
    if is_difference && clean <= 0.0 {
        found.push(
            "The model is wrong here: after the clean prompt it prefers the foil. The maps \
             explain an error."
                .to_owned(),
        );
    }
    if (clean - corrupted).abs() < CLOSE * clean.abs().max(corrupted.abs()) {
        found.push(
            "Both prompts give nearly the same metric, so that there is little to explain; a ratio of \
             small numbers says nothing."
                .to_owned(),
        );
    } else if is_difference && clean > 0.0 && corrupted > 0.0 {
        found.push(
            "The model prefers the answer after the corrupted prompt too: the change makes it less \
             sure, not of another mind."
                .to_owned(),
        );
    }
    // The predictions of a mean are those of its first pair.
    if figure.pairs.is_empty() {
        let clean = unlikely("answer", "clean", &figure.answers, &figure.predictions.clean);
        let foils = if figure.metric.name.has_foils() { &figure.foils[..] } else { &[] };
        let corrupted = unlikely("foil", "corrupted", foils, &figure.predictions.corrupted);
        found.extend(clean.into_iter().chain(corrupted));
    }
    found
}

/// That none of the tokens is among the likeliest ones.
fn unlikely(
    what: &str,
    prompt: &str,
    tokens: &[Token],
    likeliest: &[Prediction],
) -> Option<String> {
    let is_there = likeliest.iter().any(|prediction| tokens.contains(&prediction.token));
    let count = likeliest.len();
    (!tokens.is_empty() && count > 0 && !is_there).then(|| {
        format!(
            "The model does not consider the {what} after the {prompt} prompt: it is not among the \
             {count} likeliest tokens."
        )
    })
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
