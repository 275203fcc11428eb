//! Where a pack is made: a folder or a ZIP file, which is there whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use pollster::block_on;
use relp_engine::Control;
use relp_hub::ModelFile;
use sha2::{Digest, Sha256};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use crate::failure::{Failure, Result};
use crate::pack::sums;
use crate::progress::Progress;

/// The folder that is in a ZIP file, so that nothing is strewn about where it is opened.
const TOP: &str = "relp-playground";

/// The folder in which another one grows.
const PART: &str = ".relp-pack.part";

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Page,
    /// Random numbers, which get no smaller.
    Weights,
    /// May be run.
    Program,
}

impl Kind {
    pub(crate) fn of_model(file: ModelFile) -> Self {
        if file == ModelFile::Weights { Self::Weights } else { Self::Page }
    }

    fn options(self, length: u64) -> SimpleFileOptions {
        let method = match self {
            Self::Weights => CompressionMethod::Stored,
            Self::Page | Self::Program => CompressionMethod::Deflated,
        };
        let mode = if self == Self::Program { 0o755 } else { 0o644 };
        SimpleFileOptions::default()
            .compression_method(method)
            .unix_permissions(mode)
            // A little less than the format's own limit.
            .large_file(length >= 0xFFF0_0000)
    }
}

/// A pack that grows. Unless it is finished, nothing stays of it.
pub(crate) struct Place {
    out: PathBuf,
    target: Target,
    /// Path and hash of what is there.
    files: Vec<(String, String)>,
    bytes: u64,
    progress: Progress,
    finished: bool,
}

enum Target {
    /// Grows in [`PART`] of the folder, which may be a disk of its own.
    Folder {
        /// Whether it was made here.
        made: bool,
    },
    Zip {
        part: PathBuf,
        writer: Option<Box<ZipWriter<BufWriter<File>>>>,
    },
}

impl Place {
    /// A new or empty folder, or a new file that ends in `.zip`.
    pub(crate) fn new(out: &Path) -> Result<Self> {
        let is_zip = out.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("zip"));
        let refuse =
            |why: &str| Err(Failure::input(format_args!("--out {}: {why}", out.display())));
        let target = if is_zip {
            if out.exists() {
                return refuse("this is there already, so name another file or remove it");
            }
            let mut name = std::ffi::OsString::from(".");
            name.push(out.file_name().unwrap_or_default());
            name.push(format!(".{}.part", std::process::id()));
            let part = out.with_file_name(name);
            let file = File::create_new(&part).map_err(|error| unwritable(out, &error))?;
            let writer = Some(Box::new(ZipWriter::new(BufWriter::new(file))));
            Target::Zip { part, writer }
        } else {
            let made = !out.exists();
            if !made {
                let Ok(mut entries) = fs::read_dir(out) else {
                    return refuse("this is a file, so name a folder, or a file that ends in .zip");
                };
                if entries.next().is_some() {
                    return refuse("this folder is not empty, so name a new one or empty it");
                }
            }
            fs::create_dir_all(out.join(PART)).map_err(|error| unwritable(out, &error))?;
            Target::Folder { made }
        };
        Ok(Self {
            out: out.to_owned(),
            target,
            files: Vec::new(),
            bytes: 0,
            progress: Progress::new(),
            finished: false,
        })
    }

    /// Adds a file and tells its SHA-256.
    pub(crate) fn add(
        &mut self,
        path: &str,
        kind: Kind,
        from: impl Read,
        length: u64,
    ) -> Result<String> {
        let added = self.write(path, kind, from, length);
        let (hash, bytes) = added.map_err(|error| {
            let out = self.out.display();
            Failure::failed(format_args!(
                "{path} cannot be packed into {out}, so nothing was packed: {error}"
            ))
        })?;
        self.bytes += bytes;
        self.files.push((path.to_owned(), hash.clone()));
        Ok(hash)
    }

    pub(crate) fn add_text(&mut self, path: &str, text: &str) -> Result<()> {
        self.add(path, Kind::Page, text.as_bytes(), text.len() as u64).map(drop)
    }

    fn write(
        &mut self,
        path: &str,
        kind: Kind,
        from: impl Read,
        length: u64,
    ) -> io::Result<(String, u64)> {
        self.progress.now(format!("Packing {path}"));
        let progress = &mut self.progress;
        match &mut self.target {
            Target::Folder { .. } => {
                let path = self.out.join(PART).join(path);
                if let Some(folder) = path.parent() {
                    fs::create_dir_all(folder)?;
                }
                let mut file = File::create_new(&path)?;
                let written = copy(from, &mut file, length, progress)?;
                file.sync_all()?;
                if kind == Kind::Program {
                    may_be_run(&path);
                }
                Ok(written)
            }
            Target::Zip { writer, .. } => {
                let writer = writer.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
                writer.start_file(format!("{TOP}/{path}"), kind.options(length))?;
                copy(from, writer, length, progress)
            }
        }
    }

    /// Adds the list of what there is and puts all of it into its place. Tells how many bytes there are.
    pub(crate) fn finish(mut self) -> Result<u64> {
        let sums = sums::text(&mut self.files);
        self.add_text(sums::NAME, &sums)?;
        let out = self.out.clone();
        self.settle().map_err(|error| unwritable(&out, &error))?;
        self.finished = true;
        Ok(self.bytes)
    }

    fn settle(&mut self) -> io::Result<()> {
        match &mut self.target {
            Target::Folder { .. } => {
                let part = self.out.join(PART);
                for entry in fs::read_dir(&part)? {
                    let entry = entry?;
                    fs::rename(entry.path(), self.out.join(entry.file_name()))?;
                }
                fs::remove_dir(part)
            }
            Target::Zip { part, writer } => {
                let writer = writer.take().ok_or(io::ErrorKind::BrokenPipe)?;
                let file = writer.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
                file.sync_all()?;
                drop(file);
                fs::rename(part, &self.out)
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        // Why it came to this is told by another error.
        match &mut self.target {
            Target::Folder { made: true } => {
                let _gone = fs::remove_dir_all(&self.out);
            }
            Target::Folder { made: false } => {
                // It was empty, and all that is in it is ours.
                let tops = self.files.iter().filter_map(|(path, _)| path.split('/').next());
                for top in tops.chain([PART]) {
                    let path = self.out.join(top);
                    let _gone = fs::remove_dir_all(&path).or_else(|_| fs::remove_file(&path));
                }
            }
            Target::Zip { part, writer } => {
                drop(writer.take());
                let _gone = fs::remove_file(part);
            }
        }
    }
}

/// Copies to the end, which is about `total` bytes away; tells the SHA-256 and the length.
pub(crate) fn copy(
    mut from: impl Read,
    to: &mut impl Write,
    total: u64,
    progress: &mut Progress,
) -> io::Result<(String, u64)> {
    let mut hash = Sha256::new();
    let mut bytes = vec![0; 1 << 20];
    let mut length = 0;
    loop {
        match from.read(&mut bytes)? {
            0 => break,
            count => {
                hash.update(&bytes[..count]);
                to.write_all(&bytes[..count])?;
                length += count as u64;
                // Nobody cancels it but by ending the program.
                let _goes_on = block_on(progress.pause(length, total));
            }
        }
    }
    let hash = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok((hash, length))
}

/// Not every disk can tell, and those that cannot let everything be run.
fn may_be_run(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let _untold = fs::set_permissions(path, fs::Permissions::from_mode(0o755));
    }
    #[cfg(not(unix))]
    let _ = path;
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::failed(format_args!("{} cannot be written: {error}", path.display()))
}
