//! `cargo xtask dist`: the page as a folder for any static host, with every file compressed beforehand.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use brotli::enc::BrotliEncoderParams;
use flate2::{Compression, write::GzEncoder};

use crate::{step::say, workspace::Workspace};

/// What is worth compressing: weights are not.
const TEXTS: [&str; 9] = ["css", "html", "js", "json", "md", "svg", "txt", "wasm", "webmanifest"];
/// The folder, unless another is named.
const FOLDER: &str = "target/site";

/// Copies the built page to `out` with `.br` and `.gz` beside each file that gains by it.
pub(crate) fn write(workspace: &Workspace, out: Option<&Path>) -> Result<()> {
    let out = out.map_or_else(|| workspace.root.join(FOLDER), Path::to_owned);
    make_room(&out)?;
    let mut sizes = Vec::new();
    copy(&workspace.dist(), &out, "", &mut sizes)?;
    // Otherwise GitHub Pages would have Jekyll read it first.
    fs::write(out.join(".nojekyll"), "")?;
    sizes.sort();
    let mut of_all = 0;
    say!("\n{:>10} {:>10} {:>10}  file", "bytes", "gzip", "brotli");
    for Size { name, whole, gzip, brotli } in &sizes {
        let short = |size: &Option<usize>| size.map_or_else(|| "-".to_owned(), |n| n.to_string());
        say!("{whole:>10} {:>10} {:>10}  {name}", short(gzip), short(brotli));
        of_all += whole;
    }
    say!(
        "\nThe page is in {} ({} files, {of_all} bytes), for any static host.",
        out.display(),
        sizes.len()
    );
    Ok(())
}

/// A file's size, and what is sent of it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Size {
    name: String,
    whole: usize,
    gzip: Option<usize>,
    brotli: Option<usize>,
}

/// An empty folder: what a build has written before goes, what somebody else has put there stays.
fn make_room(out: &Path) -> Result<()> {
    let is_own = out.join("sw.js").is_file() && out.join(".nojekyll").is_file();
    let is_empty = fs::read_dir(out).map_or(true, |mut entries| entries.next().is_none());
    if is_own {
        fs::remove_dir_all(out).with_context(|| format!("{} cannot be emptied", out.display()))?;
    } else if !is_empty {
        bail!("{} is not empty and holds no page: name another folder", out.display());
    }
    fs::create_dir_all(out).with_context(|| format!("{} cannot be made", out.display()))
}

fn copy(from: &Path, to: &Path, prefix: &str, sizes: &mut Vec<Size>) -> Result<()> {
    let entries =
        fs::read_dir(from).with_context(|| format!("{} cannot be read", from.display()))?;
    for entry in entries {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        let target = to.join(&name);
        if entry.file_type()?.is_dir() {
            fs::create_dir_all(&target)?;
            copy(&path, &target, &format!("{prefix}{name}/"), sizes)?;
            continue;
        }
        let content =
            fs::read(&path).with_context(|| format!("{} cannot be read", path.display()))?;
        fs::write(&target, &content)
            .with_context(|| format!("{} cannot be written", target.display()))?;
        let is_text =
            path.extension().is_some_and(|ending| TEXTS.iter().any(|text| ending == *text));
        let (gzip, brotli) = if is_text { compress(&content, &target)? } else { (None, None) };
        sizes.push(Size { name: format!("{prefix}{name}"), whole: content.len(), gzip, brotli });
    }
    Ok(())
}

/// Writes the two beside a file where they are smaller, and returns their sizes.
fn compress(content: &[u8], path: &Path) -> Result<(Option<usize>, Option<usize>)> {
    let beside = |ending: &str, compressed: &[u8]| -> Result<Option<usize>> {
        if compressed.len() >= content.len() {
            return Ok(None);
        }
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        let path = PathBuf::from(name);
        fs::write(&path, compressed)
            .with_context(|| format!("{} cannot be written", path.display()))?;
        Ok(Some(compressed.len()))
    };
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(content)?;
    let gzip = beside(".gz", &gzip.finish()?)?;
    let mut packed = Vec::new();
    let lgwin = 24;
    let params = BrotliEncoderParams { quality: 11, lgwin, ..BrotliEncoderParams::default() };
    brotli::BrotliCompress(&mut &content[..], &mut packed, &params)?;
    Ok((gzip, beside(".br", &packed)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compressed_is_the_same_again_and_nothing_of_others_goes() -> Result<()> {
        let folder = std::env::temp_dir().join(format!("relp-dist-{}", std::process::id()));
        let (from, to) = (folder.join("from"), folder.join("to"));
        fs::create_dir_all(from.join("models"))?;
        let text = "all work and no play ".repeat(100);
        for (name, content) in
            [("index.html", text.as_str()), ("sw.js", "1"), ("models/w.safetensors", &text)]
        {
            fs::write(from.join(name), content)?;
        }
        make_room(&to)?;
        let mut sizes = Vec::new();
        copy(&from, &to, "", &mut sizes)?;
        let mut back = Vec::new();
        brotli::BrotliDecompress(&mut &fs::read(to.join("index.html.br"))?[..], &mut back)?;
        assert_eq!(back, text.as_bytes());
        assert!(fs::read(to.join("index.html.gz"))?.starts_with(&[0x1f, 0x8b]));
        assert!(!to.join("sw.js.br").exists(), "it would be longer");
        assert!(to.join("models/w.safetensors").is_file());
        assert!(!to.join("models/w.safetensors.gz").exists());
        assert_eq!(sizes.len(), 3);
        // Without the mark of an earlier run it is somebody else's.
        assert!(make_room(&to).is_err_and(|error| error.to_string().contains("another folder")));
        fs::write(to.join(".nojekyll"), "")?;
        make_room(&to)?;
        assert_eq!(fs::read_dir(&to)?.count(), 0);
        fs::remove_dir_all(folder)?;
        Ok(())
    }
}
