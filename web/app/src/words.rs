//! Every sentence of the interface.

mod caption;

use relp_hub::preflight::Bytes;
use relp_model::{Device, Direction, Figure, Kind, Method, Metric, Replace, Rule, Rules, Site};
use relp_protocol::Stage;

use crate::labels;
use crate::state::Origin;

pub use caption::{caption, formula, legend, unit};

pub const TITLE: &str = "RelP Playground";
pub const MODEL: &str = "primer";
pub const INTRODUCTION: &str = "Which layer and position of a language model carry its answer?";
pub const TEACHING_MODEL: &str = "This is primer, a small teaching model trained on synthetic \
    sentences. It is not OpenAI's GPT-2.";
pub const ABOUT_RELP: &str = "Relevance Patching (RelP) is attribution patching whose backward \
    pass follows rules of layer-wise relevance propagation.";
pub const PAPER: &str = "https://arxiv.org/abs/2508.21258";

pub const CLEAN_HELP: &str = "The prompt whose answer you want to explain.";
pub const CORRUPTED_HELP: &str = "The same length in tokens, with the deciding words changed.";
pub const ANSWER_HELP: &str =
    "Where the clean prompt should go on: one token, or several separated by |.";
pub const FOIL_HELP: &str = "Where the corrupted prompt should go on: one token, or several separated by |. Only \
    differences need one.";
pub const HEADS_HELP: &str =
    "Each cell is one head, summed over the positions. A click or Enter opens it.";
pub const NO_HEADS: &str = "This figure has no map of heads.";
pub const READOUT_HELP: &str = "Point at a cell, or reach a map by Tab and walk it with the arrow keys. A click or \
    Enter pins it.";
pub const NOT_AN_ESTIMATE: &str =
    "Gradient × input replaces nothing, so there is no exact answer to compare it with.";
pub const NO_EXACT: &str = "The exact answer is not there yet.";
pub const NO_BEFORE: &str = "There is no figure before this one that was made in another way: turn a rule on or off, \
    or choose another method.";
pub const ALL_EXACT: &str = "These scores are themselves exact: the method is activation patching.";
pub const OF_THE_SWEEP: &str = "The column “exact” is from activation patching of every cell.";
pub const OF_ITSELF: &str =
    "The column “exact” is from activation patching of this cell alone, computed just now.";
pub const IS_PATCHED: &str = "Patching this cell by itself …";
pub const ATTENTION_HELP: &str = "Where this head looks: each row is a position that looks, each column one that it \
    looks at. Escape closes.";
pub const NO_NEURONS: &str = "This figure lists no neurons.";
pub const NEURONS_HELP: &str = "The neurons with the largest scores of each layer, each at one position. Exact scores \
    are of these neurons alone.";
pub const NOT_SAVED: &str =
    "The browser did not save the figure: allow downloads for this page and try again.";
pub const NOT_READ: &str =
    "The file cannot be read: check that it is still there and choose it again.";
pub const TOO_LARGE: &str = "The file cannot be shown, because it is larger than any figure: open one that this page \
    or `relp attribute` wrote.";
pub const UNREADABLE_FOLDER: &str = "What was dropped cannot be read: choose the folder with the button \
    instead.";
pub const IS_EXACT: &str = "These maps are the exact answer: every component was replaced in turn, and all \
    after it computed again.";
pub const AGREEMENT_HELP: &str = "Activation patching (AP) replaces one component after the other and computes \
    again: slow on large models, and the standard that the methods are measured by. No one number tells: a \
    single cell can carry a correlation.";
pub const SIGN_HELP: &str =
    "Of the cells whose exact score is not 0, the share in which the method has its sign.";
pub const TOP_HELP: &str = "Of the cells with the largest exact scores, the share that is among as many of the \
    method's largest.";
pub const NON_ZERO_HELP: &str = "Cells whose exact score is not 0.";
pub const STALE: &str = "These maps are of the previous input.";
pub const NO_FIGURE: &str = "The maps will appear here.";

/// What a rule does, in a sentence.
pub fn rule(rule: Rule) -> (&'static str, &'static str) {
    match rule {
        Rule::Ln => ("LN", "LayerNorm's denominator is constant."),
        Rule::Identity => ("Identity", "GELU's slope is gelu(x)/x."),
        Rule::Half => (
            "Half",
            "each factor of a gate gets half of its gradient; GPT-2 has no gate, so this changes \
             nothing.",
        ),
        Rule::Ah => {
            ("AH", "the attention pattern is constant; relevance flows through the values.")
        }
    }
}

/// What a direction means, in a sentence.
pub fn direction(direction: Direction) -> (&'static str, &'static str) {
    match direction {
        Direction::Denoise => (
            "Denoise",
            "Clean activations into the corrupted run: positive moves toward the answer.",
        ),
        Direction::Noise => (
            "Noise",
            "Corrupted activations into the clean run: negative moves away from the answer.",
        ),
    }
}

