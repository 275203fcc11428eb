//! Sets up what is missing. What is there is only looked at, which takes no time.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

use crate::{
    browser::{self, Browser, firefox},
    instructions,
    report::Report,
    step::{self, Step, say},
    system::{Package, System},
    tool::{self, Tool},
    workspace::Workspace,
};

/// What browsers run.
pub(crate) const WASM: &str = "wasm32-unknown-unknown";

/// Where the toolchain has its standard library's source.
const STD_SOURCE: &str = "lib/rustlib/src/rust/library/std";

/// Something that a command relies on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Need {
    Rustfmt,
    Clippy,
    WasmTarget,
    StdSource,
    Trunk,
    WasmBindgen,
    Nextest,
    Typos,
    Deny,
    Vulkan,
    Browser,
    Firefox,
    Geckodriver,
    Poppler,
    Valgrind,
}

/// Where a need comes from, and so how it is looked for and met.
enum Source {
    /// A component of the Rust toolchain, and Cargo's command that is there with it.
    Component(&'static str, &'static str),
    /// The standard library for wasm32.
    WasmTarget,
    /// The standard library's source.
    Std,
    Crate(&'static Tool),
    System(Package),
}

/// The needs that could not be met, each with the reason.
pub(crate) type Unmet = BTreeMap<Need, String>;

/// What building the page takes.
pub(crate) const PAGE: [Need; 4] =
    [Need::WasmTarget, Need::StdSource, Need::Trunk, Need::WasmBindgen];

impl Need {
    pub(crate) const ALL: [Self; 15] = [
        Self::Rustfmt,
        Self::Clippy,
        Self::WasmTarget,
        Self::StdSource,
        Self::Trunk,
        Self::WasmBindgen,
        Self::Nextest,
        Self::Typos,
        Self::Deny,
        Self::Vulkan,
        Self::Browser,
        Self::Firefox,
        Self::Geckodriver,
        Self::Poppler,
        Self::Valgrind,
    ];

    fn source(self) -> Source {
        match self {
            Self::Rustfmt => Source::Component("rustfmt", "fmt"),
            Self::Clippy => Source::Component("clippy", "clippy"),
            Self::WasmTarget => Source::WasmTarget,
            Self::StdSource => Source::Std,
            Self::Trunk => Source::Crate(&tool::TRUNK),
            Self::WasmBindgen => Source::Crate(&tool::WASM_BINDGEN),
            Self::Nextest => Source::Crate(&tool::NEXTEST),
            Self::Typos => Source::Crate(&tool::TYPOS),
            Self::Deny => Source::Crate(&tool::DENY),
            Self::Vulkan => Source::System(Package::Vulkan),
            Self::Browser => Source::System(Package::Browser),
            Self::Firefox => Source::System(Package::Firefox),
            Self::Geckodriver => Source::Crate(&tool::GECKODRIVER),
            Self::Poppler => Source::System(Package::Poppler),
            Self::Valgrind => Source::System(Package::Valgrind),
        }
    }

    fn name(self) -> &'static str {
        match self.source() {
            Source::Component(name, _) => name,
            Source::WasmTarget => "the wasm32 target",
            Source::Std => "rust-src",
            Source::Crate(tool) => tool.program,
            Source::System(Package::Vulkan) => "a Vulkan driver",
            Source::System(Package::Browser) => "Chromium with its driver",
            Source::System(Package::Firefox) => "Firefox",
            Source::System(Package::Poppler) => "pdftotext",
            Source::System(Package::Valgrind) => "valgrind",
        }
    }

    fn is_met(self, workspace: &Workspace) -> Result<bool> {
        match self.source() {
            Source::Component(_, command) => {
                Ok(succeeds(workspace.cargo().args([command, "--version"])))
            }
            Source::WasmTarget => rustc_has(workspace, &["target-libdir", "--target", WASM], ""),
            Source::Std => rustc_has(workspace, &["sysroot"], STD_SOURCE),
            Source::Crate(tool) => tool.is_ready(workspace),
            Source::System(Package::Vulkan) => Ok(browser::has_vulkan()),
            Source::System(Package::Browser) => Ok(Browser::find(workspace).is_some()),
            Source::System(Package::Firefox) => Ok(firefox(workspace).is_some()),
            Source::System(Package::Poppler) => Ok(workspace.find("pdftotext").is_some()),
            Source::System(Package::Valgrind) => Ok(workspace.find("valgrind").is_some()),
        }
    }

    /// Why it is of no use on this machine, whether or not it is there.
    pub(crate) fn impossible(self) -> Option<&'static str> {
        (self == Self::Valgrind).then(instructions::impossible).flatten()
    }
}

