//! Files in the Origin Private File System.
//!
//! `models/OWNER--NAME/REVISION/FILE` holds the bytes of an entry, `FILE.json` its record.

use std::ops::Range;

use js_sys::{Reflect, Uint8Array};
use relp_hub::{Entry, ModelFile, Record, Repo, Store, StoreError};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    Blob, FileSystemDirectoryHandle, FileSystemFileHandle, FileSystemGetDirectoryOptions,
    FileSystemGetFileOptions, FileSystemReadWriteOptions, FileSystemRemoveOptions,
    FileSystemSyncAccessHandle,
};

use crate::js;

/// The folder of all models.
pub(crate) struct Opfs {
    models: FileSystemDirectoryHandle,
    /// The entry that is being written.
    open: Option<(Entry, FileSystemSyncAccessHandle)>,
}

impl Opfs {
    /// The folder, if the browser has one that files can be written into.
    pub(crate) async fn open() -> Option<Self> {
        let storage = js::navigator().storage();
        let has = |of: &JsValue, name: &str| Reflect::has(of, &name.into()).unwrap_or(false);
        if !has(storage.as_ref(), "getDirectory") {
            return None;
        }
        let root: FileSystemDirectoryHandle =
            js::done(storage.get_directory()).await.ok()?.unchecked_into();
        let models = folder(&root, "models", true).await.ok()?;
        // Some browsers have the folder, and no way to write into a file.
        let trial = file(&models, "trial", true).await.ok()?;
        if !has(trial.as_ref(), "createSyncAccessHandle") {
            return None;
        }
        Some(Self { models, open: None })
    }

    async fn folder(
        &self,
        entry: &Entry,
        create: bool,
    ) -> Result<FileSystemDirectoryHandle, JsValue> {
        let repo = folder(&self.models, &folder_name(&entry.repo), create).await?;
        folder(&repo, entry.revision.as_str(), create).await
    }

    async fn file(
        &self,
        entry: &Entry,
        name: &str,
        create: bool,
    ) -> Result<FileSystemFileHandle, JsValue> {
        file(&self.folder(entry, create).await?, name, create).await
    }

