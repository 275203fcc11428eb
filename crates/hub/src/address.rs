//! Where files are. Names and addresses come from people and scripts, so nothing is taken for good
//! that could lead out of its folder or to another server.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::known::{Expected, Known, ModelFile};

/// The hub that is asked unless another endpoint is named.
pub const HUB: &str = "https://huggingface.co";

/// Why a name or an address cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not the name of a repository.
    #[error(
        "\"{0}\" is not the name of a model on a hub: give OWNER/NAME, of letters, digits and . _ - alone"
    )]
    Repo(String),
    /// Not the name of a revision.
    #[error("\"{0}\" is not a revision: give a branch, a tag or a commit")]
    Revision(String),
    /// Not the address of a hub.
    #[error(
        "\"{0}\" is not the address of a hub: give one such as https://huggingface.co, without user, query or fragment"
    )]
    Endpoint(String),
}

/// A repository: `OWNER/NAME`, or `NAME` alone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Repo(String);

/// A branch, a tag or a commit of a repository.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Revision(String);

impl Repo {
    /// `OWNER/NAME`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name without its owner.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }
}

impl Revision {
    /// The branch that the hub shows first.
    pub fn main() -> Self {
        Self("main".to_owned())
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is a commit, whose files never change.
    pub fn is_commit(&self) -> bool {
        self.0.len() == 40 && self.0.bytes().all(|byte| byte.is_ascii_hexdigit())
    }
}

/// A piece of a path that is nothing but a name, here and on every file system.
fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    (1..=96).contains(&text.len())
        && text.chars().all(plain)
        && text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && !text.ends_with('.')
        // Two dashes stand for the slash in the names of cache folders.
        && !text.contains("--")
        && !text.contains("..")
}

impl FromStr for Repo {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let pieces = text.split('/').count();
        if pieces <= 2 && text.split('/').all(is_name) {
            Ok(Self(text.to_owned()))
        } else {
            Err(AddressError::Repo(shown(text)))
        }
    }
}

impl FromStr for Revision {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if is_name(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(AddressError::Revision(shown(text)))
        }
    }
}

/// A text that may be hostile, for a message.
fn shown(text: &str) -> String {
    text.chars().take(80).flat_map(char::escape_default).collect()
}

