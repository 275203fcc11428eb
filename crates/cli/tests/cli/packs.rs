//! `relp pack`: the folder and the ZIP file, whether they are what they were, and what is refused.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use relp_tests::faulty_hub::FaultyHub;
use serde_json::{Value, json};
use zip::{CompressionMethod, ZipArchive};

use crate::program::{PRIMER, at_home, folder, path, stderr, stdout};

const NAME: &str = "someone/their-gpt2";
const FILES: [&str; 3] = ["config.json", "tokenizer.json", "model.safetensors"];

/// Where the page asks for the weights.
pub(crate) const WEIGHTS: &str = "models/hub/someone/their-gpt2/resolve/main/model.safetensors";

/// A page, and a home that keeps a model.
pub(crate) struct Place {
    root: PathBuf,
}

impl Place {
    pub(crate) fn new(name: &str) -> Self {
        let place = Self { root: folder(name) };
        let page = [
            ("index.html", "<!doctype html><title>page</title>"),
            ("sw.js", "const FILES = {};"),
            ("models/here.json", r#"{"format":"relp-models/1","models":["of/another-pack"]}"#),
            ("models/hub/of/another-pack/resolve/main/config.json", "{}"),
            ("models/primer/config.json", "{}"),
            ("standalone/playground.html", "<!doctype html><title>one file</title>"),
            (".hidden", "of the system"),
        ];
        for (name, text) in page {
            let file = place.path("page").join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        let hub = FaultyHub::start().unwrap();
        for file in FILES {
            hub.add(NAME, file, fs::read(Path::new(PRIMER).join(file)).unwrap());
        }
        let mut get = place.command(&["model", "get", NAME]);
        let output = get.env("HF_ENDPOINT", hub.url()).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    fn command(&self, args: &[&str]) -> Command {
        // Nobody is there: what asks a hub fails.
        let mut command = at_home(&self.path("home"), "http://127.0.0.1:9", args);
        command.current_dir(&self.root);
        command
    }

    fn relp(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    fn answer(&self, args: &[&str]) -> String {
        let output = self.relp(args);
        assert_eq!(output.status.code(), Some(0), "{args:?}: {}", stderr(&output));
        stdout(&output)
    }

    pub(crate) fn pack(&self, out: &str) -> Value {
        let args = ["pack", "--models", NAME, "--app", "page", "--out", out];
        serde_json::from_str(&self.answer(&args)).unwrap()
    }

    fn fails(&self, args: &[&str], status: i32, parts: &[&str]) {
        let output = self.relp(args);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(status), "{args:?}: {said}");
        assert_eq!(stdout(&output), "", "{args:?}");
        assert!(said.starts_with("relp: ") && said.trim_end().ends_with('.'), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        for part in parts {
            assert!(said.contains(part), "{args:?}: {part:?} in {said}");
        }
    }

    /// Everything in the folder, hidden or not.
    fn names(&self, name: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(name)).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }
}

fn program() -> String {
    format!("relp{}", std::env::consts::EXE_SUFFIX)
}

#[test]
fn a_pack_has_page_models_program_and_list() {
    let place = Place::new("pack-folder");
    let made = place.pack("stick");
    assert_eq!((&made["out"], &made["models"]), (&json!("stick"), &json!([NAME])));
    let own = program();
    assert_eq!(place.names("stick"), ["SHA256SUMS", "START.html", "app", &own]);
    let app = place.path("stick/app");
    for file in FILES {
        let packed = app.join("models/hub/someone/their-gpt2/resolve/main").join(file);
        let same = fs::read(packed).unwrap() == fs::read(Path::new(PRIMER).join(file)).unwrap();
        assert!(same, "{file}");
    }
    let here: Value =
        serde_json::from_slice(&fs::read(app.join("models/here.json")).unwrap()).unwrap();
    assert_eq!(here, json!({ "format": "relp-models/1", "models": [NAME] }));
    assert!(app.join("models/primer/config.json").is_file());
    assert!(!app.join("models/hub/of").exists() && !app.join(".hidden").exists());
    let start = fs::read_to_string(place.path("stick/START.html")).unwrap();
    for part in ["app/standalone/playground.html", NAME, "./relp serve", "relp.exe serve"] {
        assert!(start.contains(part), "{part} in {start}");
    }
    // The program is one that runs.
    let packed = place.path("stick").join(own);
    let version = Command::new(&packed).arg("--version").output().unwrap();
    assert!(stdout(&version).starts_with("relp "));
    let check = ["pack", "--check", "."];
    let check =
        Command::new(&packed).args(check).current_dir(place.path("stick")).output().unwrap();
    assert!(stdout(&check).starts_with("All "), "{}", stderr(&check));

    // A pack makes another one, with itself as the page.
    let args = ["pack", "--out", "../second"];
    let again = Command::new(&packed).args(args).current_dir(place.path("stick")).output().unwrap();
    assert_eq!(again.status.code(), Some(0), "{}", stderr(&again));
    assert!(place.path("second/app/index.html").is_file());
    assert!(!place.path("second/app/models/hub").exists());

    // An empty folder may be there, and is used.
    fs::create_dir(place.path("empty")).unwrap();
    place.pack("empty");
    assert_eq!(place.names("empty"), place.names("stick"));
}

#[test]
fn what_is_not_as_it_was_is_named() {
    let place = Place::new("pack-check");
    place.pack("stick");
    assert!(place.answer(&["pack", "--check", "stick"]).starts_with("All 10 files in stick are"));
    let weights = place.path("stick/app").join(WEIGHTS);
    let mut bytes = fs::read(&weights).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&weights, &bytes).unwrap();
    let named = format!("app/{WEIGHTS} is not what it was");
    place.fails(&["pack", "--check", "stick"], 1, &[&named, "copy the folder again"]);
    bytes[middle] ^= 1;
    fs::write(&weights, &bytes).unwrap();
    fs::remove_file(place.path("stick/app/sw.js")).unwrap();
    fs::write(place.path("stick/app/virus.exe"), "").unwrap();
    // Systems put such files everywhere.
    fs::write(place.path("stick/app/.DS_Store"), "").unwrap();
    let parts = ["app/sw.js is missing", "app/virus.exe is not in the list"];
    place.fails(&["pack", "--check", "stick"], 1, &parts);
    let output = place.relp(&["pack", "--check", "stick"]);
    assert!(!stderr(&output).contains("safetensors") && !stderr(&output).contains("DS_Store"));
    place.fails(&["pack", "--check", "page"], 2, &["page is no folder that `relp pack` has made"]);
    fs::write(place.path("stick/SHA256SUMS"), "../../etc/passwd\n").unwrap();
    place.fails(&["pack", "--check", "stick"], 2, &["no list of hashes"]);
}

#[test]
fn the_list_is_one_that_sha256sum_reads() {
    let place = Place::new("pack-sums");
    place.pack("stick");
    let check = Command::new("sha256sum")
        .args(["--check", "--strict", "--quiet", "SHA256SUMS"])
        .current_dir(place.path("stick"))
        .output();
    match check {
        Ok(output) => assert_eq!(output.status.code(), Some(0), "{}", stderr(&output)),
        // Not every system has it; what the list looks like is tested in the program as well.
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::NotFound),
    }
}

#[test]
fn a_zip_file_holds_the_same_as_the_folder() {
    let place = Place::new("pack-zip");
    place.pack("stick");
    place.pack("stick.zip");
    assert_eq!(place.names("."), ["home", "page", "stick", "stick.zip"]);
    let mut zip = ZipArchive::new(File::open(place.path("stick.zip")).unwrap()).unwrap();
    let weights = zip.by_name(&format!("relp-playground/app/{WEIGHTS}")).unwrap();
    assert_eq!(weights.compression(), CompressionMethod::Stored);
    drop(weights);
    let own = zip.by_name(&format!("relp-playground/{}", program())).unwrap();
    assert_eq!(own.unix_mode().map(|mode| mode & 0o777), Some(0o755));
    drop(own);
    for at in 0..zip.len() {
        let mut file = zip.by_index(at).unwrap();
        let name = file.name().unwrap().strip_prefix("relp-playground/").unwrap().to_owned();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        assert!(bytes == fs::read(place.path("stick").join(&name)).unwrap(), "{name}");
    }
    zip.extract(place.path("opened")).unwrap();
    place.answer(&["pack", "--check", path(&place.path("opened/relp-playground"))]);
}

#[test]
fn what_cannot_be_packed_is_refused_and_nothing_stays() {
    let place = Place::new("pack-refused");
    let before = place.names(".");
    let with = |more: &[&'static str]| [&["pack", "--out", "stick"], more].concat();
    let page = ["--app", "page"];
    place.fails(&["pack", "--models", "gpt2"], 2, &["needs a place", "--out DIR"]);
    place.fails(&with(&[]), 2, &["no built page in dist/", "cargo xtask dist", "--app"]);
    place.fails(&with(&["--app", "home"]), 2, &["no built page in home", "cargo xtask dist"]);
    let absent = ["GPT-2 small is not kept here", "relp model get gpt2"];
    place.fails(&with(&[&page[..], &["--models", "gpt2"]].concat()), 2, &absent);
    let both = [&page[..], &["--models", "someone/their-gpt2,gpt9"]].concat();
    place.fails(&with(&both), 2, &["gpt9", "OWNER/NAME"]);
    place.fails(&with(&["--fast"]), 2, &["--fast", "relp pack --help"]);
    place.fails(&with(&["--check", "stick"]), 2, &["--check stands alone"]);
    place.fails(&["pack", "--app", "page", "--out", "home"], 2, &["not empty"]);
    fs::write(place.path("file"), "").unwrap();
    place.fails(&["pack", "--app", "page", "--out", "file"], 2, &["this is a file"]);
    fs::write(place.path("file.zip"), "").unwrap();
    place.fails(&["pack", "--app", "page", "--out", "file.zip"], 2, &["there already"]);
    let nowhere = ["pack", "--app", "page", "--out", "no/where.zip"];
    place.fails(&nowhere, 1, &["no/where.zip cannot be written"]);
    for file in ["file", "file.zip"] {
        fs::remove_file(place.path(file)).unwrap();
    }

    // What went bad in the cache is found while it is copied.
    let blobs = fs::read_dir(place.path("home/hub/models--someone--their-gpt2/blobs")).unwrap();
    let blobs = blobs.map(|blob| blob.unwrap().path());
    let weights = blobs.max_by_key(|blob| blob.metadata().unwrap().len()).unwrap();
    let mut bytes = fs::read(&weights).unwrap();
    bytes[1000] ^= 1;
    fs::write(&weights, bytes).unwrap();
    fs::create_dir(place.path("empty")).unwrap();
    for out in ["stick", "stick.zip", "empty"] {
        let args = ["pack", "--models", NAME, "--app", "page", "--out", out];
        place.fails(&args, 1, &["model.safetensors", "damaged", "nothing was packed"]);
    }
    assert_eq!(place.names("empty"), [] as [&str; 0]);
    fs::remove_dir(place.path("empty")).unwrap();
    assert_eq!(place.names("."), before);
    assert!(place.answer(&["pack", "--help"]).contains("--check DIR"));
    assert_eq!(place.answer(&["help", "pack"]), place.answer(&["pack"]));
}
