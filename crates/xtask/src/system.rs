//! What this system can install, and the sentence for the person where it cannot.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
};

use crate::workspace::Workspace;

/// Something that comes from the operating system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Package {
    /// Chromium and its driver.
    Browser,
    /// Firefox. Its driver is a crate.
    Firefox,
    /// A Vulkan driver that needs no GPU.
    Vulkan,
    /// Programs that read PDFs, to check those that are written here.
    Poppler,
    /// What counts instructions.
    Valgrind,
}

/// The facts that decide how packages get installed.
#[derive(Clone, Debug)]
pub(crate) struct System {
    /// The first package manager found, of those known here.
    manager: Option<Manager>,
    /// Whether this process may install packages, and how.
    rights: Rights,
    /// Ubuntu has both browsers as snaps only, and its packages of their names install the snaps.
    snap_browsers: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manager {
    Apt,
    Dnf,
    Pacman,
    Zypper,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rights {
    Root,
    /// `sudo` that asks for no password.
    Sudo,
    None,
}

/// How to get packages: what can be run, and what a person has to do for the rest.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Commands to run one after another, each a program and its arguments.
    pub(crate) run: Vec<Vec<String>>,
    /// For what cannot be installed from here: one sentence that names the command.
    pub(crate) ask: Vec<(Package, String)>,
}

impl System {
    pub(crate) fn look(workspace: &Workspace) -> Self {
        let manager = [Manager::Apt, Manager::Dnf, Manager::Pacman, Manager::Zypper]
            .into_iter()
            .find(|manager| workspace.find(manager.program()).is_some());
        let rights = if is_root() {
            Rights::Root
        } else if workspace.find("sudo").is_some() && sudo_asks_nothing() {
            Rights::Sudo
        } else {
            Rights::None
        };
        let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
        Self { manager, rights, snap_browsers: is_ubuntu(&release) }
    }

    /// How to get `missing` here.
    pub(crate) fn plan(&self, missing: &[Package]) -> Plan {
        let mut plan = Plan::default();
        let Some(manager) = self.manager else {
            plan.ask =
                missing.iter().map(|&package| (package, package.by_hand().to_owned())).collect();
            return plan;
        };
        let mut packaged = Vec::new();
        for &package in missing {
            match package.snap().filter(|_| self.snap_browsers) {
                Some(snap) => {
                    let sentence = format!(
                        "Ubuntu has it as a snap only, which is not installed from here: run `sudo snap \
                         install {snap}`, then the same command again"
                    );
                    plan.ask.push((package, sentence));
                }
                None => packaged.push(package),
            }
        }
        if packaged.is_empty() {
            return plan;
        }
        let install = manager.install(&packaged);
        match self.rights {
            _ if manager != Manager::Apt => {
                let command = format!("sudo {}", install.join(" "));
                plan.ask_each(&packaged, "this system has no apt-get", &command);
            }
            Rights::None => {
                let command = format!("sudo apt-get update && sudo {}", install.join(" "));
                plan.ask_each(
                    &packaged,
                    "installing packages needs root or a sudo that asks for no password",
                    &command,
                );
            }
            Rights::Root | Rights::Sudo => {
                let prefix: &[&str] = match self.rights {
                    Rights::Sudo => &["sudo", "-n"],
                    _ => &[],
                };
                // Someone else's apt-get, as on a machine's first minutes, is waited for.
                let apt = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300"];
                let command = |rest: &[String]| {
                    let words = ["env", "DEBIAN_FRONTEND=noninteractive"];
                    let words = prefix.iter().chain(&words).chain(&apt);
                    words.map(|&word| word.to_owned()).chain(rest.iter().cloned()).collect()
                };
                plan.run.push(command(&["update".to_owned()]));
                plan.run.push(command(&install[1..]));
            }
        }
        plan
    }
}

impl Plan {
    fn ask_each(&mut self, packages: &[Package], because: &str, command: &str) {
        for &package in packages {
            let sentence = format!("{because}: run `{command}`, then the same command again");
            self.ask.push((package, sentence));
        }
    }
}

impl Manager {
    fn program(self) -> &'static str {
        match self {
            Self::Apt => "apt-get",
            Self::Dnf => "dnf",
            Self::Pacman => "pacman",
            Self::Zypper => "zypper",
        }
    }

