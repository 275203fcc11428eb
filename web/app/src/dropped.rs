//! Files and folders that were dropped onto the page.

use js_sys::{Array, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{DataTransfer, FileSystemDirectoryEntry, FileSystemEntry, FileSystemFileEntry};

/// What was dropped. It has to be taken while the event is handled, and can be read afterwards.
pub struct Dropped {
    entries: Vec<FileSystemEntry>,
    /// What a browser gives that knows no entries.
    files: Array,
}

impl Dropped {
    /// Takes it from the event.
    pub fn of(data: &DataTransfer) -> Self {
        let items = data.items();
        let entry = |at| items.get(at)?.webkit_get_as_entry().ok()?;
        let files = data.files().map_or_else(Array::new, |files| Array::from(files.as_ref()));
        Self { entries: (0..items.length()).filter_map(entry).collect(), files }
    }

    /// The files, and those of the folders, an array of `File`; what folders hold in folders is left
    /// out.
    ///
    /// # Errors
    /// If a folder cannot be read.
    pub async fn files(self) -> Result<Array, JsValue> {
        let has_folder = self.entries.iter().any(FileSystemEntry::is_directory);
        if !has_folder {
            return Ok(self.files);
        }
        let files = Array::new();
        for entry in self.entries {
            // Browsers have the class under different names.
            let within = if entry.is_directory() {
                entries(entry.unchecked_ref()).await?
            } else {
                vec![entry]
            };
            for entry in within.into_iter().filter(FileSystemEntry::is_file) {
                let entry: FileSystemFileEntry = entry.unchecked_into();
                let got = Promise::new(&mut |found, failed| {
                    entry.file_with_callback_and_callback(&found, &failed);
                });
                files.push(&JsFuture::from(got).await?);
            }
        }
        Ok(files)
    }
}

/// All entries of a folder, which a browser gives a hundred at a time.
async fn entries(folder: &FileSystemDirectoryEntry) -> Result<Vec<FileSystemEntry>, JsValue> {
    let reader = folder.create_reader();
    let mut all = Vec::new();
    loop {
        let got = Promise::new(&mut |found, failed| {
            // What it throws comes as a failure too.
            let _ = reader.read_entries_with_callback_and_callback(&found, &failed);
        });
        let some = Array::from(&JsFuture::from(got).await?);
        if some.length() == 0 {
            return Ok(all);
        }
        all.extend(some.iter().map(JsCast::unchecked_into::<FileSystemEntry>));
    }
}
