//! A server of the built page that can be told to misbehave.

use std::collections::HashMap;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use tiny_http::{Header, Request, Response, Server, StatusCode};

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
    server: Arc<Server>,
    faults: Arc<Mutex<HashMap<String, Fault>>>,
}

impl PageServer {
    pub(crate) fn start() -> Self {
        let root = PathBuf::from(crate::browser::variable("RELP_DIST"));
        let server = Arc::new(Server::http("127.0.0.1:0").unwrap());
        let faults = Arc::new(Mutex::new(HashMap::new()));
        let (listening, known) = (server.clone(), faults.clone());
        thread::spawn(move || {
            for request in listening.incoming_requests() {
                let (root, known) = (root.clone(), known.clone());
                thread::spawn(move || answer(request, &root, &known));
            }
        });
        Self { server, faults }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.server.server_addr())
    }

    /// From now on, `file` (its path in the page's folder) has a fault.
    pub(crate) fn break_file(&self, file: &str, fault: Fault) {
        self.faults.lock().unwrap().insert(file.to_owned(), fault);
    }

    /// From now on, nothing has a fault.
    pub(crate) fn mend(&self) {
        self.faults.lock().unwrap().clear();
    }
}

impl Drop for PageServer {
    fn drop(&mut self) {
        self.server.unblock();
    }
}

fn answer(request: Request, root: &Path, faults: &Mutex<HashMap<String, Fault>>) {
    let path = request.url().trim_start_matches('/').split('?').next().unwrap_or_default();
    let path = if path.is_empty() { "index.html" } else { path }.to_owned();
    let fault = faults.lock().unwrap().get(&path).copied();
    let content = match fault {
        Some(Fault::Missing) => None,
        Some(Fault::Html) => Some(b"<!doctype html><title>Sign in</title>".to_vec()),
        Some(Fault::Trickle) | None => std::fs::read(root.join(&path)).ok(),
    };
    let Some(content) = content else {
        let _gone = request.respond(Response::from_string("missing").with_status_code(404));
        return;
    };
    let length = content.len();
    let body: Box<dyn Read + Send> = match fault {
        Some(Fault::Trickle) => Box::new(Trickle(Cursor::new(content))),
        _ => Box::new(Cursor::new(content)),
    };
    let mime = Header::from_bytes("Content-Type", mime(&path)).unwrap();
    let response = Response::new(StatusCode(200), vec![mime], body, Some(length), None);
    let _gone = request.respond(response.with_chunked_threshold(usize::MAX));
}

fn mime(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript",
        "css" => "text/css",
        "wasm" => "application/wasm",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

/// A few kilobytes at a time, with pauses.
struct Trickle(Cursor<Vec<u8>>);

impl Read for Trickle {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        thread::sleep(Duration::from_millis(100));
        let most = buffer.len().min(8192);
        self.0.read(&mut buffer[..most])
    }
}
