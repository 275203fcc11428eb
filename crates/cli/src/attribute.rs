//! `relp attribute`: figures of pairs.

use std::fmt::Write as _;

use relp_model::{
    Direction, Figure, Map, Method, Metric, Prediction, Replace, Site, Token, mean, same_length,
};

use crate::args::Options;
use crate::columns::Columns;
use crate::failure::{Failure, Result};
use crate::model::Model;
use crate::output::note;
use crate::pairs::Source;

pub(crate) fn run(options: &Options) -> Result<()> {
    let methods = match options.methods.as_slice() {
        [] => &[Method::Relp],
        methods => methods,
    };
    options.out.check()?;
    let source = Source::new(options)?;
    options.idle(methods).into_iter().for_each(note);
    let mut model = Model::load(options.model.as_deref(), options.executor, options.weights)?;
    let questions = source.read(&model.engine().reader(), options.metric)?;
    if options.mean {
        let lengths = questions.iter().map(|question| question.pair.positions());
        same_length(lengths).map_err(Failure::input)?;
    }
    let mut figures = Vec::with_capacity(questions.len() * methods.len());
    for (at, question) in questions.iter().enumerate() {
        for &method in methods {
            let what = format!("Pair {} of {}, {}", at + 1, questions.len(), method.title());
            let figure = model.attribute(&question.pair, &options.request(method), what);
            figures.push(figure.map_err(|failure| failure.at(question.place.as_deref()))?);
        }
    }
    model.rest();
    if options.mean {
        figures = methods
            .iter()
            .enumerate()
            .map(|(at, _)| {
                let of_method: Vec<Figure> =
                    figures.iter().skip(at).step_by(methods.len()).cloned().collect();
                mean(&of_method).map_err(Failure::input)
            })
            .collect::<Result<_>>()?;
    }
    let text = || figures.iter().map(text).collect::<Vec<_>>().join("\n");
    match figures.as_slice() {
        // One figure was asked for; a file of pairs is always answered by a list, but for its mean.
        [figure] if options.pairs.is_none() || options.mean => options.out.give(figure, text),
        _ => options.out.give(&figures, text),
    }
}

/// A figure as a person reads it on a terminal.
fn text(figure: &Figure) -> String {
    let mut text = String::new();
    let line = |text: &mut String, key: &str, value: &str| {
        text.push_str(&format!("{key:<10}{value}\n"));
    };
    line(&mut text, "method", &method(figure));
    let toward = match figure.direction {
        Direction::Denoise => "denoise: the corrupted run is changed toward the clean one",
        Direction::Noise => "noise: the clean run is changed toward the corrupted one",
    };
    line(&mut text, "direction", toward);
    match figure.replace {
        Some(Replace::Zero) => line(&mut text, "replace", "zero: 0 is put in"),
        Some(Replace::Mean) => {
            line(&mut text, "replace", "mean: the mean over positions of both runs is put in");
        }
        Some(Replace::Source) | None => {}
    }
    let metric = &figure.metric;
    let unit = match (figure.normalised, metric.name.unit()) {
        (true, _) => {
            format!("of metric(clean) - metric(corrupted) = {:.3}", metric.difference())
        }
        (false, "") => "probability".to_owned(),
        (false, unit) => unit.to_owned(),
    };
    line(&mut text, "unit", &unit);
    if !figure.pairs.is_empty() {
        let pairs = format!("mean over {}; tokens are of the first", figure.pairs.len());
        line(&mut text, "pairs", &pairs);
    }
    let (model, executor) = (&figure.model.name, &figure.executor);
    let on = format!("{model}, on {} ({})", executor.kind.name(), executor.device);
    line(&mut text, "model", &on);
    let values = format!(
        "{}: {:.3} clean, {:.3} corrupted",
        formula(figure),
        metric.clean,
        metric.corrupted
    );
    line(&mut text, "metric", &values);
    line(&mut text, "clean", &likeliest(&figure.predictions.clean));
    line(&mut text, "corrupted", &likeliest(&figure.predictions.corrupted));
    if let Some(error) = figure.convergence_error {
        line(&mut text, "error", &format!("{error:.4} of convergence, the largest of a layer"));
    }
    for (site, map) in &figure.maps {
        if *site == Site::Post {
            let _ = writeln!(text, "\n{site}: the neurons with the largest scores of each layer");
            by_neuron(figure, map).write(&mut text);
        } else if map.shape.len() > 2 {
            let _ = writeln!(text, "\n{site}, summed over positions: layer by head");
            by_head(map).write(&mut text);
        } else {
            let _ = writeln!(text, "\n{site}: position by layer");
            by_position(figure, map).write(&mut text);
        }
    }
    text
}

/// The method with what it depends on.
fn method(figure: &Figure) -> String {
    let title = figure.method.title();
    match (figure.method, figure.steps) {
        (Method::Relp, _) => format!("{title}, rules {}", figure.rules),
        (_, Some(steps)) => format!("{title}, {steps} steps"),
        _ => title.to_owned(),
    }
}

/// The metric as a formula.
fn formula(figure: &Figure) -> String {
    let list = |tokens: &[Token]| {
        tokens.iter().map(|token| format!("{:?}", token.text)).collect::<Vec<_>>().join(", ")
    };
    let (answers, foils) = (list(&figure.answers), list(&figure.foils));
    match figure.metric.name {
        Metric::LogitDiff => format!("logit({answers}) - logit({foils})"),
        Metric::LogProb => format!("ln p({answers})"),
        Metric::ProbDiff => format!("p({answers}) - p({foils})"),
        Metric::Kl => "KL from the clean run's next tokens".to_owned(),
    }
}

