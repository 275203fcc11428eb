//! What `cargo xtask test` runs, one variant a check.

use std::{ffi::OsString, fmt, process::Command, str::FromStr};

use anyhow::{Context, Result, bail};

use crate::{
    browser::{self, Browser},
    instructions, page,
    setup::{Need, PAGE},
    step::{self, Step},
    tool,
    workspace::Workspace,
};

/// A check, in the order in which they run: what takes seconds first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Check {
    Fmt,
    Typos,
    Deny,
    Clippy,
    ClippyWasm,
    Doc,
    Tests,
    DocTests,
    Gpu,
    Instructions,
    Page,
    Browser,
}

/// Tests that need a GPU, or a Vulkan driver that acts as one, are in a module called `gpu`.
const GPU: &str = "test(/(^|::)gpu(::|$)/)";
/// Tests that need Chromium or Firefox are in the test binary called `browser`. Without one of that name nextest
/// fails, so that no other name hides them.
const BROWSER: &str = "binary(browser)";

impl Check {
    pub(crate) const ALL: [Self; 12] = [
        Self::Fmt,
        Self::Typos,
        Self::Deny,
        Self::Clippy,
        Self::ClippyWasm,
        Self::Doc,
        Self::Tests,
        Self::DocTests,
        Self::Gpu,
        Self::Instructions,
        Self::Page,
        Self::Browser,
    ];

    /// Those that read the code and run none of it.
    pub(crate) const READING: [Self; 6] =
        [Self::Fmt, Self::Typos, Self::Deny, Self::Clippy, Self::ClippyWasm, Self::Doc];

