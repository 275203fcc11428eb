//! How methods agree with the exact answer on a set of pairs, counted in two ways.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use relp_model::{
    Agreement, Direction, Executor, Figure, Method, Metric, ModelInfo, Replace, Request, Rules,
    Site, SiteAgreement, agreement, mean,
};
use serde::Serialize;

use crate::args::Options;
use crate::columns::{Columns, number};
use crate::failure::Result;
use crate::model::Model;
use crate::pairs::Question;

/// The agreement of methods with exact patching on a set of pairs.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// What the pairs are.
    pub(crate) set: String,
    pub(crate) pairs: usize,
    /// Of the logit difference: the pairs for which the model prefers the answer after the clean prompt
    /// and the foil after the corrupted one.
    pub(crate) answered: Option<usize>,
    /// Tokens of every prompt, if they are all of one length.
    pub(crate) positions: Option<usize>,
    pub(crate) model: ModelInfo,
    pub(crate) executor: Executor,
    pub(crate) direction: Direction,
    pub(crate) replace: Replace,
    pub(crate) metric: Metric,
    /// Whether `<|endoftext|>` stands before the prompts.
    pub(crate) bos: bool,
    /// What they are compared with.
    pub(crate) against: Method,
    pub(crate) methods: Vec<Compared>,
}

/// One method against the exact answer.
#[derive(Debug, Serialize)]
pub(crate) struct Compared {
    pub(crate) method: Method,
    #[serde(with = "relp_model::rules_as_names")]
    pub(crate) rules: Rules,
    pub(crate) steps: Option<usize>,
    /// Maps are averaged over the pairs, then compared; only possible at one length.
    pub(crate) batch_mean: Option<Vec<SiteAgreement>>,
    /// Each pair's maps are compared, then the numbers are averaged.
    pub(crate) per_pair: Vec<SiteSpread>,
}

/// How the agreement at a site is spread over the pairs.
#[derive(Debug, Serialize)]
pub(crate) struct SiteSpread {
    pub(crate) site: Site,
    pub(crate) without_layer_0: bool,
    pub(crate) pearson: Option<Spread>,
    pub(crate) spearman: Option<Spread>,
    pub(crate) slope: Option<Spread>,
    pub(crate) same_sign: Option<Spread>,
    pub(crate) top_overlap: Option<Spread>,
}

/// Mean and standard deviation over the pairs for which a number is defined.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) pairs: usize,
    pub(crate) mean: f64,
    /// Of the sample; none for a single pair.
    pub(crate) deviation: Option<f64>,
}

impl Report {
    /// Computes every method on every pair.
    pub(crate) fn make(
        set: String,
        questions: &[Question],
        options: &Options,
        model: &mut Model,
    ) -> Result<Self> {
        let against = options.against.unwrap_or(Method::Ap);
        let methods = methods(options, against);
        let mut truths = Vec::with_capacity(questions.len());
        let mut estimates: Vec<Vec<Figure>> = methods.iter().map(|_| Vec::new()).collect();
        for (at, Question { pair, place }) in questions.iter().enumerate() {
            let mut figure = |request: &Request| {
                let what =
                    format!("Pair {} of {}, {}", at + 1, questions.len(), request.method.title());
                let figure = model.attribute(pair, request, what);
                figure.map_err(|failure| failure.at(place.as_deref()))
            };
            let mut neurons = BTreeSet::new();
            for (&method, figures) in methods.iter().zip(&mut estimates) {
                let estimate = figure(&options.request(method))?;
                let named = estimate.maps.get(&Site::Post).and_then(|map| map.neurons.as_ref());
                neurons.extend(named.into_iter().flatten().copied());
                figures.push(estimate);
            }
            // Of neurons, those are patched that an estimate names.
            let neurons = neurons.into_iter().collect();
            truths.push(figure(&Request { neurons, ..options.request(against) })?);
        }
        model.rest();
        let loaded = model.engine().loaded();
        let mean_truth = mean(&truths).ok();
        let compared = |(&method, figures): (&Method, &Vec<Figure>)| {
            let request = options.request(method);
            let means = (mean(figures).ok(), &mean_truth);
            let each = figures.iter().zip(&truths);
            Compared {
                method,
                rules: request.effective_rules(),
                steps: request.effective_steps(),
                batch_mean: match means {
                    (Some(estimate), Some(truth)) => Some(agreement(&estimate, truth)),
                    _ => None,
                },
                per_pair: spreads(&each.map(|(a, b)| agreement(a, b)).collect::<Vec<_>>()),
            }
        };
        let answered =
            |figure: &&Figure| figure.metric.clean > 0.0 && figure.metric.corrupted < 0.0;
        Ok(Self {
            set,
            pairs: questions.len(),
            answered: (options.metric == Metric::LogitDiff)
                .then(|| truths.iter().filter(answered).count()),
            positions: mean_truth.as_ref().map(|figure| figure.tokens.clean.len()),
            model: loaded.model,
            executor: Executor { kind: loaded.device.kind, device: loaded.device.name },
            direction: options.direction,
            replace: options.replace,
            metric: options.metric,
            bos: !options.no_bos,
            against,
            methods: methods.iter().zip(&estimates).map(compared).collect(),
        })
    }

    /// What was compared, in a line.
    pub(crate) fn title(&self) -> String {
        let pairs =
            if self.pairs == 1 { "1 pair".to_owned() } else { format!("{} pairs", self.pairs) };
        let tokens = self.positions.map_or_else(
            || "prompts of several lengths".to_owned(),
            |positions| format!("{positions} tokens"),
        );
        let (model, kind) = (&self.model.name, self.executor.kind.name());
        let mut how = format!("{}, {}", self.metric, self.direction);
        if self.replace != Replace::Source {
            let _ = write!(how, ", {} ablation", self.replace);
        }
        format!("{}: {pairs}, {tokens}, {how}, {model} on {kind}", self.set)
    }

