//! The list of what a version of the page is made of, in its service worker.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::standalone::PLAYGROUND;

/// The service worker, beside the page.
pub(crate) const SCRIPT: &str = "sw.js";

/// Which models the page's server has, and those models. They are put there after the page was built, and are
/// kept by the page as any model is.
pub(crate) const HERE: &str = "models/here.json";
const HUB: &str = "models/hub/";

/// What the list replaces.
const NONE: &str = "const FILES = {};";

/// Writes the service worker into the built page: `template` with the hash of every file that is there.
pub(crate) fn write(template: &Path, dist: &Path) -> Result<()> {
    let script = fs::read_to_string(template)
        .with_context(|| format!("{} cannot be read", template.display()))?;
    if script.matches(NONE).count() != 1 {
        bail!("{} should contain the line `{NONE}` once", template.display());
    }
    let mut files = BTreeMap::new();
    list(dist, "", &mut files)?;
    files.remove(SCRIPT);
    // It is everything once more, for people who take it with them.
    files.remove(PLAYGROUND);
    files.remove(HERE);
    // The page is asked for by the address of its folder.
    let page = files.remove("index.html").context("the built page has no index.html")?;
    files.insert(String::new(), page);
    let lines: String =
        files.iter().map(|(path, hash)| format!("  \"{path}\": \"{hash}\",\n")).collect();
    let script = script.replace(NONE, &format!("const FILES = {{\n{lines}}};"));
    fs::write(dist.join(SCRIPT), script).context("the service worker cannot be written")
}

/// Adds the files of a folder by their path, with their SHA-256.
fn list(folder: &Path, prefix: &str, files: &mut BTreeMap<String, String>) -> Result<()> {
    for entry in
        fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))?
    {
        let entry = entry?;
        let name = entry.file_name();
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let Some(name) = name.to_str().filter(|name| name.chars().all(plain)) else {
            bail!("{} has a name that is no plain address", entry.path().display());
        };
        let path = format!("{prefix}{name}");
        if entry.file_type()?.is_dir() {
            if format!("{path}/") == HUB {
                continue;
            }
            list(&entry.path(), &format!("{path}/"), files)?;
        } else {
            let hash = Sha256::digest(fs::read(entry.path())?);
            files.insert(path, hash.iter().map(|byte| format!("{byte:02x}")).collect());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_listed_with_its_hash_but_the_worker_itself() -> Result<()> {
        let folder = std::env::temp_dir().join(format!("relp-offline-{}", std::process::id()));
        let dist = folder.join("dist");
        let hub = "models/hub/a/b/resolve/main/config.json";
        for path in ["models/primer", "models/hub/a/b/resolve/main"] {
            fs::create_dir_all(dist.join(path))?;
        }
        let template = folder.join("template.js");
        fs::write(&template, format!("before\n{NONE}\nafter"))?;
        let own = [("index.html", "abc"), ("models/primer/a.json", ""), (SCRIPT, "old")];
        for (path, text) in own.into_iter().chain([(HERE, "{}"), (hub, "{}")]) {
            fs::write(dist.join(path), text)?;
        }
        write(&template, &dist)?;
        let script = fs::read_to_string(dist.join(SCRIPT))?;
        // The published examples of SHA-256.
        let of_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let of_nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let expected = format!(
            "before\nconst FILES = {{\n  \"\": \"{of_abc}\",\n  \"models/primer/a.json\": \
             \"{of_nothing}\",\n}};\nafter"
        );
        assert_eq!(script, expected);
        fs::write(dist.join("with space.txt"), "")?;
        assert!(write(&template, &dist).is_err_and(|e| e.to_string().contains("with space")));
        fs::remove_dir_all(folder)?;
        Ok(())
    }
}
