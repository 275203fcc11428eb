//! A released version, `0.21.14`, and which versions may stand in for which.

use std::fmt;

/// Three numbers; pre-releases are not versions here, because nothing is set up from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(pub(crate) u32, pub(crate) u32, pub(crate) u32);

impl Version {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.').map(str::parse);
        let version = Self(parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?);
        parts.next().is_none().then_some(version)
    }

    /// The first version in what a program prints of itself, as in `trunk 0.21.14`.
    pub(crate) fn find(text: &str) -> Option<Self> {
        text.split_whitespace().find_map(Self::parse)
    }

    /// Whether this version can be used where `oldest` is asked for: it is not older, and by
    /// Cargo's reading of version numbers it has no breaking change.
    pub(crate) fn serves_as(self, oldest: Self) -> bool {
        let same_line = self.0 == oldest.0 && (self.0 > 0 || self.1 == oldest.1);
        same_line && self >= oldest
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_numbers_and_nothing_else_are_a_version() {
        assert_eq!(Version::parse("0.21.14"), Some(Version(0, 21, 14)));
        for other in ["0.21", "0.21.14.1", "0.21.14-beta.1", "v0.21.14", "", "a.b.c"] {
            assert_eq!(Version::parse(other), None, "{other}");
        }
    }

    #[test]
    fn the_version_is_found_in_what_programs_print() {
        let nextest =
            "cargo-nextest 0.9.143 (60fa45f63 2026-08-04)\nrelease: 0.9.143\nhost: x86_64";
        assert_eq!(Version::find(nextest), Some(Version(0, 9, 143)));
        assert_eq!(Version::find("wasm-bindgen 0.2.130\n"), Some(Version(0, 2, 130)));
        assert_eq!(Version::find("trunk: command not found"), None);
    }

    #[test]
    fn a_version_serves_when_it_is_not_older_and_not_breaking() {
        let oldest = Version(0, 21, 14);
        assert!(Version(0, 21, 14).serves_as(oldest));
        assert!(Version(0, 21, 20).serves_as(oldest));
        assert!(!Version(0, 21, 9).serves_as(oldest));
        assert!(!Version(0, 22, 0).serves_as(oldest));
        assert!(!Version(1, 21, 14).serves_as(oldest));
        assert!(Version(1, 60, 0).serves_as(Version(1, 40, 2)));
        assert!(!Version(2, 0, 0).serves_as(Version(1, 40, 2)));
    }
}
