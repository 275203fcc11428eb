//! The folders that the browser is given, and how many bytes it took.

use std::fs::File;
use std::io;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result};
use relp_tests::http::{self, Question};

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

/// A server of a folder; ends when dropped.
pub(crate) struct Server {
    http: http::Server,
    pub(crate) sent: Arc<Sent>,
}

impl Server {
    pub(crate) fn start(folder: impl Into<PathBuf>, kind: Kind) -> Result<Self> {
        let folder = folder.into();
        let sent = Arc::new(Sent::default());
        let count = sent.clone();
        let http = http::Server::start(move |stream, _| answer(stream, &folder, kind, &count))
            .context("no port can be listened on")?;
        Ok(Self { http, sent })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.http.address())
    }
}

fn answer(mut stream: &TcpStream, folder: &Path, kind: Kind, sent: &Sent) -> io::Result<()> {
    let question = Question::read(stream)?;
    let path = question.file();
    let packed = folder.join(format!("{path}.br"));
    let is_packed =
        kind == Kind::Site && question.accept_encoding.contains("br") && packed.is_file();
    let Ok(mut file) = File::open(if is_packed { packed } else { folder.join(&path) }) else {
        return http::write_head(stream, 404, &["Content-Length: 0".to_owned()]);
    };
    let length = file.metadata()?.len();
    let count = if question.referer.ends_with("/sw.js") { &sent.kept } else { &sent.page };
    count.fetch_add(length, Ordering::Relaxed);
    let mut head =
        vec![format!("Content-Type: {}", http::mime(&path)), format!("Content-Length: {length}")];
    let more: &[&str] = match kind {
        Kind::Site => &["Cache-Control: max-age=600"],
        Kind::Isolated => &[
            "Cache-Control: no-store",
            "Cross-Origin-Opener-Policy: same-origin",
            "Cross-Origin-Embedder-Policy: require-corp",
        ],
    };
    head.extend(more.iter().map(|header| (*header).to_owned()));
    if is_packed {
        head.push("Content-Encoding: br".to_owned());
    }
    http::write_head(stream, 200, &head)?;
    io::copy(&mut file, &mut stream)?;
    Ok(())
}
