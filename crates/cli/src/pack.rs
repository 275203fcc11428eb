//! `relp pack`: page, models and this program in one folder, for places without a network.

mod place;
mod start;
mod sums;

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use lexopt::{Arg, Parser, ValueExt};
use pollster::block_on;
use relp_hub::here::{self, FOLDER, LIST};
use relp_hub::preflight::Bytes;
use relp_hub::{ModelFile, ModelId, Store, Wanted};
use serde::Serialize;

use crate::cache::Cache;
use crate::failure::{Failure, Result};
use crate::models;
use crate::output::{Out, note};
use crate::pack::place::{Kind, Place};
use crate::serve;

pub(crate) const HELP: &str = "\
relp pack --out DIR [OPTIONS]
relp pack --check DIR

Makes a folder for a USB stick or another machine: the page, models, this program, and START.html,
which says how to begin. `relp serve DIR` serves it, to a whole room too. OPTIONS are

  --out DIR               the folder, which must be new or empty; or a file that ends in .zip
  --models A,B            models that `relp model get` has fetched, as in distilgpt2,gpt2 (default
                          none; the bundled model is there in any case)
  --app DIR               the built page (default dist/ in the current folder, or app/ beside this
                          program)
  --check DIR             instead: whether every file of such a folder is what it was
";

/// Where the page and the models are in a pack.
const APP: &str = "app";

/// The page of one file.
const PLAYGROUND: &str = "standalone/playground.html";

/// What is asked of `relp pack`.
#[derive(Debug)]
pub(crate) enum Ask {
    Make { models: Vec<String>, app: Option<PathBuf>, out: PathBuf },
    Check(PathBuf),
}

/// Reads the arguments after `pack`; `None` is its help.
pub(crate) fn parse(parser: &mut Parser) -> Result<Option<Ask>> {
    let (mut models, mut app, mut out, mut check) = (Vec::new(), None, None, None);
    let mut empty = true;
    while let Some(arg) = parser.next()? {
        empty = false;
        let unknown = match arg {
            Arg::Long("help") | Arg::Short('h') => return Ok(None),
            Arg::Long("models") => {
                let text = value(parser, "models")?.string();
                let text =
                    text.map_err(|_| Failure::input("The value of --models is not UTF-8 text"))?;
                let names = text.split([',', ' ']).filter(|name| !name.is_empty());
                models.extend(names.map(str::to_owned));
                continue;
            }
            Arg::Long("app") => {
                app = Some(value(parser, "app")?.into());
                continue;
            }
            Arg::Long("out") => {
                out = Some(PathBuf::from(value(parser, "out")?));
                continue;
            }
            Arg::Long("check") => {
                check = Some(PathBuf::from(value(parser, "check")?));
                continue;
            }
            Arg::Long(other) => format!("--{other}"),
            Arg::Short(other) => format!("-{other}"),
            Arg::Value(other) => other.to_string_lossy().into_owned(),
        };
        return Err(Failure::input(format_args!(
            "`relp pack` does not take `{unknown}`: `relp pack --help` lists what it takes"
        )));
    }
    match (out, check) {
        (None, None) if empty => Ok(None),
        (Some(out), None) => Ok(Some(Ask::Make { models, app, out })),
        (None, Some(folder)) if models.is_empty() && app.is_none() => Ok(Some(Ask::Check(folder))),
        (None, None) => Err(Failure::input(
            "`relp pack` needs a place for what it makes: name a new folder with --out DIR",
        )),
        _ => Err(Failure::input("--check stands alone: check a folder once it is made")),
    }
}

fn value(parser: &mut Parser, option: &str) -> Result<OsString> {
    parser.value().map_err(|_| Failure::input(format_args!("--{option} needs a value after it")))
}

pub(crate) fn run(ask: &Ask) -> Result<()> {
    match ask {
        Ask::Make { models, app, out } => make(models, app.as_deref(), out),
        Ask::Check(folder) => sums::check(folder),
    }
}

/// A model that is to be packed.
struct Model {
    id: ModelId,
    files: Vec<Source>,
}

/// A file of it.
struct Source {
    file: ModelFile,
    path: PathBuf,
    length: u64,
    sha256: Option<String>,
}

impl Model {
    /// One that is kept whole.
    fn find(cache: &mut Cache, name: &str) -> Result<Self> {
        let id = models::id(name)?;
        let found = cache.find(&id).ok_or_else(|| {
            let title = id.known.map_or(id.repo.as_str(), |known| known.title);
            Failure::input(format_args!(
                "{title} is not kept here, or not all of it: `relp model get {name}` fetches it"
            ))
        })?;
        let files = ModelFile::ALL.into_iter().map(|file| {
            let path = found.folder.join(file.name());
            let length = fs::metadata(&path).map_err(|error| unreadable(&path, &error))?.len();
            // What is known by name, else what was recorded when it came.
            let record = block_on(cache.record(&Wanted::of(&found.id, file).entry()));
            let recorded = record.ok().flatten().and_then(|record| record.expected_sha256());
            let sha256 = id.expected(file).sha256.or(recorded);
            Ok(Source { file, path, length, sha256 })
        });
        Ok(Self { files: files.collect::<Result<_>>()?, id })
    }

    fn title(&self) -> &str {
        self.id.known.map_or(self.id.repo.as_str(), |known| known.title)
    }

    fn bytes(&self) -> u64 {
        self.files.iter().map(|source| source.length).sum()
    }

    /// Where a hub has its files, from the page: what [`relp_hub::Mirrors`] asks for.
    fn folder(&self) -> String {
        format!("{FOLDER}/{}/resolve/{}", self.id.repo, self.id.revision)
    }
}