    pub(crate) fn name(self) -> &'static str {
        self.step().name
    }

    /// What is said before it runs.
    pub(crate) fn step(self) -> Step<'static> {
        let (name, does, takes) = match self {
            Self::Fmt => ("fmt", "looks for unformatted code", "seconds"),
            Self::Typos => ("typos", "looks for misspelt words", "seconds"),
            Self::Deny => ("deny", "checks the dependencies' licences and origins", "seconds"),
            Self::Clippy => {
                ("clippy", "lints every crate for this machine", "about 2 minutes the first time")
            }
            Self::ClippyWasm => (
                "clippy-wasm",
                "lints the page's crates for the browser",
                "about 1 minute the first time",
            ),
            Self::Doc => ("doc", "builds the documentation", "about 1 minute the first time"),
            Self::Tests => (
                "tests",
                "runs the tests that need neither GPU nor browser",
                "about 6 minutes the first time",
            ),
            Self::DocTests => ("doctests", "runs the documentation's examples", "about 1 minute"),
            Self::Gpu => ("gpu", "runs the tests that need a GPU or lavapipe", "about 2 minutes"),
            Self::Instructions => (
                "instructions",
                "counts the instructions of the CPU's kernels under valgrind",
                "about 1 minute, and 2 more the first time",
            ),
            Self::Page => return page::BUILD,
            Self::Browser => {
                ("browser", "runs the tests in Chromium and Firefox", "about 10 minutes")
            }
        };
        Step { name, does, takes }
    }

    /// What has to be set up for it.
    pub(crate) fn needs(self) -> &'static [Need] {
        match self {
            Self::Fmt => &[Need::Rustfmt],
            Self::Typos => &[Need::Typos],
            Self::Deny => &[Need::Deny],
            Self::Clippy => &[Need::Clippy],
            Self::ClippyWasm => &[Need::Clippy, Need::WasmTarget],
            Self::Doc | Self::DocTests => &[],
            Self::Tests => &[Need::Nextest, Need::Poppler],
            Self::Gpu => &[Need::Nextest, Need::Vulkan],
            Self::Instructions => &[Need::Valgrind],
            Self::Page => &PAGE,
            Self::Browser => {
                &[Need::Nextest, Need::Vulkan, Need::Browser, Need::Firefox, Need::Geckodriver]
            }
        }
    }

    /// The check whose result it uses.
    pub(crate) fn after(self) -> Option<Self> {
        (self == Self::Browser).then_some(Self::Page)
    }

    /// Runs it. Warnings are errors, and so is a lock file that does not fit the manifests.
    pub(crate) fn run(self, workspace: &Workspace, filters: &[OsString]) -> Result<()> {
        let cargo = |words: &str| {
            let mut command = workspace.cargo();
            command.args(words.split_whitespace());
            command
        };
        match self {
            Self::Fmt => step::run(&mut cargo("fmt --all --check")),
            Self::Typos => step::run(&mut workspace.command("typos")),
            // Known vulnerabilities are left out: they need a database from the network, and change
            // from day to day with no change here.
            Self::Deny => step::run(
                workspace
                    .extension("cargo-deny")
                    .args(["--locked", "check", "licenses", "bans", "sources"]),
            ),
            Self::Clippy => {
                step::run(&mut cargo("clippy --locked --workspace --all-targets -- -D warnings"))
            }
            // All at once, so that what they have in common is looked at once.
            Self::ClippyWasm => step::run(
                cargo("clippy --locked --all-features --target wasm32-unknown-unknown")
                    .args(page::crates(workspace)?.iter().flat_map(|name| ["--package", name]))
                    .args(["--", "-D", "warnings"])
                    .env_remove("RUSTFLAGS"),
            ),
            Self::Doc => step::run(
                cargo("doc --locked --workspace --no-deps").env("RUSTDOCFLAGS", "-D warnings"),
            ),
            Self::DocTests => step::run(&mut cargo("test --locked --workspace --doc")),
            Self::Tests => {
                let neither = format!("not ({GPU} or {BROWSER})");
                step::run(&mut nextest(workspace, &neither, filters))
            }
            Self::Gpu => {
                let gpu = format!("{GPU} and not {BROWSER}");
                step::run(&mut nextest(workspace, &gpu, filters))
            }
            Self::Instructions => instructions::check(workspace),
            Self::Page => page::build(workspace),
            Self::Browser => {
                let browser =
                    Browser::find(workspace).context("Chromium is gone since it was set up")?;
                let firefox =
                    browser::firefox(workspace).context("Firefox is gone since it was set up")?;
                let geckodriver = workspace
                    .find(tool::GECKODRIVER.program)
                    .context("geckodriver is gone since it was set up")?;
                step::run(
                    nextest(workspace, BROWSER, filters)
                        .args(["--profile", "browser"])
                        .env("RELP_DIST", workspace.dist())
                        .env("RELP_CHROMIUM", browser.chromium)
                        .env("RELP_CHROMEDRIVER", browser.driver)
                        .env("RELP_FIREFOX", firefox)
                        .env("RELP_GECKODRIVER", geckodriver),
                )
            }
        }
    }
}

fn nextest(workspace: &Workspace, which: &str, filters: &[OsString]) -> Command {
    let mut command = workspace.extension("cargo-nextest");
    command
        .args(["nextest", "run", "--locked", "--workspace", "--no-fail-fast"])
        .args(["--filterset", which])
        .args(filters);
    if !filters.is_empty() {
        // A filter may leave nothing here and something in another check.
        command.arg("--no-tests=pass");
    }
    command
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Check {
    type Err = anyhow::Error;

    fn from_str(name: &str) -> Result<Self> {
        let names = || Self::ALL.map(Self::name).join(", ");
        match Self::ALL.into_iter().find(|check| check.name() == name) {
            Some(check) => Ok(check),
            None => bail!("there is no check `{name}`; there are {}", names()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_is_found_by_its_name() -> Result<()> {
        for check in Check::ALL {
            assert_eq!(check.name().parse::<Check>()?, check);
        }
        Ok(())
    }

    #[test]
    fn they_run_in_order_and_after_what_they_use() {
        assert!(Check::ALL.is_sorted());
        for check in Check::ALL {
            assert!(check.after().is_none_or(|before| before < check), "{check}");
        }
    }
}
