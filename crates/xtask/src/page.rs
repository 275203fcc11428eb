//! The page: built by trunk from `index.html` into `dist/`, with its documents beside it.

use std::{env, fs};

use anyhow::{Context, Result, bail};

use crate::{
    assets::Dist,
    boot, docs, embed, names, offline,
    program::Program,
    standalone,
    step::{self, Step},
    workspace::Workspace,
};

/// What is said before the page is built.
pub(crate) const BUILD: Step<'static> = Step {
    name: "page",
    does: "builds the release page into dist/",
    takes: "about 7 minutes the first time, then what changed",
};

/// The engine with threads, which trunk cannot build.
const THREADED: Program<'_> = Program {
    package: "relp-worker",
    name: "relp-threaded-worker",
    features: &["relaxed-simd", "threads"],
    form: "no-modules",
};

/// Builds the release page. Trunk runs offline, so that it uses the tools that were set up and fails
/// where it would otherwise download others; Cargo has fetched the crates before.
pub(crate) fn build(workspace: &Workspace) -> Result<()> {
    if !workspace.root.join("index.html").is_file() {
        bail!(
            "there is no index.html in the repository: restore it with `git checkout index.html`"
        );
    }
    step::run(workspace.cargo().args(["fetch", "--quiet"]))?;
    let mut trunk = workspace.command("trunk");
    trunk
        .args(["build", "--release", "--offline=true", "--dist"])
        .arg(workspace.dist())
        // These would replace the flags that .cargo/config.toml has for wasm32.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        // trunk 0.21 takes NO_COLOR=1 for a bad value of its own option.
        .env_remove("NO_COLOR");
    if env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) {
        trunk.args(["--color", "never"]);
    }
    step::run(&mut trunk)?;
    let (root, folder) = (&workspace.root, workspace.dist());
    THREADED.build(workspace, &folder)?;
    let dist = Dist(&folder);
    names::remove(&folder)?;
    embed::write(root, dist)?;
    standalone::write(root, dist, &dist.text("index.html")?)?;
    boot::write(dist)?;
    docs::write(root, &folder)?;
    // Whoever serves the page with models says so here; `relp pack` does.
    dist.write(offline::HERE, "{\"format\":\"relp-models/1\",\"models\":[]}\n")?;
    // Last, since it lists whatever is there.
    offline::write(&workspace.root.join("web/app/assets/sw.js"), &workspace.dist())
}

/// The names of the page's own crates: those in `web/`, each called after its folder.
pub(crate) fn crates(workspace: &Workspace) -> Result<Vec<String>> {
    let web = workspace.root.join("web");
    let entries = fs::read_dir(&web).context("web/ cannot be read")?;
    let mut names: Vec<String> = entries
        .flatten()
        .filter(|entry| entry.path().join("Cargo.toml").is_file())
        .map(|entry| format!("relp-{}", entry.file_name().display()))
        .collect();
    if names.is_empty() {
        bail!("there are no crates in web/");
    }
    names.sort();
    Ok(names)
}
