//! Programs that Cargo installs: which version, and whether the one that is there will do.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{step, version::Version, workspace::Workspace};

/// A program that comes as a crate.
pub(crate) struct Tool {
    pub(crate) program: &'static str,
    package: &'static str,
    version: Wanted,
    /// What else Cargo is told when it installs it.
    flags: &'static [&'static str],
    pub(crate) does: &'static str,
    pub(crate) takes: &'static str,
}

/// Which versions of a tool will do.
enum Wanted {
    /// Any that is compatible with the first; the second is what gets installed.
    Since(Version, Version),
    /// Exactly the version that `Cargo.lock` has of this library.
    Locked(&'static str),
}

/// With today's versions of its dependencies trunk 0.21.14 no longer compiles, hence `--locked`.
pub(crate) const TRUNK: Tool = Tool {
    program: "trunk",
    package: "trunk",
    version: Wanted::Since(Version(0, 21, 14), Version(0, 21, 14)),
    flags: &["--locked", "--no-default-features", "--features", "rustls"],
    does: "installs trunk, which builds the page",
    takes: "about 3 minutes on two cores",
};

/// Without `--locked`, which fails where a registry's copy lags behind what its authors locked.
pub(crate) const WASM_BINDGEN: Tool = Tool {
    program: "wasm-bindgen",
    package: "wasm-bindgen-cli",
    version: Wanted::Locked("wasm-bindgen"),
    flags: &[],
    does: "installs the wasm-bindgen that fits Cargo.lock, which writes the page's JavaScript",
    takes: "about 2 minutes on two cores",
};

pub(crate) const NEXTEST: Tool = Tool {
    program: "cargo-nextest",
    package: "cargo-nextest",
    version: Wanted::Since(Version(0, 9, 100), Version(0, 9, 151)),
    flags: &["--locked", "--no-default-features", "--features", "default-no-update"],
    does: "installs nextest, which runs the tests",
    takes: "about 2 minutes on two cores",
};

pub(crate) const TYPOS: Tool = Tool {
    program: "typos",
    package: "typos-cli",
    version: Wanted::Since(Version(1, 40, 0), Version(1, 52, 0)),
    flags: &["--locked"],
    does: "installs typos, which checks the spelling",
    takes: "about 1 minute on two cores",
};

pub(crate) const DENY: Tool = Tool {
    program: "cargo-deny",
    package: "cargo-deny",
    version: Wanted::Since(Version(0, 20, 0), Version(0, 20, 2)),
    flags: &["--locked"],
    does: "installs cargo-deny, which checks the dependencies' licences and origins",
    takes: "about 1 minute on two cores",
};

/// Firefox's driver. Debian packages none.
pub(crate) const GECKODRIVER: Tool = Tool {
    program: "geckodriver",
    package: "geckodriver",
    version: Wanted::Since(Version(0, 37, 0), Version(0, 37, 1)),
    flags: &["--locked"],
    does: "installs geckodriver, by which the tests drive Firefox",
    takes: "about 1 minute on two cores",
};

impl Tool {
    /// Whether the program that a child process would find is of a version that will do.
    pub(crate) fn is_ready(&self, workspace: &Workspace) -> Result<bool> {
        let Some(there) = self.version_there(workspace) else {
            return Ok(false);
        };
        Ok(match self.version {
            Wanted::Since(oldest, _) => there.serves_as(oldest),
            Wanted::Locked(library) => there == workspace.locked_version(library)?,
        })
    }

    /// Compiles the program into the workspace's own tools.
    pub(crate) fn install(&self, workspace: &Workspace) -> Result<()> {
        let version = match self.version {
            Wanted::Since(_, installed) => installed,
            Wanted::Locked(library) => workspace.locked_version(library)?,
        };
        step::run(
            workspace
                .cargo()
                .args(["install", "--debug", "--force", "--root"])
                .arg(workspace.tools())
                .arg(format!("{}@{version}", self.package))
                .args(self.flags)
                .env("CARGO_TARGET_DIR", workspace.tools_build())
                // Nobody debugs these, and without what that takes they are a third of the size.
                .env("CARGO_PROFILE_DEV_DEBUG", "0")
                .env_remove("RUSTFLAGS"),
        )
        .with_context(|| {
            format!(
                "{} could not be installed: mend what Cargo says above, then run the same command again",
                self.program
            )
        })?;
        if !self.is_ready(workspace)? {
            bail!(
                "{} {version} was installed but does not run: remove {} and run the same command again",
                self.program,
                workspace.tools().display()
            );
        }
        Ok(())
    }

    fn version_there(&self, workspace: &Workspace) -> Option<Version> {
        let program = workspace.find(self.program)?;
        let output = Command::new(program).arg("--version").output().ok()?;
        Version::find(&String::from_utf8_lossy(&output.stdout))
    }
}
