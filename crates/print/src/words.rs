//! The words on a printed figure, in English: those of the page, whose tests hold the two together
//! (`what_is_printed_says_the_same_in_english`).

use relp_model::{Direction, Figure, Method, Metric, Precision, Replace, Rules, Site, Token};

use crate::Print;

/// A score with its sign and three decimals, by a true minus.
pub fn score(value: f64) -> String {
    if value.abs() < 0.0005 {
        return "0.000".to_owned();
    }
    let sign = if value < 0.0 { "−" } else { "+" };
    format!("{sign}{:.3}", value.abs())
}

/// A token as it stands at an axis.
pub fn token(text: &str) -> String {
    if text == "<|endoftext|>" {
        return "BOS".to_owned();
    }
    let visible = |c: char| match c {
        ' ' => "·".to_owned(),
        '\n' => "⏎".to_owned(),
        '\t' => "⇥".to_owned(),
        c if c.is_control() => format!("<0x{:02X}>", c as u32),
        c => c.to_string(),
    };
    let text: String = text.chars().map(visible).collect();
    if text.chars().count() <= 11 {
        return text;
    }
    text.chars().take(10).chain(['…']).collect()
}

/// What a site is, in a few words.
pub fn site(site: Site) -> &'static str {
    match site {
        Site::Embed => "the token embeddings",
        Site::ResidPre => "residual stream before the layer",
        Site::Q => "the heads' queries",
        Site::K => "the heads' keys",
        Site::V => "the heads' values",
        Site::Pattern => "the heads' attention patterns",
        Site::Z => "the heads' outputs",
        Site::Post => "the MLP's neurons",
        Site::AttnOut => "what attention adds",
        Site::ResidMid => "residual stream between attention and MLP",
        Site::MlpOut => "what the MLP adds",
        Site::ResidPost => "residual stream after the layer",
    }
}

fn rules(rules: Rules) -> String {
    let names: Vec<&str> = rules.on().map(rule).collect();
    match names.as_slice() {
        [] => "no rules".to_owned(),
        [one] => format!("the {one}-rule"),
        _ => format!("the rules {}", names.join(", ")),
    }
}

fn rule(rule: relp_model::Rule) -> &'static str {
    match rule {
        relp_model::Rule::Ln => "LN",
        relp_model::Rule::Identity => "Identity",
        relp_model::Rule::Half => "Half",
        relp_model::Rule::Ah => "AH",
    }
}

fn unit(metric: Metric) -> &'static str {
    match metric.unit() {
        "" => "probability",
        unit => unit,
    }
}

fn method(figure: &Figure) -> String {
    let method = figure.method.title();
    match (figure.method, figure.steps, figure.convergence_error) {
        (Method::Relp, ..) => format!("{method} with {}", rules(figure.rules)),
        (_, Some(steps), Some(error)) => {
            format!("{method}, {steps} steps, convergence error {error:.3}")
        }
        _ => method.to_owned(),
    }
}

fn formula(figure: &Figure) -> String {
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

fn difference(figure: &Figure) -> String {
    format!("{} {}", score(figure.metric.difference()), unit(figure.metric.name))
}

/// What the scores are counted in, direction, replacement, method and rules.
pub fn legend(print: &Print<'_>) -> String {
    let figure = print.drawn;
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
    let method = match figure.method {
        Method::Relp => format!("RelP, {}", rules(figure.rules)),
        method => method.title().to_owned(),
    };
    let less = print.less.map(|less| format!(" − {less}")).unwrap_or_default();
    format!("{unit} · {direction} · {how}{method}{less}")
}

/// All that is needed to make the figure again, in two sentences.
pub fn caption(print: &Print<'_>) -> String {
    let figure = print.drawn;
    let model = &figure.model;
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
    let less = print.less.map(|less| format!(", less {less}")).unwrap_or_default();
    let mean = match figure.pairs.len() {
        0 => String::new(),
        pairs => format!("mean over {pairs} pairs, with the first one's tokens; "),
    };
    format!(
        "{}{less}, {into}; {mean}metric: {} at the last position{normalised}. Model {} ({} layers, width \
         {}{halves}, sha256 {hash}…); computed by the {} executor ({}), version {}.",
        method(figure),
        formula(figure),
        model.name,
        model.config.n_layer,
        model.config.d_model,
        figure.executor.kind.name(),
        figure.executor.device,
        figure.version,
    )
}
