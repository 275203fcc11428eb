//! Reads a package's version out of `Cargo.lock`.

use anyhow::{Context, Result};

use crate::version::Version;

/// The version of `package` that `lock`, the text of a `Cargo.lock`, holds.
pub(crate) fn locked_version(lock: &str, package: &str) -> Result<Version> {
    let field = |line: &str, key: &str| -> Option<String> {
        let value = line.strip_prefix(key)?.trim().strip_prefix('=')?.trim();
        Some(value.trim_matches('"').to_owned())
    };
    let mut lines = lock.lines();
    lines
        .find(|line| field(line, "name").as_deref() == Some(package))
        .with_context(|| {
            format!("Cargo.lock holds no {package}: run `cargo update --workspace`, which adds what is missing")
        })?;
    lines
        .take_while(|line| !line.starts_with("[["))
        .find_map(|line| field(line, "version"))
        .and_then(|version| Version::parse(&version))
        .with_context(|| format!("Cargo.lock names no released version of {package}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = r#"
version = 4

[[package]]
name = "wasm-bindgen-backend"
version = "0.1.7"

[[package]]
name = "wasm-bindgen"
version = "0.2.130"
source = "registry"
dependencies = [
 "name-like",
]

[[package]]
name = "odd"
source = "registry"

[[package]]
name = "last"
version = "1.2.3-alpha"
"#;

    #[test]
    fn the_package_of_exactly_that_name_is_read() -> Result<()> {
        assert_eq!(
            locked_version(LOCK, "wasm-bindgen")?,
            Version(0, 2, 130),
            "and not its neighbour's"
        );
        Ok(())
    }

    #[test]
    fn what_is_not_there_is_an_error_that_names_it() {
        let said = |package| {
            locked_version(LOCK, package).err().map(|error| error.to_string()).unwrap_or_default()
        };
        assert!(said("leptos").contains("holds no leptos"));
        assert!(said("odd").contains("no released version of odd"));
        assert!(said("last").contains("no released version of last"));
    }
}
