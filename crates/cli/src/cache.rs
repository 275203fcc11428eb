//! The folder of downloaded models, laid out as the hub's own client lays it out, so that what either
//! program has fetched is there for both:
//!
//! ```text
//! models--OWNER--NAME/blobs/ETAG                          bytes; ETAG.incomplete while they come
//! models--OWNER--NAME/snapshots/COMMIT/model.safetensors  a link to them
//! models--OWNER--NAME/refs/main                           a commit
//! models--OWNER--NAME/.relp/REVISION/FILE.json            what is known of them; this program's own
//! .locks/models--OWNER--NAME/ETAG.lock                    held by who writes the blob
//! ```

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use relp_hub::{Entry, ModelFile, ModelId, Record, Repo, Revision, Store, StoreError};

use crate::failure::{Failure, Result};

/// The folder, and what is open in it.
#[derive(Debug)]
pub(crate) struct Cache {
    root: PathBuf,
    /// The blob that grows.
    growing: Option<(PathBuf, File)>,
    /// The lock of the blob that grows.
    held: Option<(PathBuf, File)>,
}

/// A model whose files are all there.
#[derive(Debug)]
pub(crate) struct Found {
    /// The name and state under which they are kept.
    pub(crate) id: ModelId,
    pub(crate) folder: PathBuf,
}

impl Cache {
    /// The folder that the environment names, or the usual one.
    pub(crate) fn locate() -> Result<Self> {
        let root = root(|name| std::env::var_os(name).filter(|value| !value.is_empty()));
        let root = root.ok_or_else(|| {
            Failure::failed(
                "There is no home folder to keep models in: name one by the variable HF_HOME",
            )
        })?;
        Ok(Self::at(root))
    }

