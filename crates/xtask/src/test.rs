//! `cargo xtask test` and `cargo xtask check`.

use std::collections::BTreeSet;

use anyhow::Result;

use crate::{
    args::Test,
    checks::Check,
    report::Report,
    setup,
    step::{self, say},
    workspace::Workspace,
};

/// How many damaged inputs each test of one round of fuzzing tries; a few seconds' worth.
const FUZZ_CASES: &str = "10000";

/// One round of the tests in `tests/tests/engine/outside.rs`. What they find is kept beside them, by
/// proptest, and tried first from then on.
pub(crate) fn fuzz(workspace: &Workspace) -> Result<()> {
    let mut command = workspace.extension("cargo-nextest");
    command
        .args(["nextest", "run", "--locked", "--package", "relp-tests", "--test", "engine"])
        .args(["--filterset", "test(/^outside::/)"])
        .env("PROPTEST_CASES", FUZZ_CASES);
    step::run(&mut command)
}

/// Runs the checks asked for, one after another whatever the others' results, prints the summary
/// and returns whether it is good.
pub(crate) fn test(workspace: &Workspace, asked: &Test) -> Result<bool> {
    let selected = select(asked);
    let needs = selected.iter().flat_map(|check| check.needs()).copied().collect();
    let mut report = Report::new();
    let unmet = setup::prepare(workspace, &needs, &mut report)?;
    for check in Check::ALL {
        if asked.without.contains(&check) {
            report.skipped(check);
        } else if selected.contains(&check) {
            let lacking = check.needs().iter().find_map(|need| unmet.get(need));
            let before = check.after().filter(|&before| !report.has_passed(before));
            if let Some(reason) = lacking {
                report.not_run(check, reason.clone());
            } else if let Some(before) = before {
                report.not_run(check, format!("{before} has to pass first"));
            } else {
                report.check(check, check.step(), || check.run(workspace, &asked.filters));
            }
        }
    }
    say!("{}", report.summary().trim_end());
    Ok(report.is_good())
}

/// Everything, or what `--only` names with what that uses, less what `--without` names.
fn select(asked: &Test) -> BTreeSet<Check> {
    let wanted: BTreeSet<Check> =
        if asked.only.is_empty() { Check::ALL.into() } else { asked.only.clone() };
    let before = wanted.iter().filter_map(|check| check.after());
    let all: BTreeSet<Check> = before.chain(wanted.iter().copied()).collect();
    all.difference(&asked.without).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(only: &[Check], without: &[Check]) -> Test {
        Test {
            only: only.iter().copied().collect(),
            without: without.iter().copied().collect(),
            ..Test::default()
        }
    }

    #[test]
    fn everything_is_selected_unless_something_is_asked_for() {
        assert_eq!(select(&asked(&[], &[])), Check::ALL.into());
        let less = select(&asked(&[], &[Check::Browser]));
        assert_eq!(less.len(), Check::ALL.len() - 1);
        assert!(less.contains(&Check::Page), "the page is built all the same");
    }

    #[test]
    fn what_a_check_uses_comes_with_it() {
        let browser = select(&asked(&[Check::Browser], &[]));
        assert_eq!(browser, BTreeSet::from([Check::Page, Check::Browser]));
        let fmt = select(&asked(&[Check::Fmt], &[Check::Gpu]));
        assert_eq!(fmt, BTreeSet::from([Check::Fmt]));
    }
}
