//! Finds Chromium, its driver, Firefox and a Vulkan driver where systems put them.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::workspace::{Workspace, is_executable};

/// The browser that most tests drive.
pub(crate) struct Browser {
    pub(crate) chromium: PathBuf,
    pub(crate) driver: PathBuf,
}

/// Debian's name first, then the snap's and Google's. Ubuntu's `chromium-browser` is left out: without
/// the snap it is a script that only says so.
const CHROMIUM: &[&str] = &["chromium", "google-chrome", "google-chrome-stable"];
const DRIVER: &[&str] = &["chromedriver", "chromium.chromedriver"];
const FIREFOX: &[&str] = &["firefox-esr", "firefox"];

impl Browser {
    /// What `RELP_CHROMIUM` and `RELP_CHROMEDRIVER` name, or else what is on the PATH.
    pub(crate) fn find(workspace: &Workspace) -> Option<Self> {
        let find = |variable, names: &[&str]| {
            named(env::var_os(variable))
                .or_else(|| names.iter().find_map(|name| workspace.find(name)))
        };
        Some(Self {
            chromium: find("RELP_CHROMIUM", CHROMIUM)?,
            driver: find("RELP_CHROMEDRIVER", DRIVER)?,
        })
    }
}

/// What `RELP_FIREFOX` names, or else what is on the PATH and says that it is Firefox: Ubuntu's
/// `firefox` without the snap is a script that only says so.
pub(crate) fn firefox(workspace: &Workspace) -> Option<PathBuf> {
    let on_path = || FIREFOX.iter().filter_map(|name| workspace.find(name));
    named(env::var_os("RELP_FIREFOX")).or_else(|| on_path().find(|program| is_firefox(program)))
}

fn is_firefox(program: &Path) -> bool {
    Command::new(program)
        .arg("--version")
        .output()
        .is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("Firefox"))
}

/// The absolute path that a variable names, if a program is there.
fn named(value: Option<OsString>) -> Option<PathBuf> {
    let path = std::path::absolute(value?).ok()?;
    is_executable(&path).then_some(path)
}

/// Whether a Vulkan driver is installed, whichever it is. Elsewhere than on Linux the system has its
/// own graphics interface.
pub(crate) fn has_vulkan() -> bool {
    if !cfg!(target_os = "linux") {
        return true;
    }
    ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"].iter().any(|variable| env::var_os(variable).is_some())
        || ["/usr/share", "/usr/local/share", "/etc"]
            .iter()
            .any(|folder| holds_a_driver(&Path::new(folder).join("vulkan/icd.d")))
}

/// Vulkan's loader reads one JSON file for each driver.
fn holds_a_driver(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|entries| {
        entries.flatten().any(|entry| entry.path().extension().is_some_and(|kind| kind == "json"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn a_variable_counts_only_when_it_names_a_program() {
        assert_eq!(named(Some("/bin/sh".into())), Some("/bin/sh".into()));
        assert_eq!(named(Some("/etc/passwd".into())), None);
        assert_eq!(named(Some("".into())), None);
        assert_eq!(named(None), None);
    }

    #[test]
    #[cfg(unix)]
    fn another_program_is_no_firefox() {
        assert!(!is_firefox(Path::new("/bin/echo")));
        assert!(!is_firefox(Path::new("/no/such/program")));
    }

    #[test]
    fn a_folder_without_drivers_holds_none() {
        assert!(!holds_a_driver(Path::new("/no/such/folder")));
        assert!(!holds_a_driver(Path::new(env!("CARGO_MANIFEST_DIR"))));
    }
}
