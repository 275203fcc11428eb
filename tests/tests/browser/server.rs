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
    server: Option<Arc<Server>>,
    url: String,
    replaced: Arc<Mutex<HashMap<String, Vec<u8>>>>,
    faults: Arc<Mutex<HashMap<String, Fault>>>,
}

impl PageServer {
    pub(crate) fn start() -> Self {
        let root = PathBuf::from(crate::browser::variable("RELP_DIST"));
        let server = Arc::new(Server::http("127.0.0.1:0").unwrap());
        let faults = Arc::new(Mutex::new(HashMap::new()));
        let replaced = Arc::new(Mutex::new(HashMap::new()));
        let url = format!("http://{}/", server.server_addr());
        let (listening, known, others) = (server.clone(), faults.clone(), replaced.clone());
        thread::spawn(move || {
            for request in listening.incoming_requests() {
                let (root, known, others) = (root.clone(), known.clone(), others.clone());
                thread::spawn(move || answer(request, &root, &known, &others));
            }
        });
        Self { server: Some(server), url, replaced, faults }
    }

    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }

    /// The built file.
    pub(crate) fn file(file: &str) -> Vec<u8> {
        std::fs::read(PathBuf::from(crate::browser::variable("RELP_DIST")).join(file)).unwrap()
    }

    /// From now on, a file is another one.
    pub(crate) fn replace(&self, file: &str, content: impl Into<Vec<u8>>) {
        self.replaced.lock().unwrap().insert(file.to_owned(), content.into());
    }

    /// From now on, nothing listens at its address.
    pub(crate) fn leave(&mut self) {
        if let Some(server) = self.server.take() {
            server.unblock();
        }
        let address = self.url.trim_start_matches("http://").trim_end_matches('/');
        while std::net::TcpStream::connect(address).is_ok() {
            thread::sleep(Duration::from_millis(10));
        }
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
        if let Some(server) = &self.server {
            server.unblock();
        }
    }
}

fn answer(
    request: Request,
    root: &Path,
    faults: &Mutex<HashMap<String, Fault>>,
    replaced: &Mutex<HashMap<String, Vec<u8>>>,
) {
    let path = request.url().trim_start_matches('/').split('?').next().unwrap_or_default();
    let path = if path.is_empty() { "index.html" } else { path }.to_owned();
    let fault = faults.lock().unwrap().get(&path).copied();
    let content = match fault {
        Some(Fault::Missing) => None,
        Some(Fault::Html) => Some(b"<!doctype html><title>Sign in</title>".to_vec()),
        Some(Fault::Trickle) | None => {
            let other = replaced.lock().unwrap().get(&path).cloned();
            other.or_else(|| std::fs::read(root.join(&path)).ok())
        }
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