    pub(crate) fn at(root: PathBuf) -> Self {
        Self { root, growing: None, held: None }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Keeps other processes of this program from fetching the same model. Says so before it waits.
    pub(crate) fn lock(&self, repo: &Repo, waits: impl FnOnce()) -> io::Result<File> {
        let file = self.lock_file(repo, "relp")?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                waits();
                file.lock()?;
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
        Ok(file)
    }

    /// A model whose three files are there, under this name or one that the hub had for it before.
    pub(crate) fn find(&mut self, id: &ModelId) -> Option<Found> {
        let former = id.known.map(|known| known.aliases).unwrap_or_default();
        let former = former.iter().filter_map(|name| name.parse().ok());
        for repo in [id.repo.clone()].into_iter().chain(former) {
            for revision in [id.revision.clone(), Revision::main()] {
                let id = ModelId { repo: repo.clone(), revision, known: id.known };
                let file = |file| Entry { repo: repo.clone(), revision: id.revision.clone(), file };
                let there = ModelFile::ALL.map(|name| {
                    let entry = file(name);
                    self.read_record(&entry).is_some_and(|record| record.complete)
                        && self.snapshot(&entry).is_file()
                });
                if there == [true; 3] {
                    let folder = self.snapshot(&file(ModelFile::Config));
                    let folder = folder.parent().unwrap_or(&self.root).to_owned();
                    return Some(Found { id, folder });
                }
            }
        }
        None
    }

    /// All models of which something is here, in order.
    pub(crate) fn repos(&self) -> Vec<Repo> {
        let names = fs::read_dir(&self.root).into_iter().flatten().flatten();
        let mut repos: Vec<Repo> = names
            .filter_map(|entry| {
                let name = entry.file_name().into_string().ok()?;
                name.strip_prefix("models--")?.replace("--", "/").parse().ok()
            })
            .collect();
        repos.sort();
        repos
    }

    fn folder(&self, repo: &Repo) -> PathBuf {
        self.root.join(folder_name(repo))
    }

    fn lock_file(&self, repo: &Repo, name: &str) -> io::Result<File> {
        let folder = self.root.join(".locks").join(folder_name(repo));
        fs::create_dir_all(&folder)?;
        let path = folder.join(format!("{name}.lock"));
        File::options().create(true).write(true).truncate(false).open(path)
    }

    fn record_file(&self, entry: &Entry) -> PathBuf {
        let folder = self.folder(&entry.repo).join(".relp").join(entry.revision.as_str());
        folder.join(format!("{}.json", entry.file.name()))
    }

    /// The commit of a revision: itself, or the one that a reference names.
    fn commit(&self, repo: &Repo, revision: &Revision) -> Option<Revision> {
        if revision.is_commit() {
            return Some(revision.clone());
        }
        let file = self.folder(repo).join("refs").join(revision.as_str());
        fs::read_to_string(file).ok()?.trim().parse().ok()
    }

    /// Where a complete file is seen.
    fn snapshot(&self, entry: &Entry) -> PathBuf {
        let commit = self.commit(&entry.repo, &entry.revision);
        let commit = commit.unwrap_or_else(|| entry.revision.clone());
        let folder = self.folder(&entry.repo).join("snapshots").join(commit.as_str());
        folder.join(entry.file.name())
    }

    fn blob(&self, entry: &Entry, record: &Record) -> PathBuf {
        self.folder(&entry.repo).join("blobs").join(blob_name(entry, record))
    }

    fn incomplete(&self, entry: &Entry, record: &Record) -> PathBuf {
        let mut name = blob_name(entry, record);
        name.push_str(".incomplete");
        self.folder(&entry.repo).join("blobs").join(name)
    }

    /// Whether another revision has the same bytes.
    fn is_seen_elsewhere(&self, entry: &Entry, blob: &Path) -> bool {
        let seen = self.snapshot(entry);
        let folders = fs::read_dir(self.folder(&entry.repo).join("snapshots"));
        let folders = folders.into_iter().flatten().flatten().map(|folder| folder.path());
        let mut others = folders.map(|folder| folder.join(entry.file.name()));
        others.any(|other| other != seen && fs::canonicalize(&other).is_ok_and(|to| to == blob))
    }

    /// The record of an entry; one that the hub's own client has put there gets one from what is seen.
    fn read_record(&self, entry: &Entry) -> Option<Record> {
        let seen = self.snapshot(entry);
        let text = fs::read(self.record_file(entry)).ok();
        let own: Option<Record> = text.and_then(|text| serde_json::from_slice(&text).ok());
        if let Some(record) = own.filter(|record| !record.complete || seen.is_file()) {
            return Some(record);
        }
        let length = fs::metadata(&seen).ok().filter(fs::Metadata::is_file)?.len();
        let blob = fs::canonicalize(&seen).ok()?;
        let blob = blob.file_name()?.to_str()?.to_owned();
        let commit = self.commit(&entry.repo, &entry.revision).map(String::from);
        Some(Record {
            linked_etag: Some(blob).filter(|name| name != entry.file.name()),
            commit,
            length: Some(length),
            complete: true,
            ..Record::default()
        })
    }

    /// The file that holds the bytes of an entry, which may not be there.
    fn bytes_of(&self, entry: &Entry) -> Option<PathBuf> {
        let record = self.read_record(entry)?;
        Some(if record.complete { self.snapshot(entry) } else { self.incomplete(entry, &record) })
    }

    /// Puts an entry into its place: from now on, both programs see it.
    fn complete(&mut self, entry: &Entry, record: &Record) -> io::Result<()> {
        let (from, blob) = (self.incomplete(entry, record), self.blob(entry, record));
        if let Some((_, file)) = self.growing.take() {
            file.sync_all()?;
        }
        if !from.exists() {
            // It was complete before, or it has no bytes.
            if self.snapshot(entry).is_file() {
                return self.write_record(entry, record);
            }
            fs::write(&from, [])?;
        }
        fs::rename(&from, &blob)?;
        if !entry.revision.is_commit() {
            let commit = record.commit.as_deref().and_then(|commit| commit.parse().ok());
            let commit: Revision = commit.unwrap_or_else(|| entry.revision.clone());
            let refs = self.folder(&entry.repo).join("refs");
            fs::create_dir_all(&refs)?;
            fs::write(refs.join(entry.revision.as_str()), commit.as_str())?;
        }
        let seen = self.snapshot(entry);
        if let Some(folder) = seen.parent() {
            fs::create_dir_all(folder)?;
        }
        remove_file(&seen)?;
        show(&blob, &seen)?;
        self.write_record(entry, record)?;
        self.held = None;
        Ok(())
    }

    /// Takes the lock by which the hub's own client guards the blob.
    fn hold(&mut self, entry: &Entry, record: &Record) -> std::result::Result<(), StoreError> {
        let blob = self.blob(entry, record);
        if self.held.as_ref().is_some_and(|(held, _)| *held == blob) {
            return Ok(());
        }
        let file = self.lock_file(&entry.repo, &blob_name(entry, record)).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => self.held = Some((blob, file)),
            Err(TryLockError::WouldBlock) => {
                let why = "another program is fetching it into the same folder".to_owned();
                return Err(StoreError::Failed(why));
            }
            // Not every file system has locks.
            Err(TryLockError::Error(_)) => {}
        }
        Ok(())
    }

