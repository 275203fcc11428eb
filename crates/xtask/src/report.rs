//! What was done and how it went, for the summary at the end.

use std::{
    fmt::Write,
    time::{Duration, Instant},
};

use anyhow::Result;

use crate::{
    checks::Check,
    step::{Spent, Step},
};

/// Every step so far.
pub(crate) struct Report {
    began: Instant,
    entries: Vec<Entry>,
}

struct Entry {
    name: String,
    /// `None` for a step that set something up.
    check: Option<Check>,
    outcome: Outcome,
}

enum Outcome {
    Passed(Duration),
    Failed(Duration, String),
    /// Could not be run, which is as bad as a failure.
    NotRun(String),
    /// Left out because the person said so.
    Skipped,
}

impl Report {
    pub(crate) fn new() -> Self {
        Self { began: Instant::now(), entries: Vec::new() }
    }

    /// Runs a step that sets something up.
    pub(crate) fn set_up(
        &mut self,
        step: Step<'_>,
        work: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        self.record(None, step, work)
    }

    /// Runs a check.
    pub(crate) fn check(
        &mut self,
        check: Check,
        step: Step<'_>,
        work: impl FnOnce() -> Result<()>,
    ) {
        // The error is said where it happens and again in the summary.
        let _told = self.record(Some(check), step, work);
    }

    pub(crate) fn not_run(&mut self, check: Check, reason: String) {
        self.add(check, Outcome::NotRun(reason));
    }

    pub(crate) fn skipped(&mut self, check: Check) {
        self.add(check, Outcome::Skipped);
    }

    /// Whether `check` ran and passed.
    pub(crate) fn has_passed(&self, check: Check) -> bool {
        self.entries
            .iter()
            .any(|entry| entry.check == Some(check) && matches!(entry.outcome, Outcome::Passed(_)))
    }

    /// Whether nothing failed and everything ran that was not left out on purpose.
    pub(crate) fn is_good(&self) -> bool {
        self.entries.iter().all(|entry| entry.outcome.is_good())
    }

    fn record(
        &mut self,
        check: Option<Check>,
        step: Step<'_>,
        work: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        let (took, result) = step.run(work);
        let outcome = match &result {
            Ok(()) => Outcome::Passed(took),
            Err(error) => Outcome::Failed(took, format!("{error:#}")),
        };
        self.entries.push(Entry { name: step.name.to_owned(), check, outcome });
        result
    }

    fn add(&mut self, check: Check, outcome: Outcome) {
        self.entries.push(Entry { name: check.name().to_owned(), check: Some(check), outcome });
    }

    /// One line a step, what was left out in a block that cannot be overlooked, and the verdict.
    pub(crate) fn summary(&self) -> String {
        let mut text = format!("\n==== Summary, after {} ====\n", Spent(self.began.elapsed()));
        for entry in &self.entries {
            let (verdict, took, remark) = match &entry.outcome {
                Outcome::Passed(took) if entry.check.is_none() => ("set up", Some(took), ""),
                Outcome::Passed(took) => ("passed", Some(took), ""),
                Outcome::Failed(took, why) => ("FAILED", Some(took), why.as_str()),
                Outcome::NotRun(why) => ("NOT RUN", None, why.as_str()),
                Outcome::Skipped => ("SKIPPED", None, "as asked, by --without"),
            };
            let took = took.map(|&took| Spent(took).to_string()).unwrap_or_default();
            let line = format!("  {verdict:<8} {:<16} {took:>12}  {remark}", entry.name);
            // Writing to a String cannot fail.
            let _written = writeln!(text, "{}", line.trim_end());
        }
        let named = |which: fn(&Outcome) -> bool| {
            let entries = self.entries.iter().filter(|entry| which(&entry.outcome));
            entries.map(|entry| entry.name.as_str()).collect::<Vec<_>>().join(", ")
        };
        let skipped = named(|outcome| matches!(outcome, Outcome::Skipped));
        if !skipped.is_empty() {
            let rule = "!".repeat(72);
            let _written = write!(
                text,
                "\n{rule}\n!!  NOT CHECKED, because --without asked for it: {skipped}\n\
                 !!  This run says nothing about that.\n{rule}\n"
            );
        }
        let bad = named(|outcome| !outcome.is_good());
        text.push_str(&if bad.is_empty() {
            "\nEverything that ran passed.\n".to_owned()
        } else {
            format!("\nFAILED or not run: {bad}\n")
        });
        text
    }
}

impl Outcome {
    fn is_good(&self) -> bool {
        matches!(self, Self::Passed(_) | Self::Skipped)
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    const STEP: Step<'static> = Step { name: "step", does: "does nothing", takes: "no time" };

    #[test]
    fn only_passed_and_skipped_steps_are_good() {
        let mut report = Report::new();
        report.check(Check::Fmt, STEP, || Ok(()));
        report.skipped(Check::Gpu);
        assert!(
            report.is_good() && report.has_passed(Check::Fmt) && !report.has_passed(Check::Gpu)
        );

        let mut failed = Report::new();
        failed.check(Check::Fmt, STEP, || Err(anyhow!("a reason")));
        assert!(!failed.is_good() && !failed.has_passed(Check::Fmt));

        let mut not_run = Report::new();
        not_run.not_run(Check::Browser, "no page".to_owned());
        assert!(!not_run.is_good());
    }

    #[test]
    fn the_summary_names_what_failed_and_why() {
        let mut report = Report::new();
        report.check(Check::Fmt, Step { name: "fmt", ..STEP }, || Ok(()));
        report.check(Check::Page, Step { name: "page", ..STEP }, || Err(anyhow!("a reason")));
        report.not_run(Check::Browser, "page is needed first".to_owned());
        let text = report.summary();
        assert!(text.contains("  passed   fmt "), "{text}");
        assert!(text.contains("  FAILED   page ") && text.contains("a reason"), "{text}");
        assert!(text.contains("  NOT RUN  browser ") && text.contains("page is needed"), "{text}");
        assert!(text.ends_with("\nFAILED or not run: page, browser\n"), "{text}");
    }

    #[test]
    fn what_was_left_out_stands_in_a_block() {
        let mut report = Report::new();
        report.skipped(Check::Gpu);
        report.skipped(Check::Browser);
        let text = report.summary();
        assert!(
            text.contains("NOT CHECKED, because --without asked for it: gpu, browser"),
            "{text}"
        );

        let whole = Report::new().summary();
        assert!(!whole.contains("NOT CHECKED"), "{whole}");
    }
}
