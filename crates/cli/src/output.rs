//! Where answers go. A file is there whole or not at all.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::failure::{Failure, Result};

/// Where the answer is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Out {
    /// On standard output: a table for a person, JSON for a program.
    #[default]
    Fitting,
    /// JSON on standard output.
    Stdout,
    /// In a file.
    File(PathBuf),
}

impl Out {
    pub(crate) fn from_arg(value: OsString) -> Self {
        if value == "-" { Self::Stdout } else { Self::File(value.into()) }
    }

    /// Finds out before the work whether its result will have a place.
    pub(crate) fn check(&self) -> Result<()> {
        let Self::File(path) = self else { return Ok(()) };
        let refuse =
            |why: &str| Err(Failure::input(format_args!("--out {}: {why}", path.display())));
        if path.is_dir() {
            return refuse("this is a folder, so name a file in it");
        }
        if path.file_name().is_none() {
            return refuse("this names no file");
        }
        if !folder(path).is_dir() {
            return refuse("its folder does not exist, so create it first or name another");
        }
        Ok(())
    }

    /// Gives an answer: as JSON, or as the text that a person reads on a terminal.
    pub(crate) fn give(&self, json: &impl Serialize, text: impl FnOnce() -> String) -> Result<()> {
        if *self == Self::Fitting && io::stdout().is_terminal() {
            return print(&text());
        }
        let mut json = serde_json::to_string(json).map_err(|error| {
            Failure::failed(format_args!("The answer cannot be written as JSON: {error}"))
        })?;
        json.push('\n');
        self.give_text(&json)
    }

    /// Gives an answer that has one form only.
    pub(crate) fn give_text(&self, text: &str) -> Result<()> {
        match self {
            Self::Fitting | Self::Stdout => print(text),
            Self::File(_) => self.give_bytes(text.as_bytes()),
        }
    }

    /// Gives an answer that need not be text. On a terminal it would only do harm.
    pub(crate) fn give_bytes(&self, bytes: &[u8]) -> Result<()> {
        match self {
            Self::Fitting if io::stdout().is_terminal() && str::from_utf8(bytes).is_err() => {
                Err(Failure::input("This is no text for a terminal: name a file with --out FILE"))
            }
            Self::Fitting | Self::Stdout => print_bytes(bytes),
            Self::File(path) => write(path, bytes).map_err(|error| {
                Failure::failed(format_args!("{} cannot be written: {error}", path.display()))
            }),
        }
    }
}

/// Writes to standard output.
pub(crate) fn print(text: &str) -> Result<()> {
    print_bytes(text.as_bytes())
}

fn print_bytes(bytes: &[u8]) -> Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).map_err(|error| Failure::of_stdout(&error))
}

/// Says something beside the answer.
pub(crate) fn note(text: &str) {
    let _unheard = writeln!(io::stderr().lock(), "relp: note: {text}");
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Writes a file beside its place and then moves it there.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // A link keeps pointing, and a device or pipe must not be replaced by a file.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if fs::metadata(&path).is_ok_and(|there| !there.is_file()) {
        return File::options().write(true).open(&path)?.write_all(bytes);
    }
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.part", std::process::id()));
    let part = folder(&path).join(name);
    let written = File::create_new(&part).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    let moved = written.and_then(|()| fs::rename(&part, &path));
    if moved.is_err() {
        // The first error is the one to tell.
        let _gone = fs::remove_file(&part);
    }
    moved
}
