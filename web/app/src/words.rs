//! What the page says of the engine's terms and results. The words themselves are in `locales/`.

mod caption;
mod problem;

use relp_hub::preflight::Bytes;
use relp_model::{
    Device, Direction, Figure, Kind, Method, Metric, Replace, Rule, Rules, Site, Token,
};
use relp_protocol::Stage;

use crate::comparison;
use crate::labels;
use crate::locale::{number, t};
use crate::state::Origin;

pub use caption::{caption, formula, legend, unit};
pub use problem::{fallback, note, problem, unusable};

pub const MODEL: &str = "primer";
pub const PAPER: &str = "https://arxiv.org/abs/2508.21258";

/// A rule's name in the field, and what it does, in a sentence.
pub fn rule(rule: Rule) -> (&'static str, String) {
    match rule {
        Rule::Ln => ("LN", t!("rule-ln")),
        Rule::Identity => ("Identity", t!("rule-identity")),
        Rule::Half => ("Half", t!("rule-half")),
        Rule::Ah => ("AH", t!("rule-ah")),
    }
}

/// A direction's name, and what it means, in a sentence.
pub fn direction(direction: Direction) -> (String, String) {
    match direction {
        Direction::Denoise => (t!("direction-denoise"), t!("direction-denoise-help")),
        Direction::Noise => (t!("direction-noise"), t!("direction-noise-help")),
    }
}

/// What is put in the place of an activation: a short name, and a sentence.
pub fn replace(replace: Replace) -> (String, String) {
    match replace {
        Replace::Source => (t!("replace-source"), t!("replace-source-help")),
        Replace::Zero => (t!("replace-zero"), t!("replace-zero-help")),
        Replace::Mean => (t!("replace-mean"), t!("replace-mean-help")),
    }
}

/// What a metric is, in a sentence.
pub fn metric(metric: Metric) -> String {
    match metric {
        Metric::LogitDiff => t!("metric-logit-diff"),
        Metric::LogProb => t!("metric-log-prob"),
        Metric::ProbDiff => t!("metric-prob-diff"),
        Metric::Kl => t!("metric-kl"),
    }
}

/// What a method is, in a sentence.
pub fn method(method: Method) -> String {
    match method {
        Method::Relp => t!("method-relp"),
        Method::Atp => t!("method-atp"),
        Method::Ap => t!("method-ap"),
        Method::IgInputs => t!("method-ig-inputs"),
        Method::IgActivations => t!("method-ig-activations"),
        Method::AtpStar => t!("method-atp-star"),
        Method::GradXInput => t!("method-grad-x-input"),
    }
}

/// What a site is, in a few words.
pub fn site(site: Site) -> String {
    match site {
        Site::Embed => t!("site-embed"),
        Site::ResidPre => t!("site-resid-pre"),
        Site::Q => t!("site-q"),
        Site::K => t!("site-k"),
        Site::V => t!("site-v"),
        Site::Pattern => t!("site-pattern"),
        Site::Z => t!("site-z"),
        Site::Post => t!("site-post"),
        Site::AttnOut => t!("site-attn-out"),
        Site::ResidMid => t!("site-resid-mid"),
        Site::MlpOut => t!("site-mlp-out"),
        Site::ResidPost => t!("site-resid-post"),
    }
}

/// What computes.
pub fn device(device: &Device) -> String {
    let kind = match device.kind {
        Kind::Reference => t!("device-reference"),
        Kind::Cpu => "CPU".to_owned(),
        Kind::Gpu => "GPU".to_owned(),
    };
    format!("{kind}: {}", device.name)
}

/// A number of bytes as people say it.
pub fn bytes(count: u64) -> String {
    number(&Bytes(count).to_string())
}

/// What takes time, and how far it is.
pub fn progress(stage: Stage, done: u64, total: u64) -> String {
    let of = match total {
        0 if done == 0 => String::new(),
        0 => format!(", {}", bytes(done)),
        _ => format!(", {}", t!("progress-of", done = bytes(done), total = bytes(total))),
    };
    match stage {
        Stage::Fetching => format!("{}{of}", t!("progress-fetching")),
        Stage::Loading => format!("{}{of}", t!("progress-loading")),
        Stage::Running => t!("progress-running"),
    }
}

/// The worker can do no more.
pub fn crashed(why: &str) -> String {
    t!("crashed", why = why)
}

/// What the rules that are on do, a sentence each.
pub fn rules(rules: Rules) -> String {
    if rules == Rules::NONE {
        return t!("rules-none");
    }
    let sentence = |one: Rule| {
        let (title, does) = rule(one);
        format!("{title}: {does}")
    };
    rules.on().map(sentence).collect::<Vec<_>>().join(" ")
}

/// A map in words, for those who do not see it.
pub fn map_summary(figure: &Figure, at: Site) -> String {
    let Some(map) = figure.maps.get(&at) else { return String::new() };
    let Some(largest) = comparison::largest(&map.values) else { return String::new() };
    let (layer, position) = (largest / map.positions(), largest % map.positions());
    let token = figure.tokens.clean.get(position).map_or("", |token| token.text.as_str());
    t!(
        "map-summary",
        site = at.name(),
        about = site(at),
        layers = map.layers(),
        positions = map.positions(),
        score = labels::score(f64::from(map.values[largest])),
        layer = layer,
        position = position,
        token = format!("{token:?}"),
    )
}

