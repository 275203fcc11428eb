//! The list of all files with their hashes, as `sha256sum` writes and checks it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::path::{Component, Path};

use crate::failure::{Failure, Result};
use crate::output::print;
use crate::pack::place::copy;
use crate::progress::Progress;

/// The list's name, at the top.
pub(crate) const NAME: &str = "SHA256SUMS";

/// So many files are named of those that are not as they should be.
const NAMED: usize = 10;

/// The list of files and hashes.
pub(crate) fn text(files: &mut [(String, String)]) -> String {
    files.sort();
    files.iter().map(|(path, hash)| format!("{hash}  {path}\n")).collect()
}

/// Files by their path, from a list.
fn read(text: &str) -> Option<BTreeMap<&str, &str>> {
    let line = |line| {
        let (hash, path) = str::split_once(line, "  ")?;
        let is_hash = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        // A list from elsewhere leads nowhere else.
        let mut parts = Path::new(path).components();
        let is_inside = parts.all(|part| matches!(part, Component::Normal(_)));
        (is_hash && is_inside && !path.is_empty()).then_some((path, hash))
    };
    text.lines().map(line).collect()
}

/// Compares a folder with its list.
pub(crate) fn check(folder: &Path) -> Result<()> {
    let shown = folder.display();
    let list = folder.join(NAME);
    let text = fs::read_to_string(&list).map_err(|error| {
        Failure::input(format_args!(
            "{shown} is no folder that `relp pack` has made, because its {NAME} cannot be read: {error}"
        ))
    })?;
    let listed = read(&text).filter(|listed| !listed.is_empty()).ok_or_else(|| {
        Failure::input(format_args!("{} is no list of hashes: copy it again", list.display()))
    })?;
    let mut there = BTreeSet::new();
    walk(folder, "", &mut there)
        .map_err(|error| Failure::failed(format_args!("{shown} cannot be read: {error}")))?;
    there.remove(NAME);
    let mut faults = Vec::new();
    let mut progress = Progress::new();
    for (path, hash) in &listed {
        if !there.remove(*path) {
            faults.push(format!("{path} is missing"));
            continue;
        }
        progress.now(format!("Checking {path}"));
        let found = File::open(folder.join(path)).and_then(|file| {
            let length = file.metadata()?.len();
            copy(file, &mut io::sink(), length, &mut progress)
        });
        match found {
            Ok((found, _)) if found == *hash => {}
            Ok(_) => faults.push(format!("{path} is not what it was")),
            Err(error) => faults.push(format!("{path} cannot be read ({error})")),
        }
    }
    progress.wipe();
    faults.extend(there.iter().map(|path| format!("{path} is not in the list")));
    if faults.is_empty() {
        return print(&format!("All {} files in {shown} are what they were.\n", listed.len()));
    }
    let more = faults.len().saturating_sub(NAMED);
    faults.truncate(NAMED);
    let mut faults = faults.join(", ");
    if more > 0 {
        faults += &format!(", and {more} more");
    }
    Err(Failure::failed(format_args!("In {shown}, {faults}: copy the folder again")))
}

/// Adds the paths of all files of a folder. Hidden ones are left out: systems put theirs on every stick.
fn walk(folder: &Path, prefix: &str, files: &mut BTreeSet<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') || name == "System Volume Information" {
            continue;
        }
        let path = format!("{prefix}{name}");
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), &format!("{path}/"), files)?;
        } else {
            files.insert(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_as_it_is_written_and_leads_nowhere_else() {
        let hash = "ab".repeat(32);
        let mut files = vec![("b/c.txt".to_owned(), hash.clone()), ("a".to_owned(), hash.clone())];
        let written = text(&mut files);
        assert_eq!(written, format!("{hash}  a\n{hash}  b/c.txt\n"));
        let read_again = read(&written).unwrap();
        assert!(read_again.into_keys().eq(["a", "b/c.txt"]));
        for path in ["../x", "/etc/passwd", "a/../../x", ""] {
            assert_eq!(read(&format!("{hash}  {path}\n")), None, "{path}");
        }
        assert_eq!(read("nothing"), None);
    }
}
