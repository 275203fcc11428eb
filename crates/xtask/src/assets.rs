//! Files of the built page: read, written, named by their content, packed into other files.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256, Sha384};

/// The built page's folder.
#[derive(Clone, Copy)]
pub(crate) struct Dist<'a>(pub(crate) &'a Path);

impl Dist<'_> {
    fn path(self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(crate) fn bytes(self, name: &str) -> Result<Vec<u8>> {
        fs::read(self.path(name)).with_context(|| format!("the built page's {name} cannot be read"))
    }

    pub(crate) fn text(self, name: &str) -> Result<String> {
        String::from_utf8(self.bytes(name)?).with_context(|| format!("{name} is no text"))
    }

    pub(crate) fn write(self, name: &str, content: impl AsRef<[u8]>) -> Result<()> {
        let path = self.path(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, content)
            .with_context(|| format!("the built page's {name} cannot be written"))
    }

    pub(crate) fn remove(self, name: &str) -> Result<()> {
        fs::remove_file(self.path(name)).with_context(|| format!("{name} cannot be removed"))
    }

    /// The names of the files of a folder of it.
    pub(crate) fn names(self, folder: &str) -> Result<Vec<String>> {
        let entries = fs::read_dir(self.path(folder))
            .with_context(|| format!("the built page's {folder:?} cannot be read"))?;
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                names.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    /// The one file whose name begins and ends so.
    pub(crate) fn one(self, begins: &str, ends: &str) -> Result<String> {
        let names = self.names("")?;
        let mut found = names.into_iter().filter(|n| n.starts_with(begins) && n.ends_with(ends));
        match (found.next(), found.next()) {
            (Some(name), None) => Ok(name),
            _ => bail!("the built page should have one file {begins}…{ends}"),
        }
    }

    /// What a page says of a file, to be refused anything else in its place.
    pub(crate) fn integrity(self, name: &str) -> Result<String> {
        Ok(format!("sha384-{}", STANDARD.encode(Sha384::digest(self.bytes(name)?))))
    }
}

/// The content as 16 hexadecimal digits, for a file's name.
pub(crate) fn short_hash(content: &[u8]) -> String {
    Sha256::digest(content).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Compressed, and as text.
pub(crate) fn packed(content: &[u8]) -> Result<String> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content)?;
    Ok(STANDARD.encode(encoder.finish()?))
}

/// A text with the one place of `mark` replaced.
pub(crate) fn filled(text: &str, mark: &str, with: &str) -> Result<String> {
    match text.matches(mark).count() {
        1 => Ok(text.replacen(mark, with, 1)),
        count => bail!("`{mark}` should be there once, and is {count} times"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_there_once() {
        assert_eq!(filled("a MARK b", "MARK", "MARK MARK").unwrap(), "a MARK MARK b");
        assert!(filled("a b", "MARK", "").is_err());
        assert!(filled("MARK MARK", "MARK", "").is_err());
    }

    #[test]
    fn what_is_packed_begins_like_gzip() -> Result<()> {
        assert!(packed(b"abc")?.starts_with("H4sI"));
        assert_eq!(short_hash(b"abc"), "ba7816bf8f01cfea");
        Ok(())
    }
}