    /// The report as a person reads it on a terminal.
    pub(crate) fn text(&self) -> String {
        let what = match self.against {
            Method::Ap => "exact activation patching",
            other => other.title(),
        };
        let mut text = format!("{}\nAgreement with {what}\n", self.title());
        let heads =
            ["method", "site", "cells", "not 0", "Pearson", "Spearman", "slope", "sign", "top"];
        let mut means = Columns::new(2, heads);
        let mut each = Columns::new(
            2,
            ["method", "site", "Pearson", "± sd", "Spearman", "slope", "sign", "top"],
        );
        for method in &self.methods {
            for SiteAgreement { site, without_layer_0, agreement } in
                method.batch_mean.iter().flatten()
            {
                means.row(mean_row(method.title(), place(*site, *without_layer_0), agreement));
            }
            each_rows(method, &mut each);
        }
        if means.is_empty() {
            text.push_str(match self.positions {
                None => {
                    "\nBatch mean: none, as the prompts are of several lengths and their cells do not \
                     correspond\n"
                }
                Some(_) => "\nBatch mean: none, as the maps have no cells in common\n",
            });
        } else {
            let _ = writeln!(text, "\nBatch mean: maps averaged over the pairs, then compared");
            means.write(&mut text);
        }
        let _ =
            writeln!(text, "\nPer pair: each pair compared by itself, then the numbers averaged");
        each.write(&mut text);
        text.push_str(
            "\nslope: of the estimate over the exact score. sign: share of the cells not 0 with the \
             exact sign.\ntop: share of the (up to) 10 largest exact cells among as many largest of \
             the estimate.\n",
        );
        text
    }
}

impl Compared {
    /// The method with what it depends on.
    pub(crate) fn title(&self) -> String {
        let title = self.method.title();
        match (self.method, self.steps) {
            (Method::Relp, _) => format!("{title} ({})", self.rules),
            (_, Some(steps)) => format!("{title}, {steps} steps"),
            _ => title.to_owned(),
        }
    }
}

/// A site as the tables name it.
pub(crate) fn place(site: Site, without_layer_0: bool) -> String {
    if without_layer_0 { format!("{site}, no layer 0") } else { site.to_string() }
}

fn mean_row(method: String, place: String, found: &Agreement) -> Vec<String> {
    let mut row = vec![method, place, found.cells.to_string(), found.non_zero.to_string()];
    let numbers = [found.pearson, found.spearman, found.slope, found.same_sign, found.top_overlap];
    row.extend(numbers.map(number));
    row
}

fn each_rows(method: &Compared, columns: &mut Columns) {
    let mean = |spread: Option<Spread>| number(spread.map(|spread| spread.mean));
    for found in &method.per_pair {
        columns.row(vec![
            method.title(),
            place(found.site, found.without_layer_0),
            mean(found.pearson),
            number(found.pearson.and_then(|spread| spread.deviation)),
            mean(found.spearman),
            mean(found.slope),
            mean(found.same_sign),
            mean(found.top_overlap),
        ]);
    }
}

/// The methods that are compared: those that were asked for, or all that can answer.
fn methods(options: &Options, against: Method) -> Vec<Method> {
    if !options.methods.is_empty() {
        return options.methods.clone();
    }
    let can_answer =
        |&method: &Method| method != against && options.request(method).check().is_ok();
    let all: Vec<Method> = Method::ESTIMATES.into_iter().filter(can_answer).collect();
    // If none can, the first says why.
    if all.is_empty() { vec![Method::Relp] } else { all }
}

fn spreads(each: &[Vec<SiteAgreement>]) -> Vec<SiteSpread> {
    let mut by_place: BTreeMap<(Site, bool), Vec<Agreement>> = BTreeMap::new();
    for found in each.iter().flatten() {
        let place = (found.site, found.without_layer_0);
        by_place.entry(place).or_default().push(found.agreement);
    }
    let spread = |((site, without_layer_0), found): ((Site, bool), Vec<Agreement>)| {
        let of = |number: fn(&Agreement) -> Option<f64>| {
            Spread::of(&found.iter().filter_map(number).collect::<Vec<_>>())
        };
        SiteSpread {
            site,
            without_layer_0,
            pearson: of(|found| found.pearson),
            spearman: of(|found| found.spearman),
            slope: of(|found| found.slope),
            same_sign: of(|found| found.same_sign),
            top_overlap: of(|found| found.top_overlap),
        }
    };
    by_place.into_iter().map(spread).collect()
}

impl Spread {
    fn of(values: &[f64]) -> Option<Self> {
        let pairs = values.len();
        if pairs == 0 {
            return None;
        }
        let mean = values.iter().sum::<f64>() / pairs as f64;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let deviation = (pairs > 1).then(|| (squares / (pairs as f64 - 1.0)).sqrt());
        Some(Self { pairs, mean, deviation })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spreads_by_hand() {
        assert_eq!(Spread::of(&[]), None);
        assert_eq!(Spread::of(&[3.0]), Some(Spread { pairs: 1, mean: 3.0, deviation: None }));
        let spread = Spread::of(&[1.0, 2.0, 3.0]);
        assert_eq!(spread, Some(Spread { pairs: 3, mean: 2.0, deviation: Some(1.0) }));
    }
}