    fn install(self, packages: &[Package]) -> Vec<String> {
        let before: &[&str] = match self {
            Self::Apt => &["apt-get", "install", "--yes", "--no-install-recommends"],
            Self::Dnf => &["dnf", "install", "--assumeyes"],
            Self::Pacman => &["pacman", "-S", "--needed"],
            Self::Zypper => &["zypper", "install"],
        };
        before
            .iter()
            .chain(packages.iter().flat_map(|package| self.names(*package)))
            .map(|&word| word.to_owned())
            .collect()
    }

    fn names(self, package: Package) -> &'static [&'static str] {
        match (self, package) {
            (Self::Apt, Package::Browser) => &["chromium", "chromium-driver"],
            (Self::Pacman, Package::Browser) => &["chromium"],
            (Self::Dnf | Self::Zypper, Package::Browser) => &["chromium", "chromedriver"],
            (Self::Apt, Package::Firefox) => &["firefox-esr"],
            (Self::Dnf | Self::Pacman | Self::Zypper, Package::Firefox) => &["firefox"],
            (Self::Apt | Self::Dnf, Package::Vulkan) => &["mesa-vulkan-drivers"],
            (Self::Pacman, Package::Vulkan) => &["vulkan-swrast"],
            (Self::Zypper, Package::Vulkan) => &["libvulkan_lvp"],
            (Self::Apt | Self::Dnf, Package::Poppler) => &["poppler-utils"],
            (Self::Pacman, Package::Poppler) => &["poppler"],
            (Self::Zypper, Package::Poppler) => &["poppler-tools"],
            (_, Package::Valgrind) => &["valgrind"],
        }
    }
}

impl Package {
    /// The snap that Ubuntu has in the package's place.
    fn snap(self) -> Option<&'static str> {
        match self {
            Self::Browser => Some("chromium"),
            Self::Firefox => Some("firefox"),
            Self::Vulkan | Self::Poppler | Self::Valgrind => None,
        }
    }

    fn by_hand(self) -> &'static str {
        match self {
            Self::Browser => {
                "this system has no package manager known here: install Chromium and ChromeDriver, name \
                 them in RELP_CHROMIUM and RELP_CHROMEDRIVER, and run `cargo xtask test` again"
            }
            Self::Firefox => {
                "this system has no package manager known here: install Firefox, name it in RELP_FIREFOX, \
                 and run `cargo xtask test` again"
            }
            Self::Vulkan => {
                "this system has no package manager known here: install a Vulkan driver, such as Mesa's \
                 lavapipe, and run `cargo xtask test` again"
            }
            Self::Poppler => {
                "this system has no package manager known here: install Poppler's programs (pdftotext), \
                 and run `cargo xtask test` again"
            }
            Self::Valgrind => {
                "this system has no package manager known here: install valgrind, and run `cargo xtask \
                 test` again"
            }
        }
    }
}

fn is_ubuntu(release: &str) -> bool {
    release.lines().any(|line| matches!(line.trim(), "ID=ubuntu" | "ID=\"ubuntu\""))
}

#[cfg(unix)]
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    // A process owns its own folder there; where there is no /proc, there is no apt-get either.
    fs::metadata(PathBuf::from("/proc/self")).is_ok_and(|own| own.uid() == 0)
}

#[cfg(not(unix))]
fn is_root() -> bool {
    false
}