/// What is put in the place of an activation: a short name, and a sentence.
pub fn replace(replace: Replace) -> (&'static str, &'static str) {
    match replace {
        Replace::Source => {
            ("the other prompt's activation", "Patching: what is put in is the other run's.")
        }
        Replace::Zero => ("0 (zero ablation)", "Zero ablation: every activation is replaced by 0."),
        Replace::Mean => (
            "its mean (mean ablation)",
            "Mean ablation: every activation is replaced by its mean over both prompts' positions but the first.",
        ),
    }
}

/// What a metric is, in a sentence.
pub fn metric(metric: Metric) -> &'static str {
    match metric {
        Metric::LogitDiff => "The answer's logit less the foil's, at the last position.",
        Metric::LogProb => "The logarithm of the answer's probability; it needs no foil.",
        Metric::ProbDiff => "The answer's probability less the foil's.",
        Metric::Kl => {
            "How far the next-token distribution is from the clean run's; it needs neither answer nor foil."
        }
    }
}

/// What a method is, in a sentence.
pub fn method(method: Method) -> &'static str {
    match method {
        Method::Relp => "Relevance patching: the gradient, with the rules below in its place.",
        Method::Atp => "Attribution patching: the plain gradient.",
        Method::Ap => {
            "Activation patching, the exact answer: every component replaced in turn, and all after \
             it computed again."
        }
        Method::IgInputs => {
            "Integrated gradients: averaged over steps in which the embeddings go from one prompt to \
             the other."
        }
        Method::IgActivations => {
            "Integrated gradients: averaged over steps in which each activation by itself goes from \
             one prompt's value to the other's."
        }
        Method::AtpStar => {
            "AtP*: attribution patching through the softmax for queries and keys, averaged over backward \
             passes that each leave a layer out. Its scores are sizes: they have no sign."
        }
        Method::GradXInput => {
            "The gradient at the token embeddings times the embeddings, on the run that is changed; \
             nothing is replaced."
        }
    }
}

/// What a site is, in a sentence.
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

/// What computes.
pub fn device(device: &Device) -> String {
    let kind = match device.kind {
        Kind::Reference => "Reference",
        Kind::Cpu => "CPU",
        Kind::Gpu => "GPU",
    };
    format!("{kind}: {}", device.name)
}

/// What takes time, and how far it is.
pub fn progress(stage: Stage, done: u64, total: u64) -> String {
    let [of_done, of_total] = [done, total].map(Bytes);
    let of = match total {
        0 if done == 0 => String::new(),
        0 => format!(", {of_done}"),
        _ => format!(", {of_done} of {of_total}"),
    };
    match stage {
        Stage::Fetching => format!("Fetching the model{of}"),
        Stage::Loading => format!("Loading the weights{of}"),
        Stage::Running => "Computing".to_owned(),
    }
}

/// The worker can do no more.
pub fn crashed(why: &str) -> String {
    format!(
        "The engine stopped unexpectedly ({why}). Your prompts are kept: press Retry to start it \
         again."
    )
}