/// A row a neuron.
fn by_neuron(figure: &Figure, map: &Map) -> Columns {
    let mut columns = Columns::new(1, ["token", "layer", "position", "neuron", "score"]);
    for (neuron, &value) in map.neurons.iter().flatten().zip(&map.values) {
        columns.row(vec![
            figure.tokens.clean.get(neuron.position).map_or_else(String::new, label),
            neuron.layer.to_string(),
            neuron.position.to_string(),
            neuron.neuron.to_string(),
            score(value),
        ]);
    }
    columns
}

fn likeliest(predictions: &[Prediction]) -> String {
    let one = |prediction: &Prediction| {
        format!("{:?} {:.1} %", prediction.token.text, 100.0 * prediction.probability)
    };
    let most = predictions.iter().take(3).map(one).collect::<Vec<_>>().join(", ");
    format!("next is likely {most}")
}

/// A row a position, under the tokens that the prompts have there.
fn by_position(figure: &Figure, map: &Map) -> Columns {
    let mut heads = vec![String::new(), "clean".to_owned(), "corrupted".to_owned()];
    heads.extend((0..map.layers()).map(|layer| layer.to_string()));
    let mut columns = Columns::with_heads(3, heads);
    let tokens = figure.tokens.clean.iter().zip(&figure.tokens.corrupted);
    for (position, (clean, corrupted)) in tokens.enumerate() {
        let other = if clean.id == corrupted.id { String::new() } else { label(corrupted) };
        let mut row = vec![position.to_string(), label(clean), other];
        row.extend((0..map.layers()).map(|layer| score(map.get(layer, position).unwrap_or(0.0))));
        columns.row(row);
    }
    columns
}

/// A row a layer, a column a head.
fn by_head(map: &Map) -> Columns {
    let heads = map.heads();
    let mut names = vec![String::new()];
    names.extend((0..heads).map(|head| head.to_string()));
    let mut columns = Columns::with_heads(1, names);
    for (layer, sums) in map.by_head().values.chunks(heads.max(1)).enumerate() {
        let row = sums.iter().map(|sum| score(*sum));
        columns.row([layer.to_string()].into_iter().chain(row).collect());
    }
    columns
}

/// A cell that is exactly 0 shows as such, unlike one that rounds to it.
fn score(value: f32) -> String {
    if value == 0.0 { "0".to_owned() } else { format!("{value:.3}") }
}

fn label(token: &Token) -> String {
    const WIDEST: usize = 20;
    let text = format!("{:?}", token.text);
    if text.chars().count() <= WIDEST {
        return text;
    }
    text.chars().take(WIDEST - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use relp_model::{Choice, Precision};

    use super::*;

    #[test]
    fn a_figure_reads_well() {
        let mut options = Options {
            clean: Some("When John and Mary went to the shop, John gave a drink to".to_owned()),
            corrupt: Some("When John and Mary went to the shop, Mary gave a drink to".to_owned()),
            answers: vec![" Mary".to_owned()],
            foils: vec![" John".to_owned()],
            executor: Choice::Cpu,
            ..Options::default()
        };
        options.sites = vec![Site::ResidPre, Site::Z];
        let mut model = Model::load(None, Choice::Cpu, Precision::F32).unwrap();
        let questions = Source::new(&options)
            .unwrap()
            .read(&model.engine().reader(), Metric::LogitDiff)
            .unwrap();
        let request = options.request(Method::Relp);
        let figure = model.attribute(&questions[0].pair, &request, String::new()).unwrap();
        let text = text(&figure);
        assert!(text.contains("RelP, rules ln,identity,half"), "{text}");
        assert!(
            text.contains("logit(\" Mary\") - logit(\" John\"): 11.105 clean, -8.103"),
            "{text}"
        );
        let lines: Vec<&str> = text.lines().collect();
        let start = lines.iter().position(|line| line.starts_with("resid_pre")).unwrap();
        assert_eq!(lines[start + 2].split_whitespace().last(), Some("0"), "{text}");
        let row = lines[start + 2 + 10];
        assert!(row.starts_with("10  \" John\""), "{text}");
        assert!(row.contains("\" Mary\""), "{text}");
        let heads = lines.iter().position(|line| line.starts_with("z, summed")).unwrap();
        assert_eq!(lines[heads + 2..].len(), 6, "{text}");
        assert_eq!(lines[heads + 2].split_whitespace().count(), 9, "{text}");
        // Summed over heads and positions or over layers of z, it is the same.
        let all: f32 = figure.maps[&Site::Z].values.iter().sum();
        let shown = lines[heads + 2..].iter().flat_map(|line| line.split_whitespace().skip(1));
        let shown: f32 = shown.map(|cell| cell.parse::<f32>().unwrap()).sum();
        assert!((all - shown).abs() < 0.05, "{all} {shown}");
    }

    #[test]
    fn long_tokens_are_cut_and_small_scores_are_not_zero() {
        let token = |text: &str| Token { id: 0, text: text.to_owned() };
        assert_eq!(label(&token("\n")), "\"\\n\"");
        assert_eq!(label(&token(&"x".repeat(40))).chars().count(), 20);
        assert_eq!(
            (score(0.0), score(-0.0), score(1e-6)),
            ("0".into(), "0".into(), "0.000".into())
        );
    }
}