/// What was made.
#[derive(Serialize)]
struct Packed<'a> {
    out: &'a Path,
    models: Vec<&'a str>,
    bytes: u64,
}

fn make(names: &[String], app: Option<&Path>, out: &Path) -> Result<()> {
    let app = find_app(app)?;
    let mut models: Vec<Model> = Vec::new();
    if !names.is_empty() {
        let mut cache = Cache::locate()?;
        for name in names {
            let model = Model::find(&mut cache, name)?;
            if models.iter().all(|other| other.id != model.id) {
                models.push(model);
            }
        }
    }
    let mut place = Place::new(out)?;
    pages(&mut place, &app, "")?;
    for model in &models {
        for source in &model.files {
            let path = format!("{APP}/{}/{}", model.folder(), source.file.name());
            let file = open(&source.path)?;
            let hash = place.add(&path, Kind::of_model(source.file), file, source.length)?;
            if source.sha256.as_ref().is_some_and(|expected| *expected != hash) {
                let (file, repo) = (source.file.name(), &model.id.repo);
                return Err(Failure::failed(format_args!(
                    "The stored {file} of {repo} is damaged, so nothing was packed: `relp model remove \
                     {repo}` and `relp model get {repo}` fetch it anew"
                )));
            }
        }
    }
    let repos: Vec<&str> = models.iter().map(|model| model.id.repo.as_str()).collect();
    let here = here::write(models.iter().map(|model| model.id.repo.clone()).collect());
    place.add_text(&format!("{APP}/{LIST}"), &here)?;
    program(&mut place)?;
    let start = start::page(&start::Contents {
        models: models.iter().map(|model| (model.title(), model.folder(), model.bytes())).collect(),
        playground: app.join(PLAYGROUND).is_file(),
        teaching: app.join("docs/teaching.html").is_file(),
    });
    place.add_text("START.html", &start)?;
    let bytes = place.finish()?;
    let packed = Packed { out, models: repos, bytes };
    Out::default().give(&packed, || {
        let models = match packed.models.len() {
            0 => "no other model than the bundled one".to_owned(),
            _ => packed.models.join(", "),
        };
        let out = out.display();
        format!("{out} has the page and {models} ({}); begin with START.html.\n", Bytes(bytes))
    })
}

/// The built page: the named one, that of the repository, or that of the pack which this program is in.
fn find_app(named: Option<&Path>) -> Result<PathBuf> {
    let what = "`cargo xtask dist` and `cargo xtask build` make one, and --app DIR names it";
    if let Some(folder) = named {
        return Some(folder.to_owned()).filter(|folder| serve::is_page(folder)).ok_or_else(|| {
            Failure::input(format_args!("There is no built page in {}: {what}", folder.display()))
        });
    }
    let own = serve::own_folder().map(|folder| folder.join(APP));
    let mut usual = [Some(PathBuf::from("dist")), own].into_iter().flatten();
    usual.find(|folder| serve::is_page(folder)).ok_or_else(|| {
        Failure::input(format_args!(
            "There is no built page in dist/ of the current folder: {what}"
        ))
    })
}

/// Adds the files of the page that are in a folder of it.
fn pages(place: &mut Place, app: &Path, folder: &str) -> Result<()> {
    let path = app.join(folder);
    let entries = fs::read_dir(&path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let mut entries = entries.map_err(|error| unreadable(&path, &error))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let Ok(name) = entry.file_name().into_string() else {
            let path = path.display();
            return Err(Failure::input(format_args!(
                "{path} is no part of a page, because its name is not UTF-8: build the page anew"
            )));
        };
        let within = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        // What another pack had of models, and what no server shows.
        if within == LIST || within == FOLDER || name.starts_with('.') {
            continue;
        }
        let kind = entry.file_type().map_err(|error| unreadable(&path, &error))?;
        if kind.is_dir() {
            pages(place, app, &within)?;
        } else if kind.is_file() {
            let file = open(&path)?;
            let length = file.metadata().map_err(|error| unreadable(&path, &error))?.len();
            place.add(&format!("{APP}/{within}"), Kind::Page, file, length)?;
        } else {
            let path = path.display();
            return Err(Failure::input(format_args!(
                "{path} is no file, but a link or a device: put the file itself there"
            )));
        }
    }
    Ok(())
}

/// Adds this program.
fn program(place: &mut Place) -> Result<()> {
    let own = env::current_exe().map_err(|error| {
        Failure::failed(format_args!("This program cannot find itself: {error}"))
    })?;
    let file = open(&own)?;
    let length = file.metadata().map_err(|error| unreadable(&own, &error))?.len();
    place.add(&format!("relp{}", env::consts::EXE_SUFFIX), Kind::Program, file, length)?;
    if cfg!(debug_assertions) {
        note("This is a slow build of the program; one made with --release is better to pass on.");
    }
    Ok(())
}

fn open(path: &Path) -> Result<File> {
    File::open(path).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::input(format_args!("{} cannot be read: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use relp_hub::Known;

    use super::*;

    #[test]
    fn models_lie_where_the_page_asks_a_hub_for_them() {
        let of = |name| Model { id: ModelId::from_name(name).unwrap(), files: Vec::new() }.folder();
        let revision = Known::find("gpt2").unwrap().revision;
        assert_eq!(of("gpt2"), format!("models/hub/openai-community/gpt2/resolve/{revision}"));
        assert_eq!(of("someone/their-gpt2"), "models/hub/someone/their-gpt2/resolve/main");
    }

    #[test]
    fn the_help_names_what_it_takes() {
        let words = ["--out", "--models", "--app", "--check"];
        assert!(words.iter().all(|word| HELP.contains(word)));
        assert!(HELP.lines().all(|line| line.chars().count() <= 100));
    }
}