/// Meets as many of `needs` as can be met, each in a step of its own, and returns the others.
pub(crate) fn prepare(
    workspace: &Workspace,
    needs: &BTreeSet<Need>,
    report: &mut Report,
) -> Result<Unmet> {
    let mut unmet = Unmet::new();
    let mut missing = Vec::new();
    for &need in needs {
        if let Some(reason) = need.impossible() {
            say!("\n!!! {} will not be used: {reason}.", need.name());
            unmet.insert(need, reason.to_owned());
        } else if !need.is_met(workspace)? {
            missing.push(need);
        }
    }
    if missing.is_empty() {
        return Ok(unmet);
    }
    let names: Vec<&str> = missing.iter().map(|need| need.name()).collect();
    say!("To set up first: {}.", names.join(", "));

    let mut packages = BTreeMap::new();
    let (mut compiled, mut failed) = (false, false);
    for need in missing {
        let to_rust =
            Step { name: need.name(), does: "adds it to Rust", takes: "less than a minute" };
        let result = match need.source() {
            Source::Component(name, _) => {
                report.set_up(to_rust, || rustup(workspace, ["component", "add", name]))
            }
            Source::WasmTarget => {
                report.set_up(to_rust, || rustup(workspace, ["target", "add", WASM]))
            }
            Source::Std => {
                report.set_up(to_rust, || rustup(workspace, ["component", "add", "rust-src"]))
            }
            Source::Crate(tool) => {
                compiled = true;
                let step = Step { name: tool.program, does: tool.does, takes: tool.takes };
                report.set_up(step, || tool.install(workspace))
            }
            Source::System(package) => {
                packages.insert(package, need);
                continue;
            }
        };
        if let Err(error) = result {
            failed = true;
            unmet.insert(need, format!("{error:#}"));
        }
    }
    if compiled && !failed {
        // Some gigabytes that only another version of a tool would use again.
        let _kept = fs::remove_dir_all(workspace.tools_build());
    }
    unmet.extend(install_packages(workspace, &packages, report)?);
    Ok(unmet)
}

fn install_packages(
    workspace: &Workspace,
    packages: &BTreeMap<Package, Need>,
    report: &mut Report,
) -> Result<Unmet> {
    let mut unmet = Unmet::new();
    if packages.is_empty() {
        return Ok(unmet);
    }
    let wanted: Vec<Package> = packages.keys().copied().collect();
    let plan = System::look(workspace).plan(&wanted);
    let left: BTreeSet<Package> = plan.ask.iter().map(|(package, _)| *package).collect();
    let names: Vec<&str> = packages
        .iter()
        .filter(|(package, _)| !left.contains(package))
        .map(|(_, need)| need.name())
        .collect();
    let mut failure = "it was installed, but is not found".to_owned();
    if !plan.run.is_empty() {
        let step = Step {
            name: "system packages",
            does: &format!("installs {}", names.join(" and ")),
            takes: "about 2 minutes, mostly downloading",
        };
        let result = report.set_up(step, || {
            plan.run.iter().try_for_each(|words| {
                let (program, args) = words.split_first().context("a command has a program")?;
                step::run(workspace.command(program).args(args).stdin(Stdio::null()))
            })
        });
        if let Err(error) = result {
            failure =
                format!("{error:#}: mend what it says above, then run the same command again");
        }
    }
    for (package, need) in packages {
        if need.is_met(workspace)? {
            continue;
        }
        let asked = plan.ask.iter().find(|(about, _)| about == package);
        let reason = asked.map_or(&failure, |(_, sentence)| sentence);
        let sentence = format!("{} is missing, and {reason}", need.name());
        say!("\n!!! {sentence}.");
        unmet.insert(*need, sentence);
    }
    Ok(unmet)
}

fn rustup(workspace: &Workspace, args: [&str; 3]) -> Result<()> {
    if workspace.find("rustup").is_none() {
        bail!(
            "this Rust does not come from rustup: install it from https://rustup.rs, or get from where \
             this Rust came what `rustup {}` would add",
            args.join(" ")
        );
    }
    step::run(workspace.command("rustup").args(args))
}

/// Whether there is a folder in the one that rustc prints when it is asked for `what`.
fn rustc_has(workspace: &Workspace, what: &[&str], folder: &str) -> Result<bool> {
    let output = workspace
        .command("rustc")
        .arg("--print")
        .args(what)
        .output()
        .context("rustc cannot be started: install Rust from https://rustup.rs")?;
    let printed = String::from_utf8_lossy(&output.stdout);
    Ok(Path::new(printed.trim()).join(folder).is_dir())
}

fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