/// The scatter in words.
pub fn scatter_summary(points: usize) -> String {
    t!("scatter-summary", points = points)
}

/// What the maps show of a figure, in a sentence.
pub fn maps_help(figure: &Figure) -> String {
    match (figure.method, figure.replace.unwrap_or_default()) {
        (Method::GradXInput, _) => t!("maps-help-tokens"),
        (Method::Ap, Replace::Source) => t!("maps-help-exact"),
        (Method::AtpStar, Replace::Source) => t!("maps-help-sizes"),
        (_, Replace::Source) => t!("maps-help-estimate"),
        (_, Replace::Zero) => t!("maps-help-zero"),
        (_, Replace::Mean) => t!("maps-help-mean"),
    }
}

/// What the table of the agreement is of.
pub fn agreement_caption(method: Method) -> String {
    if method.is_unsigned() {
        t!("agreement-caption-sizes", method = method.title())
    } else {
        t!("agreement-caption", method = method.title())
    }
}

/// A score, and in a mean its standard deviation.
pub fn with_deviation((score, deviation): (f32, Option<f32>)) -> String {
    let score = labels::score(f64::from(score));
    match deviation {
        Some(deviation) => number(&format!("{score} ± {deviation:.3}")),
        None => score,
    }
}

/// A prompt from its tokens.
pub fn prompt_of(tokens: &[Token]) -> String {
    let texts =
        tokens.iter().map(|token| token.text.as_str()).filter(|text| *text != "<|endoftext|>");
    texts.collect::<String>().trim().to_owned()
}

/// The first so many characters of a text, with an ellipsis if there are more.
pub fn shortened(text: &str, most: usize) -> String {
    let mut short: String = text.chars().take(most).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// Where a figure came from that was not computed here.
pub fn opened(origin: &Origin, figure: &Figure) -> String {
    let hash = figure.model.sha256.get(..12).unwrap_or_default();
    let name = figure.model.name.as_str();
    match origin {
        Origin::Beforehand => t!("opened-beforehand", model = name, hash = hash),
        Origin::File(file) => t!("opened-file", file = file.as_str(), model = name, hash = hash),
        Origin::Around => t!("opened-around", model = name, hash = hash),
        Origin::Earlier(number) => t!("opened-earlier", number = *number, model = name),
    }
}

/// A figure of this visit in a line.
pub fn figure_title(number: u32, figure: &Figure) -> String {
    let prompt = shortened(&prompt_of(&figure.tokens.clean), 40);
    let rules = match figure.method {
        Method::Relp if figure.rules != Rules::RELP => format!(" ({})", figure.rules),
        _ => String::new(),
    };
    format!("{number}: {}{rules}, {}: {prompt}", figure.method.title(), figure.direction)
}

/// An attention pattern in words.
pub fn attention_summary(title: &str, tokens: &[Token], values: &[f32]) -> String {
    let count = tokens.len().max(1);
    let Some(largest) = comparison::largest(values) else { return title.to_owned() };
    // Of the last position, from which the model answers.
    let before = values.len() - count.min(values.len());
    let last = comparison::largest(&values[before..]).map(|at| before + at);
    let name =
        |at: usize| tokens.get(at).map(|token| labels::axis(&token.text)).unwrap_or_default();
    let number = |at: usize| labels::coefficient(f64::from(values[at]));
    let looks = last.map(|at| format!("{} ({})", name(at % count), number(at))).unwrap_or_default();
    t!(
        "attention-summary",
        title = title,
        value = number(largest),
        from = name(largest / count),
        to = name(largest % count),
        last = looks,
    )
}

/// The grid of heads in words.
pub fn heads_summary(at: Site, sums: &[Option<f32>], (layers, heads): (usize, usize)) -> String {
    let known = sums.iter().enumerate().filter_map(|(index, sum)| sum.map(|sum| (index, sum)));
    let largest = known.max_by(|(_, a), (_, b)| a.abs().total_cmp(&b.abs()));
    let Some((largest, score)) = largest else { return String::new() };
    t!(
        "heads-summary",
        site = at.name(),
        about = site(at),
        layers = layers,
        heads = heads,
        score = labels::score(f64::from(score)),
        head = largest % heads.max(1),
        layer = largest / heads.max(1),
    )
}

/// A cell in words.
pub fn cell(figure: &Figure, (layer, position): (usize, usize)) -> String {
    let text = |tokens: &[Token]| {
        tokens.get(position).map(|token| labels::visible(&token.text)).unwrap_or_default()
    };
    let (clean, corrupted) = (text(&figure.tokens.clean), text(&figure.tokens.corrupted));
    let token = if clean == corrupted {
        format!("“{clean}”")
    } else {
        format!("“{clean}” / “{corrupted}”")
    };
    t!("cell", layer = layer, position = position, token = token)
}
