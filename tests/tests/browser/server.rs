//! A server of the built page that can be told to misbehave.

use std::collections::HashMap;
use std::io::{self, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{fs, thread};

use relp_tests::http::{self, Question, Server};

/// What is wrong with a file.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// It is not there.
    Missing,
    /// It comes so slowly that a person gives up.
    Trickle,
    /// A page comes in its place, as from a captive portal.
    Html,
}

/// Serves `RELP_DIST` on a port of its own; ends when dropped.
pub(crate) struct PageServer {
    server: Server,
    /// The path that the page lies under, without its leading slash.
    folder: String,
    files: Arc<Mutex<Files>>,
}

/// What isolates a page, as `relp-site` does and the page's service worker.
const ISOLATED: [&str; 3] = [
    "Cross-Origin-Opener-Policy: same-origin",
    "Cross-Origin-Embedder-Policy: require-corp",
    "Cross-Origin-Resource-Policy: cross-origin",
];

/// What differs from the built page.
#[derive(Default)]
struct Files {
    /// Headers of every answer.
    headers: &'static [&'static str],
    replaced: HashMap<String, Vec<u8>>,
    faults: HashMap<String, Fault>,
}

impl PageServer {
    pub(crate) fn start() -> Self {
        Self::under("")
    }

    /// Serves it in a folder, such as `a/b/`, and nothing outside.
    pub(crate) fn under(folder: &str) -> Self {
        let folder = folder.to_owned();
        let files: Arc<Mutex<Files>> = Arc::default();
        let (within, known) = (folder.clone(), files.clone());
        let server = Server::start(move |stream, _| answer(stream, &within, &known)).unwrap();
        Self { server, folder, files }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/{}", self.server.address(), self.folder)
    }

    /// The built file.
    pub(crate) fn file(file: &str) -> Vec<u8> {
        fs::read(PathBuf::from(crate::browser::variable("RELP_DIST")).join(file)).unwrap()
    }

    /// The name of the script of the engine that Chromium gets; the build names it by its content.
    pub(crate) fn engine() -> String {
        Self::script("relp-relaxed-worker-")
    }

    /// That of the engine which it gets in an isolated page.
    pub(crate) fn threaded_engine() -> String {
        Self::script("relp-threaded-worker-")
    }

    fn script(begins: &str) -> String {
        let names = fs::read_dir(crate::browser::variable("RELP_DIST")).unwrap();
        let mut names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.find(|name| name.starts_with(begins) && name.ends_with(".js")).unwrap()
    }

    /// From now on, the page is isolated from other origins.
    pub(crate) fn isolate(&self) {
        self.files.lock().unwrap().headers = &ISOLATED;
    }

    /// From now on, a file is another one.
    pub(crate) fn replace(&self, file: &str, content: impl Into<Vec<u8>>) {
        self.files.lock().unwrap().replaced.insert(file.to_owned(), content.into());
    }

    /// From now on, nothing listens at its address.
    pub(crate) fn leave(&self) {
        self.server.leave();
    }

    /// From now on, `file` (its path in the page's folder) has a fault.
    pub(crate) fn break_file(&self, file: &str, fault: Fault) {
        self.files.lock().unwrap().faults.insert(file.to_owned(), fault);
    }

    /// From now on, nothing has a fault.
    pub(crate) fn mend(&self) {
        self.files.lock().unwrap().faults.clear();
    }
}

fn answer(mut stream: &TcpStream, folder: &str, files: &Mutex<Files>) -> io::Result<()> {
    let question = Question::read(stream)?;
    let file = question.file();
    let Some(path) = file.strip_prefix(folder) else {
        return http::write_head(stream, 404, &["Content-Length: 0".to_owned()]);
    };
    let (fault, other, headers) = {
        let files = files.lock().unwrap();
        (files.faults.get(path).copied(), files.replaced.get(path).cloned(), files.headers)
    };
    let built = || fs::read(PathBuf::from(crate::browser::variable("RELP_DIST")).join(path)).ok();
    let content = match fault {
        Some(Fault::Missing) => None,
        Some(Fault::Html) => Some(b"<!doctype html><title>Sign in</title>".to_vec()),
        Some(Fault::Trickle) | None => other.or_else(built),
    };
    let Some(content) = content else {
        return http::write_head(stream, 404, &["Content-Length: 0".to_owned()]);
    };
    let mut head = vec![
        format!("Content-Type: {}", http::mime(path)),
        format!("Content-Length: {}", content.len()),
        "Access-Control-Allow-Origin: *".to_owned(),
    ];
    head.extend(headers.iter().map(|&header| header.to_owned()));
    http::write_head(stream, 200, &head)?;
    if fault.is_some_and(|fault| matches!(fault, Fault::Trickle)) {
        for piece in content.chunks(8192) {
            thread::sleep(Duration::from_millis(100));
            stream.write_all(piece)?;
        }
        return Ok(());
    }
    stream.write_all(&content)
}