fn sudo_asks_nothing() -> bool {
    Command::new("sudo")
        .args(["-n", "true"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Package; 3] = [Package::Browser, Package::Firefox, Package::Vulkan];

    fn system(manager: Option<Manager>, rights: Rights, snap_browsers: bool) -> System {
        System { manager, rights, snap_browsers }
    }

    fn sentences(plan: &Plan) -> Vec<&str> {
        plan.ask.iter().map(|(_, said)| said.as_str()).collect()
    }

    #[test]
    fn root_on_debian_installs_everything_with_one_update() {
        let plan = system(Some(Manager::Apt), Rights::Root, false).plan(&ALL);
        let run: Vec<String> = plan.run.iter().map(|words| words.join(" ")).collect();
        assert_eq!(
            run,
            [
                "env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 update",
                "env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 install \
                 --yes --no-install-recommends chromium chromium-driver firefox-esr mesa-vulkan-drivers",
            ]
        );
        assert_eq!(plan.ask, []);
    }

    #[test]
    fn a_sudo_without_password_is_used_and_never_asks() {
        let plan = system(Some(Manager::Apt), Rights::Sudo, false).plan(&[Package::Vulkan]);
        assert_eq!(plan.run.len(), 2);
        assert!(
            plan.run.iter().all(|words| words.starts_with(&["sudo".to_owned(), "-n".to_owned()]))
        );
    }

    #[test]
    fn without_rights_the_person_gets_the_whole_command() {
        let plan = system(Some(Manager::Apt), Rights::None, false).plan(&[Package::Browser]);
        assert_eq!(plan.run, Vec::<Vec<String>>::new());
        assert_eq!(
            sentences(&plan),
            [
                "installing packages needs root or a sudo that asks for no password: run `sudo apt-get update \
              && sudo apt-get install --yes --no-install-recommends chromium chromium-driver`, then the \
              same command again"
            ]
        );
    }

    #[test]
    fn on_ubuntu_only_the_browsers_are_left_to_the_person() {
        let plan = system(Some(Manager::Apt), Rights::Root, true).plan(&ALL);
        assert!(plan.run[1].ends_with(&["mesa-vulkan-drivers".to_owned()]));
        assert!(!plan.run[1].contains(&"chromium".to_owned()));
        assert!(!plan.run[1].contains(&"firefox-esr".to_owned()));
        assert_eq!(plan.ask.len(), 2);
        assert!(plan.ask[0].1.contains("`sudo snap install chromium`"));
        assert!(plan.ask[1].1.contains("`sudo snap install firefox`"));
    }

    #[test]
    fn on_ubuntu_without_rights_each_package_has_its_own_sentence() {
        let plan = system(Some(Manager::Apt), Rights::None, true).plan(&ALL);
        assert_eq!(plan.run, Vec::<Vec<String>>::new());
        let packages: Vec<Package> = plan.ask.iter().map(|(package, _)| *package).collect();
        assert_eq!(packages, ALL);
        assert!(plan.ask[2].1.contains("--no-install-recommends mesa-vulkan-drivers`"));
    }

    #[test]
    fn where_there_is_no_apt_get_the_sentence_names_what_there_is() {
        let fedora = system(Some(Manager::Dnf), Rights::Root, false).plan(&[Package::Browser]);
        assert_eq!(
            sentences(&fedora),
            [
                "this system has no apt-get: run `sudo dnf install --assumeyes chromium chromedriver`, then \
              the same command again"
            ]
        );
        for manager in [Manager::Dnf, Manager::Pacman, Manager::Zypper] {
            let plan = system(Some(manager), Rights::Root, false).plan(&[Package::Firefox]);
            assert!(plan.ask[0].1.contains(" firefox`"), "{plan:?}");
        }
        let bare = system(None, Rights::Root, false).plan(&ALL);
        assert_eq!(bare.run, Vec::<Vec<String>>::new());
        assert!(bare.ask[0].1.contains("RELP_CHROMIUM"));
        assert!(bare.ask[1].1.contains("RELP_FIREFOX"));
        assert!(bare.ask[2].1.contains("lavapipe"));
    }

    #[test]
    fn ubuntu_is_told_from_its_derivatives() {
        assert!(is_ubuntu("NAME=\"Ubuntu\"\nID=ubuntu\nID_LIKE=debian\n"));
        assert!(!is_ubuntu("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n"));
        assert!(!is_ubuntu("PRETTY_NAME=\"Debian GNU/Linux 12\"\nID=debian\n"));
    }
}