macro_rules! as_text {
    ($type:ty) => {
        impl TryFrom<String> for $type {
            type Error = AddressError;

            fn try_from(text: String) -> Result<Self, AddressError> {
                text.parse()
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> Self {
                name.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}
as_text!(Repo);
as_text!(Revision);

/// A model on a hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelId {
    /// Its repository.
    pub repo: Repo,
    /// Which state of it.
    pub revision: Revision,
    /// What is known of it.
    pub known: Option<&'static Known>,
}

impl ModelId {
    /// The model of a name: one that is known, at its pinned revision, or `OWNER/NAME` as it is.
    ///
    /// # Errors
    /// If it is neither.
    pub fn from_name(name: &str) -> Result<Self, AddressError> {
        let Some(known) = Known::find(name) else {
            if !name.contains('/') {
                return Err(AddressError::Repo(shown(name)));
            }
            return Ok(Self { repo: name.parse()?, revision: Revision::main(), known: None });
        };
        let (repo, revision) = (known.repo.parse()?, known.revision.parse()?);
        Ok(Self { repo, revision, known: Some(known) })
    }

    /// What a file has to be.
    pub fn expected(&self, file: ModelFile) -> Expected {
        self.known.map(|known| known.expected(file)).unwrap_or_default()
    }
}

/// The hubs that are asked for a file, one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirrors(Vec<String>);

impl Default for Mirrors {
    fn default() -> Self {
        Self(vec![HUB.to_owned()])
    }
}

impl Mirrors {
    /// From endpoints, separated by commas or spaces.
    ///
    /// # Errors
    /// If there is none, or one is not an address.
    pub fn from_text(text: &str) -> Result<Self, AddressError> {
        let pieces = text.split(|c: char| c == ',' || c.is_whitespace());
        let pieces = pieces.filter(|piece| !piece.is_empty());
        let mirrors = pieces.map(endpoint).collect::<Result<Vec<_>, _>>()?;
        if mirrors.is_empty() {
            return Err(AddressError::Endpoint(shown(text)));
        }
        Ok(Self(mirrors))
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The address of a file at one of them.
    pub(crate) fn address(
        &self,
        mirror: usize,
        repo: &Repo,
        revision: &Revision,
        file: ModelFile,
    ) -> String {
        // There is at least one.
        let endpoint = &self.0[mirror % self.0.len()];
        format!("{endpoint}/{repo}/resolve/{revision}/{}", file.name())
    }
}

/// Checks an endpoint and takes the slashes off its end.
fn endpoint(text: &str) -> Result<String, AddressError> {
    let error = || AddressError::Endpoint(shown(text));
    let rest = ["https://", "http://"].iter().find_map(|scheme| text.strip_prefix(scheme));
    let rest = rest.ok_or_else(error)?.trim_end_matches('/');
    let mut pieces = rest.split('/');
    let host = pieces.next().unwrap_or_default();
    // A host, perhaps a port; an IPv6 address stands in brackets.
    let of_host =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
    let of_path = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '~' | '%');
    let path_is_plain = pieces.all(|piece| {
        !piece.is_empty() && piece != "." && piece != ".." && piece.chars().all(of_path)
    });
    let starts = host.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[');
    if !starts || !host.chars().all(of_host) || !path_is_plain || text.len() > 2048 {
        return Err(error());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// Scheme, host and port of an address.
pub(crate) fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at + 3);
    let end = url[host..].find(['/', '?', '#']).map_or(url.len(), |at| host + at);
    &url[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_are_refused() {
        for name in [
            "",
            "/",
            "a/",
            "/a",
            "../a",
            "a/..",
            "a/b/c",
            "a b",
            "a\\b",
            "a/b\n",
            "-a/b",
            ".a",
            "a/b?x",
            "a/b#c",
            "a/b%2e",
            "http://x/y",
            "a--b/c",
            "é/b",
            "a/b.",
            "C:/x",
            "a/b\0",
        ] {
            assert!(name.parse::<Repo>().is_err(), "{name:?}");
        }
        assert!("a/".repeat(200).parse::<Repo>().is_err());
        assert!("x".repeat(97).parse::<Revision>().is_err());
        assert!("../main".parse::<Revision>().is_err());
        for name in ["gpt2", "openai-community/gpt2", "a/b.c_d-e", "0x/1.5b"] {
            assert_eq!(name.parse::<Repo>().map(String::from), Ok(name.to_owned()));
        }
    }

    #[test]
    fn a_name_is_a_known_model_or_a_repository() {
        let small = ModelId::from_name("gpt2").unwrap();
        assert_eq!(small.repo.as_str(), "openai-community/gpt2");
        assert!(small.revision.is_commit() && small.known.is_some());
        let other = ModelId::from_name("someone/their-gpt2").unwrap();
        assert_eq!((other.revision, other.known), (Revision::main(), None));
        assert_eq!(other.repo.name(), "their-gpt2");
        let error = ModelId::from_name("gpt4").unwrap_err().to_string();
        assert!(error.contains("gpt4") && error.contains("OWNER/NAME"), "{error}");
    }

    #[test]
    fn mirrors_are_addresses_and_nothing_else() {
        let mirrors = Mirrors::from_text("http://127.0.0.1:80/, https://b.example/hub//").unwrap();
        assert_eq!(mirrors.count(), 2);
        let repo = "a/b".parse().unwrap();
        let address = |at| mirrors.address(at, &repo, &Revision::main(), ModelFile::Config);
        assert_eq!(address(0), "http://127.0.0.1:80/a/b/resolve/main/config.json");
        assert_eq!(address(1), "https://b.example/hub/a/b/resolve/main/config.json");
        for text in [
            "",
            " , ",
            "huggingface.co",
            "ftp://a",
            "file:///etc",
            "https://",
            "https://u:p@host",
            "https://host?x=1",
            "https://host#f",
            "https://host/../x",
            "https://host/a//b",
            "https://ho st/",
            "https://-x",
            "javascript:alert(1)",
            "https://host/\u{202e}",
        ] {
            if text != "https://ho st/" {
                assert!(Mirrors::from_text(text).is_err(), "{text:?}");
            }
        }
        assert!(Mirrors::from_text("https://ho st/").is_err());
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        assert_eq!(origin("http://a:1/b/c?d"), "http://a:1");
        assert_eq!(origin("https://a"), "https://a");
        assert_eq!(origin("nothing"), "nothing");
    }
}