    /// The bytes of a file as they are on the disk; none if there is no such file.
    async fn blob(&self, entry: &Entry, name: &str) -> Result<Option<Blob>, StoreError> {
        match self.file(entry, name, false).await {
            Ok(file) => {
                let file = js::done(file.get_file()).await.map_err(failed)?;
                Ok(Some(file.unchecked_into()))
            }
            Err(error) if js::name(&error) == "NotFoundError" => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    /// The file of an entry, open for writing.
    async fn writer(&mut self, entry: &Entry) -> Result<&FileSystemSyncAccessHandle, StoreError> {
        let is_open = self.open.as_ref().is_some_and(|(open, _)| open == entry);
        if !is_open {
            self.close();
            let file = self.file(entry, entry.file.name(), true).await.map_err(failed)?;
            let handle = js::done(file.create_sync_access_handle()).await.map_err(failed)?;
            self.open = Some((entry.clone(), handle.unchecked_into()));
        }
        match &self.open {
            Some((_, handle)) => Ok(handle),
            None => unreachable!("it was opened above"),
        }
    }

    /// Removes the folder of a model, with all that is in it.
    pub(crate) async fn remove_model(&mut self, repo: &Repo) -> Result<(), StoreError> {
        self.close();
        let options = FileSystemRemoveOptions::new();
        options.set_recursive(true);
        let removed = self.models.remove_entry_with_options(&folder_name(repo), &options);
        match js::done(removed).await {
            Err(error) if js::name(&error) != "NotFoundError" => Err(failed(error)),
            _ => Ok(()),
        }
    }

    /// Closes what is being written, so that others can read it.
    fn close(&mut self) {
        if let Some((_, handle)) = self.open.take() {
            // What cannot be flushed is missing when it is looked at, and fetched again.
            let _ = handle.flush();
            handle.close();
        }
    }
}

impl Drop for Opfs {
    fn drop(&mut self) {
        self.close();
    }
}

impl Store for Opfs {
    async fn record(&mut self, entry: &Entry) -> Result<Option<Record>, StoreError> {
        let Some(blob) = self.blob(entry, &record_name(entry)).await? else { return Ok(None) };
        let bytes = contents(&blob, 0..blob.size() as u64).await?;
        // A record that cannot be read is none: the file is fetched anew.
        Ok(serde_json::from_slice(&bytes).ok())
    }

    async fn set_record(&mut self, entry: &Entry, record: &Record) -> Result<(), StoreError> {
        if record.complete {
            self.close();
        }
        let text = serde_json::to_vec(record).map_err(|e| StoreError::Failed(e.to_string()))?;
        let file = self.file(entry, &record_name(entry), true).await.map_err(failed)?;
        let handle = js::done(file.create_sync_access_handle()).await.map_err(failed)?;
        let handle: FileSystemSyncAccessHandle = handle.unchecked_into();
        let written = handle
            .truncate_with_u32(0)
            .and_then(|()| handle.write_with_u8_array(&text))
            .and_then(|_| handle.flush());
        handle.close();
        written.map_err(failed)
    }

    async fn len(&mut self, entry: &Entry) -> Result<u64, StoreError> {
        if let Some((open, handle)) = &self.open
            && open == entry
        {
            return Ok(handle.get_size().map_err(failed)? as u64);
        }
        let blob = self.blob(entry, entry.file.name()).await?;
        Ok(blob.map_or(0, |blob| blob.size() as u64))
    }

    async fn append(&mut self, entry: &Entry, bytes: &[u8]) -> Result<(), StoreError> {
        let handle = self.writer(entry).await?;
        let at = handle.get_size().map_err(failed)?;
        let options = FileSystemReadWriteOptions::new();
        options.set_at(at);
        let written = handle.write_with_u8_array_and_options(bytes, &options);
        match written.map_err(failed)? as usize {
            written if written == bytes.len() => Ok(()),
            _ => {
                // A part of a piece is of no use: the next try begins where this one did.
                let _ = handle.truncate_with_f64(at);
                Err(StoreError::Full("the browser's storage for this page is full".to_owned()))
            }
        }
    }

    async fn read(&mut self, entry: &Entry, range: Range<u64>) -> Result<Vec<u8>, StoreError> {
        if let Some((open, handle)) = &self.open
            && open == entry
        {
            let mut bytes = vec![0; (range.end - range.start) as usize];
            let options = FileSystemReadWriteOptions::new();
            options.set_at(range.start as f64);
            let read = handle.read_with_u8_array_and_options(&mut bytes, &options);
            return match read.map_err(failed)? as usize {
                read if read == bytes.len() => Ok(bytes),
                _ => Err(StoreError::Failed("the file is shorter than it was".to_owned())),
            };
        }
        match self.blob(entry, entry.file.name()).await? {
            Some(blob) => contents(&blob, range).await,
            None => Err(StoreError::Failed("the file is gone".to_owned())),
        }
    }

    async fn remove(&mut self, entry: &Entry) -> Result<(), StoreError> {
        self.close();
        let Ok(folder) = self.folder(entry, false).await else { return Ok(()) };
        for name in [record_name(entry), entry.file.name().to_owned()] {
            match js::done(folder.remove_entry(&name)).await {
                Ok(_) => {}
                Err(error) if js::name(&error) == "NotFoundError" => {}
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(())
    }

    async fn list(&mut self) -> Result<Vec<Entry>, StoreError> {
        let mut entries = Vec::new();
        for repo in js::names(self.models.keys()).await.map_err(failed)? {
            // What has not the name of a model is none.
            let Ok(owner) = repo.replacen("--", "/", 1).parse() else { continue };
            let Ok(of_repo) = folder(&self.models, &repo, false).await else { continue };
            for revision in js::names(of_repo.keys()).await.map_err(failed)? {
                let Ok(state) = revision.parse() else { continue };
                let Ok(of_state) = folder(&of_repo, &revision, false).await else { continue };
                let files = js::names(of_state.keys()).await.map_err(failed)?;
                let files = files.iter().filter_map(|name| ModelFile::from_name(name));
                entries.extend(files.map(|file| {
                    let (repo, revision): (&Repo, &relp_hub::Revision) = (&owner, &state);
                    Entry { repo: repo.clone(), revision: revision.clone(), file }
                }));
            }
        }
        entries.sort();
        Ok(entries)
    }
}

/// The name of a model's folder.
fn folder_name(repo: &Repo) -> String {
    repo.as_str().replace('/', "--")
}

fn record_name(entry: &Entry) -> String {
    format!("{}.json", entry.file.name())
}

async fn folder(
    of: &FileSystemDirectoryHandle,
    name: &str,
    create: bool,
) -> Result<FileSystemDirectoryHandle, JsValue> {
    let options = FileSystemGetDirectoryOptions::new();
    options.set_create(create);
    let folder = js::done(of.get_directory_handle_with_options(name, &options)).await?;
    Ok(folder.unchecked_into())
}

async fn file(
    of: &FileSystemDirectoryHandle,
    name: &str,
    create: bool,
) -> Result<FileSystemFileHandle, JsValue> {
    let options = FileSystemGetFileOptions::new();
    options.set_create(create);
    let file = js::done(of.get_file_handle_with_options(name, &options)).await?;
    Ok(file.unchecked_into())
}

/// Some bytes of a file.
pub(crate) async fn contents(blob: &Blob, range: Range<u64>) -> Result<Vec<u8>, StoreError> {
    let (start, end) = (range.start as f64, range.end as f64);
    let part = blob.slice_with_f64_and_f64(start, end).map_err(failed)?;
    let buffer = js::done(part.array_buffer()).await.map_err(failed)?;
    let bytes = Uint8Array::new(&buffer).to_vec();
    if bytes.len() as u64 == range.end - range.start {
        Ok(bytes)
    } else {
        Err(StoreError::Failed("the file is shorter than it was".to_owned()))
    }
}

/// What the browser could not do.
#[allow(clippy::needless_pass_by_value, reason = "as `map_err` gives it")]
pub(crate) fn failed(error: JsValue) -> StoreError {
    match js::name(&error).as_str() {
        "QuotaExceededError" => {
            StoreError::Full("the browser's storage for this page is full".to_owned())
        }
        "NoModificationAllowedError" => {
            StoreError::Failed("another tab of this page is writing it".to_owned())
        }
        _ => StoreError::Failed(js::reason(&error)),
    }
}
