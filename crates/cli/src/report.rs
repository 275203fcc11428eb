//! How methods agree with the exact answer on a set of pairs, counted in two ways.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use relp_model::{
    Agreement, Direction, Executor, Figure, Method, ModelInfo, Pair, Rules, Site, SiteAgreement,
    agreement,
};
use serde::Serialize;

use crate::args::Options;
use crate::columns::{Columns, number};
use crate::failure::{Failure, Result};
use crate::model::Model;
use crate::pairs::Question;

/// The agreement of methods with exact patching on a set of pairs.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// What the pairs are.
    pub(crate) set: String,
    pub(crate) pairs: usize,
    /// Tokens of every prompt, if they are all of one length.
    pub(crate) positions: Option<usize>,
    pub(crate) model: ModelInfo,
    pub(crate) executor: Executor,
    pub(crate) direction: Direction,
    /// Whether `<|endoftext|>` stands before the prompts.
    pub(crate) bos: bool,
    pub(crate) exact: Method,
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

/// The method that the others are compared with.
pub(crate) fn exact() -> Result<Method> {
    "ap".parse().map_err(|error| {
        Failure::failed(format_args!("There is no exact answer to compare with: {error}"))
    })
}

impl Report {
    /// Computes every method on every pair.
    pub(crate) fn make(
        set: String,
        questions: &[Question],
        options: &Options,
        model: &mut Model,
    ) -> Result<Self> {
        let exact = exact()?;
        let every = || Method::ALL.into_iter().filter(|&method| method != exact).collect();
        let methods: Vec<Method> =
            if options.methods.is_empty() { every() } else { options.methods.clone() };
        let mut exact_sum = Sum::default();
        let mut runs: Vec<Runs> = methods.iter().map(|_| Runs::default()).collect();
        for (at, Question { pair, place }) in questions.iter().enumerate() {
            let mut figure = |method| figure(pair, method, at, questions.len(), options, model);
            let at_place = |failure: Failure| failure.at(place.as_deref());
            let truth = figure(exact).map_err(at_place)?;
            for (&method, runs) in methods.iter().zip(&mut runs) {
                let estimate = figure(method).map_err(at_place)?;
                runs.each.push(agreement(&estimate, &truth));
                runs.sum.add(estimate);
            }
            exact_sum.add(truth);
        }
        model.rest();
        let loaded = model.engine().loaded();
        let compared = |(method, runs): (&Method, &Runs)| {
            let request = options.request(*method);
            let means = (runs.sum.mean(), exact_sum.mean());
            Compared {
                method: *method,
                rules: request.effective_rules(),
                steps: request.effective_steps(),
                batch_mean: if let (Some(estimate), Some(truth)) = means {
                    Some(agreement(&estimate, &truth))
                } else {
                    None
                },
                per_pair: spreads(&runs.each),
            }
        };
        Ok(Self {
            set,
            pairs: questions.len(),
            positions: exact_sum.mean().map(|figure| figure.tokens.clean.len()),
            model: loaded.model,
            executor: Executor { kind: loaded.device.kind, device: loaded.device.name },
            direction: options.direction,
            bos: !options.no_bos,
            exact,
            methods: methods.iter().zip(&runs).map(compared).collect(),
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
        format!("{}: {pairs}, {tokens}, {}, {model} on {kind}", self.set, self.direction)
    }

    /// The report as a person reads it on a terminal.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("{}\nAgreement with exact activation patching\n", self.title());
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
            text.push_str(
                "\nBatch mean: none, as the prompts are of several lengths and their cells do not \
                 correspond\n",
            );
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

fn figure(
    pair: &Pair,
    method: Method,
    at: usize,
    of: usize,
    options: &Options,
    model: &mut Model,
) -> Result<Figure> {
    let what = format!("Pair {} of {of}, {}", at + 1, method.title());
    model.attribute(pair, &options.request(method), what)
}

/// What one method found.
#[derive(Default)]
struct Runs {
    sum: Sum,
    each: Vec<Vec<SiteAgreement>>,
}

/// The sum of figures of one length.
#[derive(Default)]
struct Sum {
    first: Option<Figure>,
    sums: BTreeMap<Site, Vec<f64>>,
    figures: usize,
    mixed: bool,
}

impl Sum {
    fn add(&mut self, figure: Figure) {
        self.figures += 1;
        for (&site, map) in &figure.maps {
            let sum = self.sums.entry(site).or_insert_with(|| vec![0.0; map.values.len()]);
            self.mixed |= sum.len() != map.values.len();
            sum.iter_mut().zip(&map.values).for_each(|(sum, &score)| *sum += f64::from(score));
        }
        self.first.get_or_insert(figure);
    }

    /// The first figure with the mean of all maps, if there is a mean.
    fn mean(&self) -> Option<Figure> {
        let mut figure = self.first.clone().filter(|_| !self.mixed)?;
        for (site, map) in &mut figure.maps {
            let sums = self.sums.get(site)?;
            map.values = sums.iter().map(|sum| (sum / self.figures as f64) as f32).collect();
        }
        Some(figure)
    }
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
