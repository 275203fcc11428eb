//! A folder of static files over HTTP, for the person and the tests on this machine.
//!
//! It does what static hosts do and the page relies on: content types, whole lengths, byte ranges,
//! and 404 for what is not there. Nothing is cached without asking: the workers' files keep their
//! names from build to build, so a browser that guessed would run yesterday's worker in today's page.

use std::{
    fs::{self, File},
    io::{Read, Seek, SeekFrom},
    net::{SocketAddr, TcpListener},
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::UNIX_EPOCH,
};

use anyhow::{Context, Result, anyhow};
use tiny_http::{Header, Method, Request, Response, Server, StatusCode};

/// A server of one folder. It answers while [`run`](Self::run) runs.
#[derive(Clone)]
pub struct Site {
    server: Arc<Server>,
    root: PathBuf,
    address: SocketAddr,
}

impl Site {
    /// A site of the files under `root`, reached through `listener`. Requests that come before
    /// [`run`](Self::run) wait for it.
    ///
    /// # Errors
    /// When the listener cannot be used.
    pub fn new(listener: TcpListener, root: impl Into<PathBuf>) -> Result<Self> {
        let address = listener.local_addr().context("the port is not open")?;
        let server = Server::from_listener(listener, None)
            .map_err(|error| anyhow!("the page's server cannot start: {error}"))?;
        Ok(Self { server: Arc::new(server), root: root.into(), address })
    }

    /// Where the site is reached.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers requests until [`stop`](Self::stop). Each has a thread, so that a long download
    /// holds nothing up.
    pub fn run(&self) {
        for request in self.server.incoming_requests() {
            let root = self.root.clone();
            thread::spawn(move || respond(&root, request));
        }
    }

    /// Ends [`run`](Self::run), whichever clone it was called on.
    pub fn stop(&self) {
        self.server.unblock();
    }
}

fn respond(root: &Path, request: Request) {
    let header = |name: &'static str| {
        let found = request.headers().iter().find(|header| header.field.equiv(name));
        found.map(|header| header.value.as_str())
    };
    let answer =
        answer(root, request.method(), request.url(), header("If-None-Match"), header("Range"));
    let headers = answer
        .headers
        .iter()
        .filter_map(|(name, value)| Header::from_bytes(*name, value.as_bytes()).ok())
        .collect();
    let response =
        Response::new(StatusCode(answer.status), headers, answer.body, Some(answer.length), None);
    // Without this, tiny_http sends long bodies in chunks, and the page could show no progress.
    let response = response.with_chunked_threshold(usize::MAX);
    // The browser may have gone away in the meantime; nobody is left to tell.
    let _gone = request.respond(response);
}

struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Box<dyn Read + Send>,
    length: usize,
}

impl Answer {
    fn text(status: u16, text: &'static str) -> Self {
        Self {
            status,
            headers: vec![
                ("Content-Type", "text/plain; charset=utf-8".to_owned()),
                ("Cache-Control", "no-store".to_owned()),
            ],
            body: Box::new(text.as_bytes()),
            length: text.len(),
        }
    }
}

fn answer(
    root: &Path,
    method: &Method,
    url: &str,
    if_none_match: Option<&str>,
    range: Option<&str>,
) -> Answer {
    if !matches!(method, Method::Get | Method::Head) {
        return Answer::text(405, "only GET and HEAD\n");
    }
    let missing = || Answer::text(404, "no such file\n");
    let Some(path) = resolve(root, url) else {
        return missing();
    };
    let Ok((mut file, length, tag)) = open(&path) else {
        return missing();
    };
    let mut headers = vec![
        ("Content-Type", content_type(&path).to_owned()),
        ("Cache-Control", "no-cache".to_owned()),
        ("ETag", tag.clone()),
        ("Accept-Ranges", "bytes".to_owned()),
        ("X-Content-Type-Options", "nosniff".to_owned()),
    ];
    if if_none_match == Some(tag.as_str()) {
        return Answer { status: 304, headers, body: Box::new(std::io::empty()), length: 0 };
    }
    let (status, part) = match range.and_then(|range| byte_range(range, length)) {
        None => (200, 0..length),
        Some(None) => {
            let mut refused = Answer::text(416, "no such bytes\n");
            refused.headers.push(("Content-Range", format!("bytes */{length}")));
            return refused;
        }
        Some(Some(part)) => {
            let last = part.end - 1;
            headers.push(("Content-Range", format!("bytes {}-{last}/{length}", part.start)));
            (206, part)
        }
    };
    if file.seek(SeekFrom::Start(part.start)).is_err() {
        return missing();
    }
    let wanted = part.end - part.start;
    let Ok(length) = usize::try_from(wanted) else {
        return Answer::text(500, "the file is too large for this machine\n");
    };
    Answer { status, headers, body: Box::new(file.take(wanted)), length }
}

/// A file with its length and a tag that changes when the file does.
fn open(path: &Path) -> std::io::Result<(File, u64, String)> {
    let file = File::open(path)?;
    let data = file.metadata()?;
    let changed = data.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    let tag = format!("\"{:x}-{:x}\"", changed.as_nanos(), data.len());
    Ok((file, data.len(), tag))
}

/// The file under `root` that `url` names, if there is one. Nothing outside `root` can be named.
fn resolve(root: &Path, url: &str) -> Option<PathBuf> {
    let path = decode(url.split(['?', '#']).next()?)?;
    let mut file = root.to_owned();
    for part in path.strip_prefix('/')?.split('/') {
        if part == ".." || part.contains(['\\', ':', '\0']) {
            return None;
        }
        file.push(part);
    }
    if path.ends_with('/') {
        file.push("index.html");
    }
    fs::metadata(&file).is_ok_and(|data| data.is_file()).then_some(file)
}

/// Undoes percent-encoding.
fn decode(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut plain = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        plain.push(if byte == b'%' {
            let mut digit = || char::from(bytes.next()?).to_digit(16);
            u8::try_from(digit()? * 16 + digit()?).ok()?
        } else {
            byte
        });
    }
    String::from_utf8(plain).ok()
}

/// What a `Range` header asks of a file of `length` bytes: `None` when it is not one plain range and
/// so is ignored, `Some(None)` when no byte of the file is in it.
fn byte_range(header: &str, length: u64) -> Option<Option<Range<u64>>> {
    let (first, last) = header.strip_prefix("bytes=")?.split_once('-')?;
    let (start, end) = match (first, last) {
        ("", suffix) => (length.saturating_sub(suffix.parse().ok()?), length),
        (first, "") => (first.parse().ok()?, length),
        (first, last) => {
            let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
            if last < first {
                return None;
            }
            (first, last.saturating_add(1).min(length))
        }
    };
    Some((start < end).then_some(start..end))
}

fn content_type(path: &Path) -> &'static str {
    let extension = path.extension().and_then(|extension| extension.to_str());
    match extension.unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "txt" | "md" => "text/plain; charset=utf-8",
        "wasm" => "application/wasm",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests;
