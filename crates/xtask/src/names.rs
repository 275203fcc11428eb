//! The names of functions in the page's WebAssembly, which only a debugger reads: a fifth of what is sent.

use std::{fs, path::Path};

use anyhow::{Context, Result};

/// Removes them from every module of the built page.
pub(crate) fn remove(dist: &Path) -> Result<()> {
    let folder =
        fs::read_dir(dist).with_context(|| format!("{} cannot be read", dist.display()))?;
    for entry in folder {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "wasm") {
            let module =
                fs::read(&path).with_context(|| format!("{} cannot be read", path.display()))?;
            let short = without_names(&module)
                .with_context(|| format!("{} is no WebAssembly", path.display()))?;
            fs::write(&path, short)
                .with_context(|| format!("{} cannot be written", path.display()))?;
        }
    }
    Ok(())
}

/// A module without its custom section "name"; `None` if it is none.
fn without_names(module: &[u8]) -> Option<Vec<u8>> {
    let (header, mut rest) = module.split_at_checked(8)?;
    if !header.starts_with(b"\0asm") {
        return None;
    }
    let mut short = header.to_vec();
    while let Some((kind, after)) = rest.split_first() {
        let (length, content) = number(after)?;
        let end = rest.len() - content.len() + length;
        let content = content.get(..length)?;
        let is_custom = *kind == 0;
        let is_names = is_custom
            && number(content).is_some_and(|(length, name)| name.get(..length) == Some(b"name"));
        if !is_names {
            short.extend_from_slice(rest.get(..end)?);
        }
        rest = rest.get(end..)?;
    }
    Some(short)
}

/// An unsigned number in LEB128, and what comes after it.
fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut number = 0_usize;
    for (at, byte) in bytes.iter().enumerate().take(5) {
        number |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((number, &bytes[at + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_and_everything_else_stays() {
        let header = b"\0asm\x01\0\0\0".as_slice();
        let types = b"\x01\x01\x00".as_slice();
        // Its length in two bytes, as some tools write it.
        let names = b"\x00\x87\x00\x04name\xff\xff".as_slice();
        let other = b"\x00\x06\x04namx\x01".as_slice();
        let module = [header, types, names, other].concat();
        assert_eq!(without_names(&module), Some([header, types, other].concat()));
        assert_eq!(without_names(header), Some(header.to_vec()));
    }

    #[test]
    fn what_is_no_module_is_refused() {
        assert_eq!(without_names(b"<!doctype html>"), None);
        assert_eq!(without_names(b"\0asm"), None);
        assert_eq!(without_names(b"\0asm\x01\0\0\0\x01\x7f"), None, "it is cut");
    }
}
