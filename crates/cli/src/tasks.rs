//! `relp report`: how far every method is from exact patching, task by task, as a page of Markdown.

use std::fmt::Write as _;

use relp_model::{PairText, Request, Site};
use serde::Deserialize;

use crate::args::Options;
use crate::columns::number;
use crate::failure::{Failure, Result};
use crate::ioi;
use crate::model::Model;
use crate::pairs::Source;
use crate::report::{Compared, Report, place};

/// Generated pairs of the paper's task, and their seed.
const GENERATED: (usize, u64) = (32, 0);

/// A bundled pair.
#[derive(Deserialize)]
struct Example {
    task: String,
    clean: String,
    corrupted: String,
    answer: String,
    foil: String,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    options.out.check()?;
    let mut model = Model::load(options.model.as_deref(), options.executor, options.weights)?;
    let mut sets = examples()?;
    sets.push(("Indirect object, the paper's eight prompts".to_owned(), ioi::paper(true)));
    let (number, seed) = GENERATED;
    if let Ok(pairs) = ioi::generated(number, seed, true, &model.engine().reader()) {
        sets.push((format!("Indirect object, {number} generated prompts"), pairs));
    }
    let asked = Options { sites: SITES.to_vec(), ..Options::default() };
    let mut text = String::new();
    for (set, pairs) in sets {
        // A model with another vocabulary has other words of one token.
        let reader = model.engine().reader();
        match Source::set(&set, pairs).read(&reader, asked.metric) {
            Ok(questions) => {
                let report = Report::make(set, &questions, &asked, &mut model)?;
                section(&mut text, &report);
            }
            Err(Failure::Input(why)) => {
                let _ = write!(
                    text,
                    "\n## {set}\n\nLeft out, since this model cannot be asked it: {why}\n"
                );
            }
            Err(other) => return Err(other),
        }
    }
    let loaded = model.engine().loaded();
    let head = format!(
        "# How far each method is from exact patching\n\n\
         Made by `relp report`, version {}, on {} ({}). Model: {}, SHA-256 of its weights {}.\n\n\
         Numbers are Pearson's correlation with exact activation patching over all cells of a site, and in \
         brackets the slope of the estimate over the exact score. Denoising, logit difference, with BOS. RelP \
         follows its rules, integrated gradients take {} steps. AtP* is compared with the sizes of exact scores. \
         [What is computed, exactly](methods.md).\n",
        env!("CARGO_PKG_VERSION"),
        loaded.device.kind.name(),
        loaded.device.name,
        loaded.model.name,
        loaded.model.sha256,
        Request::STEPS,
    );
    options.out.give_text(&(head + &text))
}

const SITES: [Site; 4] = [Site::ResidPre, Site::Z, Site::AttnOut, Site::MlpOut];

/// The bundled pairs, task by task.
fn examples() -> Result<Vec<(String, Vec<PairText>)>> {
    let file =
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/primer/examples.json"));
    let examples: Vec<Example> = serde_json::from_str(file).map_err(|error| {
        Failure::failed(format_args!("The bundled examples cannot be read: {error}"))
    })?;
    let mut sets: Vec<(String, Vec<PairText>)> = Vec::new();
    for Example { task, clean, corrupted, answer, foil } in examples {
        let (answers, foils) = (vec![answer], vec![foil]);
        let pair = PairText { clean, corrupted, answers, foils, bos: true };
        match sets.iter_mut().find(|(set, _)| *set == task) {
            Some((_, pairs)) => pairs.push(pair),
            None => sets.push((task, vec![pair])),
        }
    }
    Ok(sets)
}

fn section(text: &mut String, report: &Report) {
    let pairs =
        if report.pairs == 1 { "1 pair".to_owned() } else { format!("{} pairs", report.pairs) };
    let length = report
        .positions
        .map_or_else(|| "of several lengths".to_owned(), |tokens| format!("of {tokens} tokens"));
    let answered = report.answered.unwrap_or(0);
    let _ = write!(
        text,
        "\n## {}\n\n{pairs} {length}; the model prefers the answer after the clean prompt and the foil after the \
         corrupted one in {answered} of {}.\n",
        report.set, report.pairs
    );
    if report.positions.is_some() && report.pairs > 1 {
        text.push_str("\nMaps averaged over the pairs, then compared:\n\n");
        table(text, report, |method, (site, without_layer_0)| {
            let mut found = method.batch_mean.iter().flatten();
            let found =
                found.find(|one| (one.site, one.without_layer_0) == (site, without_layer_0));
            found.map(|one| (one.agreement.pearson, one.agreement.slope))
        });
        text.push_str("\nEach pair compared by itself, then averaged:\n\n");
    } else {
        text.push('\n');
    }
    table(text, report, |method, (site, without_layer_0)| {
        let mut found = method.per_pair.iter();
        let found = found.find(|one| (one.site, one.without_layer_0) == (site, without_layer_0));
        found.map(|one| (one.pearson.map(|s| s.mean), one.slope.map(|s| s.mean)))
    });
}

/// A row a method, a column a site; `of` gives Pearson and slope.
fn table(
    text: &mut String,
    report: &Report,
    of: impl Fn(&Compared, (Site, bool)) -> Option<(Option<f64>, Option<f64>)>,
) {
    let places: Vec<(Site, bool)> =
        SITES.into_iter().map(|site| (site, false)).chain([(Site::MlpOut, true)]).collect();
    text.push_str("| method |");
    for &(site, without) in &places {
        let _ = write!(text, " {} |", place(site, without));
    }
    text.push_str("\n|---|");
    text.push_str(&"---|".repeat(places.len()));
    text.push('\n');
    for method in &report.methods {
        let _ = write!(text, "| {} |", method.title());
        for &at in &places {
            let (pearson, slope) = of(method, at).unwrap_or_default();
            let _ = write!(text, " {} ({}) |", number(pearson), number(slope));
        }
        text.push('\n');
    }
}