/// What the rules that are on do, a sentence each.
pub fn rules(rules: Rules) -> String {
    if rules == Rules::NONE {
        return "No rule is on, so this is the plain gradient.".to_owned();
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
    let magnitude = |index: &usize| map.values[*index].abs();
    let largest = (0..map.values.len()).max_by(|a, b| magnitude(a).total_cmp(&magnitude(b)));
    let Some(largest) = largest else { return String::new() };
    let (layer, position) = (largest / map.positions(), largest % map.positions());
    let token = figure.tokens.clean.get(position).map_or("", |token| token.text.as_str());
    format!(
        "{at}, {}: {} layers by {} positions. The largest score is {}, at layer {layer}, position \
         {position}, token {token:?}. Arrow keys walk the cells.",
        site(at),
        map.layers(),
        map.positions(),
        labels::score(f64::from(map.values[largest])),
    )
}

/// The scatter in words.
pub fn scatter_summary(points: usize) -> String {
    format!(
        "Scatter of {points} cells: the exact score to the right, the method's upward. On the diagonal both \
         are the same. The table beside it has the numbers."
    )
}

/// What the maps show of a figure, in a sentence.
pub fn maps_help(figure: &Figure) -> String {
    let cell = "Each cell is one activation of the model: a layer (upward) at a position (to the right). Its colour says";
    match (figure.method, figure.replace.unwrap_or_default()) {
        (Method::GradXInput, _) => {
            "Each cell is one token: its embedding times the metric's gradient there.".to_owned()
        }
        (Method::Ap, Replace::Source) => {
            format!(
                "{cell} how far the metric moves when this activation is taken from the other prompt."
            )
        }
        (Method::AtpStar, Replace::Source) => format!(
            "{cell} how strongly the metric would react if this activation were taken from the other prompt, as \
             AtP* estimates it: a size without a sign."
        ),
        (_, Replace::Source) => format!(
            "{cell} how far the metric would move if this activation were taken from the other prompt, as the \
             chosen method estimates it."
        ),
        (_, replace) => {
            let by = if replace == Replace::Zero { "0" } else { "its mean" };
            format!("{cell} how far the metric moves when this activation is replaced by {by}.")
        }
    }
}

/// What the table of the agreement is of.
pub fn agreement_caption(method: Method) -> String {
    if method.is_unsigned() {
        format!("{} against the sizes of AP, cell by cell: its scores have no sign", method.title())
    } else {
        format!("{} against AP, cell by cell", method.title())
    }
}

/// A score, and in a mean its standard deviation.
pub fn with_deviation((score, deviation): (f32, Option<f32>)) -> String {
    let score = labels::score(f64::from(score));
    match deviation {
        Some(deviation) => format!("{score} ± {deviation:.3}"),
        None => score,
    }
}

/// A prompt from its tokens.
pub fn prompt_of(tokens: &[relp_model::Token]) -> String {
    let texts =
        tokens.iter().map(|token| token.text.as_str()).filter(|text| *text != "<|endoftext|>");
    texts.collect::<String>().trim().to_owned()
}

/// Where a figure came from that was not computed here.
pub fn opened(origin: &Origin, figure: &Figure) -> String {
    let hash = figure.model.sha256.get(..12).unwrap_or_default();
    let name = &figure.model.name;
    match origin {
        Origin::File(file) => {
            format!("Read from {file}, not computed here; of the model {name} (sha256 {hash}…).")
        }
        Origin::Earlier(number) => format!("Figure {number} of this visit, of the model {name}."),
    }
}

/// A figure of this visit in a line.
pub fn figure_title(number: u32, figure: &Figure) -> String {
    let text = prompt_of(&figure.tokens.clean);
    let mut prompt: String = text.chars().take(40).collect();
    if prompt.len() < text.len() {
        prompt.push('…');
    }
    let rules = match figure.method {
        Method::Relp if figure.rules != Rules::RELP => format!(" ({})", figure.rules),
        _ => String::new(),
    };
    format!("{number}: {}{rules}, {}: {prompt}", figure.method.title(), figure.direction)
}

/// An attention pattern in words.
pub fn attention_summary(title: &str, tokens: &[relp_model::Token], values: &[f32]) -> String {
    let count = tokens.len().max(1);
    let largest = (0..values.len()).max_by(|&a, &b| values[a].abs().total_cmp(&values[b].abs()));
    let Some(largest) = largest else { return title.to_owned() };
    // Of the last position, from which the model answers.
    let last = (values.len() - count.min(values.len())..values.len())
        .max_by(|&a, &b| values[a].abs().total_cmp(&values[b].abs()));
    let name =
        |at: usize| tokens.get(at).map(|token| labels::axis(&token.text)).unwrap_or_default();
    let number = |at: usize| labels::coefficient(f64::from(values[at]));
    let looks = last.map(|at| format!("{} ({})", name(at % count), number(at))).unwrap_or_default();
    format!(
        "{title}: the largest is {}, from “{}” to “{}”; of the last position it is to {looks}.",
        number(largest),
        name(largest / count),
        name(largest % count),
    )
}

/// The grid of heads in words.
pub fn heads_summary(at: Site, sums: &[Option<f32>], (layers, heads): (usize, usize)) -> String {
    let known = sums.iter().enumerate().filter_map(|(index, sum)| sum.map(|sum| (index, sum)));
    let largest = known.max_by(|(_, a), (_, b)| a.abs().total_cmp(&b.abs()));
    let Some((largest, score)) = largest else { return String::new() };
    let (layer, head) = (largest / heads.max(1), largest % heads.max(1));
    format!(
        "{at}, {}: {layers} layers by {heads} heads, summed over the positions. The largest score is {}, of head \
         {head} in layer {layer}. Arrow keys walk the cells, Enter opens a head.",
        site(at),
        labels::score(f64::from(score)),
    )
}

/// A cell in words.
pub fn cell(figure: &Figure, (layer, position): (usize, usize)) -> String {
    let text = |tokens: &[relp_model::Token]| {
        tokens.get(position).map(|token| labels::visible(&token.text)).unwrap_or_default()
    };
    let (clean, corrupted) = (text(&figure.tokens.clean), text(&figure.tokens.corrupted));
    let token = if clean == corrupted {
        format!("“{clean}”")
    } else {
        format!("“{clean}” / “{corrupted}”")
    };
    format!("layer {layer}, position {position} {token}")
}
