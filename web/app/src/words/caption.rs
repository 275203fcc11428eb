//! What a figure is, in words: its legend and its caption.

use relp_model::{Direction, Figure, Method, Metric, Precision, Replace, Rules, Token};

use super::rule;
use crate::comparison::{Drawn, Scores};
use crate::labels;
use crate::locale::{number, t};

/// The rules of a figure.
fn rule_list(rules: Rules) -> String {
    let names: Vec<&str> = rules.on().map(|one| rule(one).0).collect();
    match names.as_slice() {
        [] => t!("rule-list-none"),
        [one] => t!("rule-list-one", rule = *one),
        _ => t!("rule-list-several", rules = names.join(", ")),
    }
}

/// What the values of a metric are counted in.
pub fn unit(metric: Metric) -> String {
    match metric {
        Metric::LogitDiff => t!("unit-logits"),
        Metric::LogProb | Metric::Kl => t!("unit-nats"),
        Metric::ProbDiff => t!("unit-probability"),
    }
}

/// A method with all that belongs to it.
pub fn method_in_full(figure: &Figure) -> String {
    let method = figure.method.title();
    match (figure.method, figure.steps, figure.convergence_error) {
        (Method::Relp, ..) => {
            t!("method-with-rules", method = method, rules = rule_list(figure.rules))
        }
        (_, Some(steps), Some(error)) => t!(
            "method-with-steps",
            method = method,
            steps = steps,
            error = number(&format!("{error:.3}")),
        ),
        _ => method.to_owned(),
    }
}

/// What the metric of a figure reads off the last position.
pub fn formula(figure: &Figure) -> String {
    let list = |tokens: &[Token], word: &str| {
        let texts: Vec<String> = tokens.iter().map(|token| format!("{:?}", token.text)).collect();
        texts.join(word)
    };
    let any = |tokens: &[Token]| list(tokens, &format!(" {} ", t!("formula-or")));
    let (answers, foils) = (&figure.answers, &figure.foils);
    match figure.metric.name {
        Metric::LogitDiff => {
            let mean = |tokens: &[Token]| match tokens {
                [_] => format!("logit({})", list(tokens, "")),
                _ => format!("{} logit({})", t!("formula-mean"), list(tokens, ", ")),
            };
            format!("{} − {}", mean(answers), mean(foils))
        }
        Metric::LogProb => format!("ln p({})", any(answers)),
        Metric::ProbDiff => format!("p({}) − p({})", any(answers), any(foils)),
        Metric::Kl => t!("formula-kl"),
    }
}

/// The divisor of normalised scores, with its unit.
fn difference(figure: &Figure) -> String {
    let metric = figure.metric;
    format!("{} {}", labels::score(metric.difference()), unit(metric.name))
}

/// A method with its rules.
fn short(figure: &Figure) -> String {
    match figure.method {
        Method::Relp => format!("RelP, {}", rule_list(figure.rules)),
        method => method.title().to_owned(),
    }
}

/// Units, direction, replacement, method and rules, for the legend.
pub fn legend(drawn: &Drawn) -> String {
    let figure = &drawn.known.figure;
    let unit = if figure.normalised {
        t!("legend-fraction", difference = difference(figure))
    } else {
        unit(figure.metric.name)
    };
    let direction = match figure.direction {
        Direction::Denoise => t!("legend-denoise"),
        Direction::Noise => t!("legend-noise"),
    };
    let how = match figure.replace {
        Some(Replace::Source) => Some(t!("legend-patching")),
        Some(Replace::Zero) => Some(t!("legend-zero-ablation")),
        Some(Replace::Mean) => Some(t!("legend-mean-ablation")),
        None => None,
    };
    let how = how.map(|how| format!("{how} · ")).unwrap_or_default();
    let less = match (&drawn.before, drawn.scores) {
        (Some(before), _) => format!(" − {}", short(before)),
        (_, Scores::Error) if figure.method.is_unsigned() => " − |AP|".to_owned(),
        (_, Scores::Error) => " − AP".to_owned(),
        _ => String::new(),
    };
    let method = short(figure);
    format!("{unit} · {direction} · {how}{method}{less}")
}

