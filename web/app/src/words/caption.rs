//! What a figure is, in words: its legend and its caption.

use relp_model::{Direction, Figure, Method, Metric, Precision, Replace, Rules, Token};

use super::rule;
use crate::comparison::{Drawn, Scores};
use crate::labels;

/// The rules of a figure.
fn rule_list(rules: Rules) -> String {
    let names: Vec<&str> = rules.on().map(|one| rule(one).0).collect();
    match names.as_slice() {
        [] => "no rules".to_owned(),
        [one] => format!("the {one}-rule"),
        _ => format!("the rules {}", names.join(", ")),
    }
}

/// What the values of a metric are counted in.
pub fn unit(metric: Metric) -> &'static str {
    match metric.unit() {
        "" => "probability",
        unit => unit,
    }
}

/// A method with all that belongs to it.
pub fn method_in_full(figure: &Figure) -> String {
    let method = figure.method.title();
    match (figure.method, figure.steps, figure.convergence_error) {
        (Method::Relp, ..) => format!("{method} with {}", rule_list(figure.rules)),
        (_, Some(steps), Some(error)) => {
            format!("{method}, {steps} steps, convergence error {error:.3}")
        }
        _ => method.to_owned(),
    }
}

/// What the metric of a figure reads off the last position.
pub fn formula(figure: &Figure) -> String {
    let list = |tokens: &[Token], word: &str| {
        let texts: Vec<String> = tokens.iter().map(|token| format!("{:?}", token.text)).collect();
        texts.join(word)
    };
    let (answers, foils) = (&figure.answers, &figure.foils);
    match figure.metric.name {
        Metric::LogitDiff => {
            let mean = |tokens: &[Token]| match tokens {
                [_] => format!("logit({})", list(tokens, "")),
                _ => format!("mean logit({})", list(tokens, ", ")),
            };
            format!("{} − {}", mean(answers), mean(foils))
        }
        Metric::LogProb => format!("ln p({})", list(answers, " or ")),
        Metric::ProbDiff => format!("p({}) − p({})", list(answers, " or "), list(foils, " or ")),
        Metric::Kl => "KL divergence from the clean run's distribution".to_owned(),
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
        format!("fraction of the metric's difference ({})", difference(figure))
    } else {
        unit(figure.metric.name).to_owned()
    };
    let direction = match figure.direction {
        Direction::Denoise => "denoise",
        Direction::Noise => "noise",
    };
    let how = match figure.replace {
        Some(Replace::Source) => "patching · ",
        Some(Replace::Zero) => "zero ablation · ",
        Some(Replace::Mean) => "mean ablation · ",
        None => "",
    };
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
        (Some(Replace::Source), Direction::Denoise) => "clean into corrupted (denoising)",
        (Some(Replace::Source), Direction::Noise) => "corrupted into clean (noising)",
        (Some(Replace::Zero), Direction::Denoise) => {
            "zero ablation of the corrupted run (denoising)"
        }
        (Some(Replace::Zero), Direction::Noise) => "zero ablation of the clean run (noising)",
        (Some(Replace::Mean), Direction::Denoise) => {
            "mean ablation of the corrupted run (denoising)"
        }
        (Some(Replace::Mean), Direction::Noise) => "mean ablation of the clean run (noising)",
        (None, Direction::Denoise) => "of the corrupted run (denoising)",
        (None, Direction::Noise) => "of the clean run (noising)",
    };
    let normalised = if figure.normalised {
        format!(", divided by the metric's clean − corrupted difference, {}", difference(figure))
    } else {
        format!(", in {}", unit(figure.metric.name))
    };
    let hash = model.sha256.get(..12).unwrap_or(&model.sha256);
    let halves = match model.weights {
        Precision::F32 => "",
        Precision::F16 => ", weights of 16 bits",
    };
    let how = method_in_full(figure);
    let less = match (&drawn.before, drawn.scores) {
        (Some(before), _) => format!(" minus {}", method_in_full(before)),
        (_, Scores::Error) if figure.method.is_unsigned() => {
            ", less the size of the exact answer (AP)".to_owned()
        }
        (_, Scores::Error) => ", less the exact answer (AP)".to_owned(),
        _ => String::new(),
    };
    let mean = match figure.pairs.len() {
        0 => String::new(),
        pairs => format!("mean over {pairs} pairs, with the first one's tokens; "),
    };
    format!(
        "{how}{less}, {into}; {mean}metric: {} at the last position{normalised}. \
         Model {} ({} layers, width {}{halves}, sha256 {hash}…); computed by the {} executor ({}), \
         version {}.",
        formula(figure),
        model.name,
        config.n_layer,
        config.d_model,
        figure.executor.kind.name(),
        figure.executor.device,
        figure.version,
    )
}
