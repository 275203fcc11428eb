//! Every sentence of the interface.

use relp_model::{Device, Direction, Figure, Kind, Method, Rule, Rules, Site};
use relp_protocol::Stage;

use crate::labels;

pub const TITLE: &str = "RelP Playground";
pub const MODEL: &str = "primer";
pub const INTRODUCTION: &str = "Which layer and position of a language model carry its answer? \
    Two prompts that differ in a word or two, two possible next words, and the maps below: \
    computed now, in this browser.";
pub const TEACHING_MODEL: &str = "This is primer, a small teaching model trained on synthetic \
    sentences. It is not OpenAI's GPT-2.";
pub const ABOUT_RELP: &str = "Relevance Patching (RelP) is attribution patching whose backward \
    pass follows rules of layer-wise relevance propagation.";
pub const PAPER: &str = "https://arxiv.org/abs/2508.21258";

pub const CLEAN_HELP: &str = "The prompt whose answer you want to explain.";
pub const CORRUPTED_HELP: &str = "The same length in tokens, with the deciding words changed.";
pub const ANSWER_HELP: &str = "Where the clean prompt should go on: one token.";
pub const FOIL_HELP: &str = "Where the corrupted prompt should go on: one token.";
pub const MAPS_HELP: &str = "Each cell is one activation of the model: a layer (upward) at a \
    position (to the right). Its colour says how far the metric would move if this activation \
    were taken from the other prompt, as the chosen method estimates it.";
pub const HEADS_HELP: &str = "Each cell is one head, summed over the positions.";
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
    }
}

/// What a site is, in a sentence.
pub fn site(site: Site) -> &'static str {
    match site {
        Site::ResidPre => "residual stream before the layer",
        Site::Z => "the heads' outputs",
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
pub fn progress(stage: Stage, done: usize, total: usize) -> String {
    let of = |amount: &dyn Fn(usize) -> String| match total {
        0 if done == 0 => String::new(),
        0 => format!(", {}", amount(done)),
        _ => format!(", {} of {}", amount(done), amount(total)),
    };
    match stage {
        Stage::Fetching => format!("Fetching the model{}", of(&labels::bytes)),
        Stage::Loading => format!("Loading the weights{}", of(&labels::bytes)),
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

/// The rules of a figure.
fn rule_list(rules: Rules) -> String {
    let names: Vec<&str> = rules.on().map(|one| rule(one).0).collect();
    match names.as_slice() {
        [] => "no rules".to_owned(),
        [one] => format!("the {one}-rule"),
        _ => format!("the rules {}", names.join(", ")),
    }
}

/// Units, direction and rules, for the legend.
pub fn legend(figure: &Figure, is_error: bool) -> String {
    let unit = if figure.normalised { "fraction of the metric's difference" } else { "logits" };
    let (name, _) = direction(figure.direction);
    let method = match figure.method {
        Method::Relp => format!("RelP, {}", rule_list(figure.rules)),
        method => method.title().to_owned(),
    };
    let less = if is_error { " − AP" } else { "" };
    format!("{unit} · {} · {method}{less}", name.to_lowercase())
}

/// All that is needed to make the figure again, in two sentences.
pub fn caption(figure: &Figure, is_error: bool) -> String {
    let model = &figure.model;
    let config = &model.config;
    let method = figure.method.title();
    let into = match figure.direction {
        Direction::Denoise => "clean into corrupted (denoising)",
        Direction::Noise => "corrupted into clean (noising)",
    };
    let normalised = if figure.normalised {
        ", divided by the metric's clean − corrupted difference"
    } else {
        ""
    };
    let hash = model.sha256.get(..12).unwrap_or(&model.sha256);
    let how = match (figure.method, figure.steps, figure.convergence_error) {
        (Method::Relp, ..) => format!("{method} with {}", rule_list(figure.rules)),
        (_, Some(steps), Some(error)) => {
            format!("{method}, {steps} steps, convergence error {error:.3}")
        }
        _ => method.to_owned(),
    };
    let less = if is_error { ", less the exact answer (AP)" } else { "" };
    format!(
        "{how}{less}, {into}; metric: logit({:?}) − logit({:?}) at the last position{normalised}. \
         Model {} ({} layers, width {}, sha256 {hash}…); computed by the {} executor ({}), \
         version {}.",
        figure.answer.text,
        figure.foil.text,
        model.name,
        config.n_layer,
        config.d_model,
        figure.executor.kind.name(),
        figure.executor.device,
        figure.version,
    )
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

/// The grid of heads in words.
pub fn heads_summary(map: &relp_model::Map) -> String {
    let magnitude = |index: &usize| map.values[*index].abs();
    let largest = (0..map.values.len()).max_by(|a, b| magnitude(a).total_cmp(&magnitude(b)));
    let Some(largest) = largest else { return String::new() };
    let (layer, head) = (largest / map.positions().max(1), largest % map.positions().max(1));
    format!(
        "z, {}: {} layers by {} heads, summed over the positions. The largest score is {}, of head {head} in \
         layer {layer}. Arrow keys walk the cells.",
        site(Site::Z),
        map.layers(),
        map.positions(),
        labels::score(f64::from(map.values[largest])),
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