    /// Writes a record beside its place and then moves it there.
    fn write_record(&self, entry: &Entry, record: &Record) -> io::Result<()> {
        let path = self.record_file(entry);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let text = serde_json::to_vec_pretty(record).map_err(io::Error::other)?;
        let part = path.with_extension("part");
        fs::write(&part, text)?;
        fs::rename(part, path)
    }

    fn append_to(&mut self, path: PathBuf, bytes: &[u8]) -> io::Result<()> {
        let file = match &mut self.growing {
            Some((growing, file)) if *growing == path => file,
            growing => {
                if let Some(folder) = path.parent() {
                    fs::create_dir_all(folder)?;
                }
                let file = File::options().create(true).append(true).open(&path)?;
                &mut growing.insert((path, file)).1
            }
        };
        let before = file.metadata()?.len();
        let written = file.write_all(bytes);
        if written.is_err() {
            // Half a piece is taken back, so that what is there is what was said to be there.
            let _kept = file.set_len(before);
        }
        written
    }
}

impl Store for Cache {
    async fn record(&mut self, entry: &Entry) -> Result<Option<Record>, StoreError> {
        Ok(self.read_record(entry))
    }

    async fn set_record(&mut self, entry: &Entry, record: &Record) -> Result<(), StoreError> {
        if record.complete {
            return self.complete(entry, record).map_err(failed);
        }
        self.hold(entry, record)?;
        // What is there may have grown under another name, by the word of another server.
        let grown = self.read_record(entry).filter(|former| !former.complete);
        if let Some(from) = grown.map(|former| self.incomplete(entry, &former)) {
            let to = self.incomplete(entry, record);
            if from != to && from.exists() {
                self.growing = None;
                fs::rename(from, to).map_err(failed)?;
            }
        }
        self.write_record(entry, record).map_err(failed)
    }

    async fn len(&mut self, entry: &Entry) -> Result<u64, StoreError> {
        let path = self.bytes_of(entry);
        Ok(path.and_then(|path| fs::metadata(path).ok()).map_or(0, |data| data.len()))
    }

    async fn append(&mut self, entry: &Entry, bytes: &[u8]) -> Result<(), StoreError> {
        if let Some((path, _)) = &self.growing
            && self.held.as_ref().is_some_and(|(blob, _)| is_of(path, blob))
        {
            let path = path.clone();
            return self.append_to(path, bytes).map_err(failed);
        }
        let record = self.read_record(entry);
        let record = record.ok_or_else(|| StoreError::Failed("it has no record".to_owned()))?;
        self.append_to(self.incomplete(entry, &record), bytes).map_err(failed)
    }

    async fn read(&mut self, entry: &Entry, range: Range<u64>) -> Result<Vec<u8>, StoreError> {
        let read = || -> io::Result<Vec<u8>> {
            let path = self.bytes_of(entry).ok_or(io::ErrorKind::NotFound)?;
            let mut file = File::open(path)?;
            let length = usize::try_from(range.end - range.start).map_err(io::Error::other)?;
            let mut bytes = vec![0; length];
            file.seek(SeekFrom::Start(range.start))?;
            file.read_exact(&mut bytes)?;
            Ok(bytes)
        };
        read().map_err(failed)
    }