/// All that is needed to make the figure again, in two sentences.
pub fn caption(drawn: &Drawn) -> String {
    let figure = &drawn.known.figure;
    let model = &figure.model;
    let config = &model.config;
    let into = match (figure.replace, figure.direction) {
        (Some(Replace::Source), Direction::Denoise) => t!("caption-clean-into-corrupted"),
        (Some(Replace::Source), Direction::Noise) => t!("caption-corrupted-into-clean"),
        (Some(Replace::Zero), Direction::Denoise) => t!("caption-zero-of-corrupted"),
        (Some(Replace::Zero), Direction::Noise) => t!("caption-zero-of-clean"),
        (Some(Replace::Mean), Direction::Denoise) => t!("caption-mean-of-corrupted"),
        (Some(Replace::Mean), Direction::Noise) => t!("caption-mean-of-clean"),
        (None, Direction::Denoise) => t!("caption-of-corrupted"),
        (None, Direction::Noise) => t!("caption-of-clean"),
    };
    let normalised = if figure.normalised {
        format!(", {}", t!("caption-normalised", difference = difference(figure)))
    } else {
        format!(", {}", t!("caption-in-units", unit = unit(figure.metric.name)))
    };
    let hash = model.sha256.get(..12).unwrap_or(&model.sha256);
    let halves = match model.weights {
        Precision::F32 => String::new(),
        Precision::F16 => format!(", {}", t!("header-weights-of-16-bits")),
    };
    let how = method_in_full(figure);
    let less = match (&drawn.before, drawn.scores) {
        (Some(before), _) => format!(" {}", t!("caption-minus", other = method_in_full(before))),
        (_, Scores::Error) if figure.method.is_unsigned() => {
            format!(", {}", t!("caption-less-sizes"))
        }
        (_, Scores::Error) => format!(", {}", t!("caption-less-exact")),
        _ => String::new(),
    };
    let mean = match figure.pairs.len() {
        0 => String::new(),
        pairs => format!("{} ", t!("caption-mean-over", pairs = pairs)),
    };
    let metric = t!("caption-metric", formula = formula(figure));
    let computed = t!(
        "caption-computed",
        executor = figure.executor.kind.name(),
        device = figure.executor.device.as_str(),
        version = figure.version.as_str(),
    );
    let of_model = t!(
        "caption-model",
        model = model.name.as_str(),
        layers = config.n_layer,
        width = config.d_model,
        halves = halves,
        hash = hash,
    );
    format!("{how}{less}, {into}; {mean}{metric}{normalised}. {of_model}; {computed}.")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use relp_model::{MetricValues, OfPair, Site};
    use relp_print::{Print, words as printed};

    use super::*;
    use crate::known::Known;
    use crate::testing;

    /// Figures that between them have everything that a caption can say.
    fn figures() -> Vec<Figure> {
        let usual = testing::figure(2, 3);
        let changed = |change: &dyn Fn(&mut Figure)| {
            let mut figure = usual.clone();
            change(&mut figure);
            figure
        };
        let mut all = vec![
            usual.clone(),
            changed(&|figure| figure.rules = Rules::NONE),
            changed(&|figure| figure.rules = Rules { ln: true, ..Rules::NONE }),
            changed(&|figure| figure.normalised = true),
            changed(&|figure| figure.model.weights = Precision::F16),
            changed(&|figure| figure.answers = figure.tokens.clean.clone()),
            changed(&|figure| {
                figure.method = Method::IgInputs;
                (figure.steps, figure.convergence_error) = (Some(5), Some(0.25));
            }),
            changed(&|figure| {
                let Figure { tokens, answers, foils, metric, maps, .. } = figure.clone();
                figure.pairs = vec![OfPair { tokens, answers, foils, metric, maps }; 3];
            }),
        ];
        for name in Metric::ALL {
            all.push(changed(&|figure| {
                figure.metric = MetricValues { name, ..figure.metric };
            }));
        }
        for direction in [Direction::Denoise, Direction::Noise] {
            for replace in Replace::ALL.map(Some).into_iter().chain([None]) {
                all.push(changed(&|figure| {
                    (figure.direction, figure.replace) = (direction, replace);
                    figure.method = if replace.is_some() { Method::Ap } else { Method::GradXInput };
                }));
            }
        }
        all
    }

    #[test]
    fn what_is_printed_says_the_same_in_english() {
        for figure in figures() {
            let known = Known::whole(Arc::new(figure.clone()));
            let drawn = Drawn { known, scores: Scores::Method, before: None };
            assert_eq!(printed::caption(&Print::of(&figure)), caption(&drawn));
            assert_eq!(printed::legend(&Print::of(&figure)), legend(&drawn));
        }
        let figure = testing::figure(2, 3);
        let known = Known::whole(Arc::new(figure.clone()));
        let error = Drawn { known, scores: Scores::Error, before: None };
        let less = Some("the exact answer (AP)");
        let print = Print { drawn: &figure, source: &figure, less };
        assert_eq!(printed::caption(&print), caption(&error));
        let sites = Site::HEADS.into_iter().chain(Site::PAPER);
        for site in sites.chain([Site::Embed, Site::ResidMid, Site::ResidPost, Site::Post]) {
            assert_eq!(printed::site(site), crate::words::site(site));
        }
        for text in ["<|endoftext|>", " Mary", "\n\t\u{1}", " counterrevolutionary", " réseau"] {
            assert_eq!(printed::token(text), labels::axis(text));
        }
        for value in [0.0, -0.0004, 1.25, -12.5] {
            assert_eq!(printed::score(value), labels::score(value));
        }
    }
}
