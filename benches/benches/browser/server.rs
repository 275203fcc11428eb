//! The folders that the browser is given, and how many bytes it took.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use anyhow::{Context, Result};

/// What a folder is served for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// To measure in: isolated from other origins, so that the browser's clock is not blunted.
    Isolated,
    /// As a static host does, with what is compressed beforehand.
    Site,
}

/// Bytes that were sent.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    page: AtomicU64,
    kept: AtomicU64,
}

impl Sent {
    /// To the page and its workers.
    pub(crate) fn page(&self) -> u64 {
        self.page.load(Ordering::Relaxed)
    }

    /// To its service worker, to be kept.
    pub(crate) fn kept(&self) -> u64 {
        self.kept.load(Ordering::Relaxed)
    }
}

/// A server on a port of its own; ends when dropped. A thread for each connection, and one question a connection, so
/// that nothing waits for a connection that the browser keeps.
pub(crate) struct Server {
    url: String,
    ended: Arc<AtomicBool>,
    pub(crate) sent: Arc<Sent>,
}

impl Server {
    pub(crate) fn start(folder: impl Into<PathBuf>, kind: Kind) -> Result<Self> {
        let folder = folder.into();
        let listener = TcpListener::bind("127.0.0.1:0").context("no port can be listened on")?;
        let url = format!("http://{}/", listener.local_addr()?);
        let (ended, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(Sent::default()));
        let server = Self { url, ended: ended.clone(), sent: sent.clone() };
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if ended.load(Ordering::Relaxed) {
                    break;
                }
                let (folder, sent) = (folder.clone(), sent.clone());
                // A browser that goes away is no concern of a server.
                thread::spawn(move || answer(&stream, &folder, kind, &sent));
            }
        });
        Ok(server)
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        // The listener looks up when somebody comes.
        let address = self.url.trim_start_matches("http://").trim_end_matches('/');
        let _gone = TcpStream::connect(address);
    }
}

fn answer(mut stream: &TcpStream, folder: &Path, kind: Kind, sent: &Sent) -> io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    let (mut referer, mut accepted) = (String::new(), String::new());
    for line in lines {
        let line = line?;
        let Some((name, value)) = line.split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "referer" => value.clone_into(&mut referer),
            "accept-encoding" => value.clone_into(&mut accepted),
            _ => {}
        }
    }
    let url = first.split(' ').nth(1).unwrap_or_default();
    let path = url.split(['?', '#']).next().unwrap_or_default().trim_start_matches('/');
    let index = format!("{path}index.html");
    let path = if path.is_empty() || path.ends_with('/') { index.as_str() } else { path };
    let packed = folder.join(format!("{path}.br"));
    let is_packed = kind == Kind::Site && accepted.contains("br") && packed.is_file();
    let plain = folder.join(path);
    let is_outside = path.split('/').any(|piece| piece == "..");
    let Some(mut file) =
        (!is_outside).then(|| File::open(if is_packed { &packed } else { &plain }).ok()).flatten()
    else {
        return stream.write_all(
            b"HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        );
    };
    let length = file.metadata()?.len();
    let count = if referer.ends_with("/sw.js") { &sent.kept } else { &sent.page };
    count.fetch_add(length, Ordering::Relaxed);
    let encoding = if is_packed { "Content-Encoding: br\r\n" } else { "" };
    let policy = match kind {
        Kind::Site => "Cache-Control: max-age=600\r\n",
        Kind::Isolated => {
            "Cache-Control: no-store\r\nCross-Origin-Opener-Policy: same-origin\r\n\
             Cross-Origin-Embedder-Policy: require-corp\r\n"
        }
    };
    let head = format!(
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}\r\n\
         Content-Type: {}\r\n{encoding}{policy}\r\n",
        type_of(path)
    );
    stream.write_all(head.as_bytes())?;
    io::copy(&mut file, &mut stream)?;
    Ok(())
}

fn type_of(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "webmanifest" => "application/manifest+json",
        _ => "application/octet-stream",
    }
}
