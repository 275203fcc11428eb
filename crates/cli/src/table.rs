//! `relp table`: the paper's comparison on indirect objects, beside the published numbers.

use std::fmt::Write as _;

use relp_model::{Metric, Site};
use serde::Serialize;

use crate::args::Options;
use crate::columns::{Columns, number};
use crate::failure::{Failure, Result};
use crate::ioi;
use crate::model::Model;
use crate::output::note;
use crate::pairs::Source;
use crate::report::{Compared, Report};

/// Pearson's correlations with exact patching, as others found them: `resid_pre`, `attn_out`,
/// `mlp_out`, and `mlp_out` without layer 0.
#[derive(Debug, Serialize)]
struct Published {
    model: &'static str,
    method: &'static str,
    resid_pre: Option<f64>,
    attn_out: Option<f64>,
    mlp_out: Option<f64>,
    mlp_out_without_layer_0: Option<f64>,
}

const fn published(
    model: &'static str,
    method: &'static str,
    [resid_pre, attn_out, mlp_out, mlp_out_without_layer_0]: [Option<f64>; 4],
) -> Published {
    Published { model, method, resid_pre, attn_out, mlp_out, mlp_out_without_layer_0 }
}

const SMALL: &str = "GPT-2 small, the paper";
const LARGE: &str = "GPT-2 large, the paper";
/// Recomputed from the plots stored in the reference's demo.
const DEMO: &str = "GPT-2 small, 8 prompts of the reference's demo";

const PUBLISHED: [Published; 6] = [
    published(SMALL, "AtP", [Some(0.753), Some(0.979), Some(0.195), None]),
    published(SMALL, "RelP", [Some(0.968), Some(0.962), Some(0.992), None]),
    published(LARGE, "AtP", [None, None, Some(0.006), None]),
    published(LARGE, "RelP", [None, None, Some(0.956), None]),
    published(DEMO, "AtP", [Some(0.735), Some(0.982), Some(0.436), Some(0.887)]),
    published(DEMO, "RelP", [Some(0.962), Some(0.961), Some(0.989), Some(0.864)]),
];

/// The whole answer.
#[derive(Debug, Serialize)]
struct Table {
    published: &'static [Published],
    reports: Vec<Report>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    options.out.check()?;
    if options.seed.is_some() && options.generated.is_none() {
        return Err(Failure::input(
            "--seed is of the generated pairs: add --generated N, or leave it out",
        ));
    }
    if !options.methods.is_empty() {
        options.idle(&options.methods).into_iter().for_each(note);
    }
    let mut model = Model::load(options.model.as_deref(), options.executor, options.weights)?;
    let bos = !options.no_bos;
    let mut sets = vec![("IOI, the paper's prompts".to_owned(), ioi::paper(bos))];
    if let Some(pairs) = options.generated {
        let seed = options.seed.unwrap_or(0);
        let set = format!("IOI, generated from seed {seed}");
        sets.push((set, ioi::generated(pairs, seed, bos, &model.engine().reader())?));
    }
    let mut reports = Vec::new();
    for (set, pairs) in sets {
        let source = Source::set(&set, pairs);
        let questions = source.read(&model.engine().reader(), Metric::LogitDiff)?;
        reports.push(Report::make(set, &questions, options, &mut model)?);
    }
    let table = Table { published: &PUBLISHED, reports };
    options.out.give(&table, || table.text())
}

impl Table {
    fn text(&self) -> String {
        let mut text = String::from(
            "Pearson's correlation with exact activation patching, cell by cell.\n\
             Maps are averaged over the pairs and then compared; in brackets, the mean over pairs \
             compared one by one.\n\n",
        );
        let heads = ["pairs", "method", "resid_pre", "attn_out", "mlp_out", "mlp_out, no layer 0"];
        let mut columns = Columns::new(2, heads);
        for one in &PUBLISHED {
            let mut row = vec![one.model.to_owned(), one.method.to_owned()];
            let numbers = [one.resid_pre, one.attn_out, one.mlp_out, one.mlp_out_without_layer_0];
            row.extend(numbers.map(number));
            columns.row(row);
        }
        for report in &self.reports {
            for method in &report.methods {
                let set = format!("{}, {}", report.model.name, report.set);
                let mut row = vec![set, method.title()];
                row.extend(cells(method));
                columns.row(row);
            }
        }
        columns.write(&mut text);
        for report in &self.reports {
            let _ = write!(text, "\n{}", report.text());
        }
        text
    }
}

/// Both ways of counting, for each column of the table.
fn cells(method: &Compared) -> [String; 4] {
    let columns = [
        (Site::ResidPre, false),
        (Site::AttnOut, false),
        (Site::MlpOut, false),
        (Site::MlpOut, true),
    ];
    columns.map(|place| {
        let mut of_means = method.batch_mean.iter().flatten();
        let mean = of_means.find(|found| (found.site, found.without_layer_0) == place);
        let mut of_each = method.per_pair.iter();
        let each = of_each.find(|found| (found.site, found.without_layer_0) == place);
        let mean = number(mean.and_then(|found| found.agreement.pearson));
        let each = number(each.and_then(|found| found.pearson).map(|spread| spread.mean));
        format!("{mean} ({each})")
    })
}
