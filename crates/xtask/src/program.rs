//! Programs for browsers, as the page's are built, but without trunk.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{
    setup::WASM,
    step::{self, output},
    workspace::Workspace,
};

/// What is built, and how.
pub(crate) struct Program<'a> {
    pub(crate) package: &'a str,
    /// The name of the binary.
    pub(crate) name: &'a str,
    /// With [`THREADS`], its memory can be that of several workers. This takes a standard library that knows of atomics;
    /// Rust has none ready-made for browsers, so that it is built from the toolchain's own source.
    pub(crate) features: &'a [&'a str],
    /// What wasm-bindgen calls the form of the script: `web` for a module, `no-modules` for a worker.
    pub(crate) form: &'a str,
}

/// What the feature is called in every crate that has it.
const THREADS: &str = "threads";

/// For a shared memory, what the linker does not do unasked: the memory comes from outside, of up to 4 GiB, and each
/// thread makes its own variables.
const SHARED: &str = "target.wasm32-unknown-unknown.rustflags=[\
    '-Ctarget-feature=+atomics,+bulk-memory,+mutable-globals',\
    '-Clink-arg=--shared-memory','-Clink-arg=--import-memory','-Clink-arg=--max-memory=4294967296',\
    '-Clink-arg=--export=__wasm_init_tls','-Clink-arg=--export=__tls_size',\
    '-Clink-arg=--export=__tls_align','-Clink-arg=--export=__tls_base']";

impl Program<'_> {
    /// Builds it into a folder, `NAME.js` and `NAME_bg.wasm`.
    pub(crate) fn build(&self, workspace: &Workspace, folder: &Path) -> Result<()> {
        let mut cargo = workspace.cargo();
        cargo
            .args(["build", "--locked", "--package", self.package, "--bin", self.name])
            .args(["--target", WASM, "--profile", "page"])
            .args(["--message-format", "json-render-diagnostics"])
            .arg("--features")
            .arg(self.features.join(","))
            // These would replace the flags that .cargo/config.toml has for wasm32.
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_ENCODED_RUSTFLAGS");
        if self.features.contains(&THREADS) {
            cargo
                .args(["-Z", "build-std=std,panic_abort", "--config", SHARED])
                // Lets a stable toolchain do so, which is of the same version as all else then. Build scripts look at it,
                // so that in a common folder the one build would undo the other.
                .env("RUSTC_BOOTSTRAP", "1")
                .arg("--target-dir")
                .arg(workspace.shared_memory_build());
        }
        let program = self.file(&output(&mut cargo)?)?;
        fs::create_dir_all(folder)?;
        step::run(
            workspace
                .command("wasm-bindgen")
                .args(["--target", self.form, "--no-typescript", "--out-dir"])
                .arg(folder)
                .arg(program),
        )
    }

    /// The program's file, of what Cargo says.
    fn file(&self, messages: &str) -> Result<String> {
        let end = format!("{}.wasm", self.name);
        let found = messages.lines().find_map(|line| {
            let message: Value = serde_json::from_str(line).ok()?;
            let names = message["filenames"].as_array()?;
            let wasm = |name: &Value| Some(name.as_str()?.to_owned());
            names.iter().filter_map(wasm).find(|name| name.ends_with(&end))
        });
        found.context("Cargo does not say where it put the program: run the same command again")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_says_where_the_program_is() -> Result<()> {
        let program = Program { package: "a", name: "relp-a", features: &[], form: "web" };
        let said = "{\"reason\": \"x\"}\n{\"filenames\": [\"/t/relp-a.wasm\"]}\n";
        assert_eq!(program.file(said)?, "/t/relp-a.wasm");
        assert!(program.file("").is_err());
        Ok(())
    }
}
