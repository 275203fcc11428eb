//! Where things are, and commands that run there.

use std::{
    env,
    ffi::{OsStr, OsString},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::{lock, version::Version};

/// The repository and Cargo's build folder for it.
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    target: PathBuf,
    path: OsString,
}

impl Workspace {
    /// The workspace this program was built in, wherever it is called from.
    pub(crate) fn locate() -> Result<Self> {
        let own =
            env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&own)
            .ancestors()
            .nth(2)
            .filter(|root| root.join("Cargo.toml").is_file())
            .context("the workspace was not found: call this as `cargo xtask` inside it")?
            .to_owned();
        let target = match env::var_os("CARGO_TARGET_DIR") {
            Some(folder) => {
                std::path::absolute(folder).context("CARGO_TARGET_DIR does not name a folder")?
            }
            None => root.join("target"),
        };
        let mut folders = vec![target.join("tools").join("bin")];
        folders.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
        let path = env::join_paths(folders)
            .context("the path of this repository has a `:` in it, which PATH cannot hold")?;
        Ok(Self { root, target, path })
    }

    /// Where tools are installed; `cargo clean` removes them.
    pub(crate) fn tools(&self) -> PathBuf {
        self.target.join("tools")
    }

    /// Where tools are compiled.
    pub(crate) fn tools_build(&self) -> PathBuf {
        self.target.join("tools-build")
    }

    /// Where programs with a shared memory are compiled, with a standard library of their own.
    pub(crate) fn shared_memory_build(&self) -> PathBuf {
        self.target.join("shared-memory")
    }

    /// The built page.
    pub(crate) fn dist(&self) -> PathBuf {
        self.root.join("dist")
    }

    /// The program of this name that a child process would find.
    pub(crate) fn find(&self, program: &str) -> Option<PathBuf> {
        find_program(program, &self.path)
    }

    /// A command that runs in the repository and finds the installed tools first.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root).env("PATH", &self.path);
        command
    }

    /// The Cargo that called us, so that every step uses one toolchain.
    pub(crate) fn cargo(&self) -> Command {
        self.command(cargo())
    }

    /// A command of a Cargo extension: `cargo-nextest`, called as Cargo would.
    pub(crate) fn extension(&self, program: &str) -> Command {
        let mut command = self.command(program);
        command.env("CARGO", cargo());
        command
    }

    /// The version of `package` in `Cargo.lock`.
    pub(crate) fn locked_version(&self, package: &str) -> Result<Version> {
        let path = self.root.join("Cargo.lock");
        let text = fs::read_to_string(&path)
            .context("Cargo.lock cannot be read: it belongs to the repository, so restore it with `git checkout Cargo.lock`")?;
        lock::locked_version(&text, package)
    }
}

fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// The first executable file of this name in the folders of `path`.
fn find_program(program: &str, path: &OsStr) -> Option<PathBuf> {
    env::split_paths(path).map(|folder| folder.join(program)).find(|file| is_executable(file))
}

#[cfg(unix)]
pub(crate) fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(file).is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
pub(crate) fn is_executable(file: &Path) -> bool {
    file.is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn the_first_executable_on_the_path_is_found() -> Result<()> {
        let path = OsStr::new("/nowhere:/etc:/bin:/usr/bin");
        let shell = find_program("sh", path).context("every Unix has sh")?;
        assert_eq!(shell, Path::new("/bin/sh"));
        assert_eq!(
            find_program("passwd-", path),
            None,
            "a file without the executable bit is no program"
        );
        assert_eq!(find_program("sh", OsStr::new("")), None);
        Ok(())
    }

    #[test]
    fn this_workspace_is_found_and_its_tools_come_first() -> Result<()> {
        let workspace = Workspace::locate()?;
        assert!(workspace.root.join("crates/xtask/Cargo.toml").is_file());
        let first = env::split_paths(&workspace.path).next();
        assert_eq!(first, Some(workspace.tools().join("bin")));
        Ok(())
    }
}