    async fn remove(&mut self, entry: &Entry) -> Result<(), StoreError> {
        let Some(record) = self.read_record(entry) else { return Ok(()) };
        self.growing = None;
        let seen = self.snapshot(entry);
        let mut gone = vec![self.incomplete(entry, &record)];
        if record.complete {
            // Only what lies among the blobs: a link may lead anywhere.
            let blobs = fs::canonicalize(self.folder(&entry.repo).join("blobs")).ok();
            let linked = fs::canonicalize(&seen).ok();
            let linked = linked.filter(|blob| blobs.is_some_and(|blobs| blob.starts_with(blobs)));
            // Where there are no links, what is seen is a file of its own.
            let blob = linked.or_else(|| fs::canonicalize(self.blob(entry, &record)).ok());
            gone.extend(blob.filter(|blob| !self.is_seen_elsewhere(entry, blob)));
            gone.push(seen);
        }
        gone.push(self.record_file(entry));
        gone.iter().try_for_each(|path| remove_file(path)).map_err(failed)
    }

    async fn list(&mut self) -> Result<Vec<Entry>, StoreError> {
        let mut entries = Vec::new();
        for repo in self.repos() {
            let mut revisions = vec![Revision::main()];
            for folder in ["snapshots", ".relp"] {
                let names = fs::read_dir(self.folder(&repo).join(folder)).into_iter().flatten();
                let names =
                    names.flatten().filter_map(|entry| entry.file_name().into_string().ok());
                revisions.extend(names.filter_map(|name| name.parse::<Revision>().ok()));
            }
            revisions.sort();
            revisions.dedup();
            for revision in revisions {
                let entry = |file| Entry { repo: repo.clone(), revision: revision.clone(), file };
                let all = ModelFile::ALL.map(entry).into_iter();
                entries.extend(all.filter(|entry| self.read_record(entry).is_some()));
            }
        }
        Ok(entries)
    }
}

/// Where models are kept, by the variables that the hub's own client knows.
fn root(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    for name in ["HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"] {
        if let Some(folder) = variable(name) {
            return Some(folder.into());
        }
    }
    let home = || variable("HOME").or_else(|| variable("USERPROFILE")).map(PathBuf::from);
    let cache =
        || variable("XDG_CACHE_HOME").map(PathBuf::from).or_else(|| Some(home()?.join(".cache")));
    let hub = variable("HF_HOME").map(PathBuf::from).or_else(|| Some(cache()?.join("huggingface")));
    Some(hub?.join("hub"))
}

fn folder_name(repo: &Repo) -> String {
    format!("models--{}", repo.as_str().replace('/', "--"))
}

/// The name of a blob: the hub's for the bytes, if it is fit to be a file's name.
fn blob_name(entry: &Entry, record: &Record) -> String {
    let plain = |tag: &str| {
        let tag = tag.trim_start_matches("W/").trim_matches('"').to_owned();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        ((1..=128).contains(&tag.len()) && tag.chars().all(is_plain)).then_some(tag)
    };
    let tags = [&record.linked_etag, &record.etag];
    let name = tags.into_iter().flatten().find_map(|tag| plain(tag));
    name.unwrap_or_else(|| format!("relp-{}-{}", entry.revision, entry.file.name()))
}

fn is_of(incomplete: &Path, blob: &Path) -> bool {
    incomplete.file_stem() == blob.file_name() && incomplete.parent() == blob.parent()
}

/// Makes a blob seen in a snapshot: by a link, or where there are none, by a copy.
fn show(blob: &Path, seen: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        let name = blob.file_name().unwrap_or_default();
        let way = Path::new("..").join("..").join("blobs").join(name);
        if std::os::unix::fs::symlink(way, seen).is_ok() {
            return Ok(());
        }
    }
    fs::hard_link(blob, seen).or_else(|_| fs::copy(blob, seen).map(drop))
}

fn remove_file(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[allow(clippy::needless_pass_by_value, reason = "`map_err` hands errors over by value")]
fn failed(error: io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            StoreError::Full(error.to_string())
        }
        _ => StoreError::Failed(error.to_string()),
    }
}
