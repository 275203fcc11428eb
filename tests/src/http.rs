//! As much of HTTP as servers for tests need: one question a connection, so that nothing waits for a
//! connection that a browser keeps.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// A server on a port of its own, with a thread for each connection; ends when dropped.
pub struct Server {
    address: SocketAddr,
    ended: Arc<AtomicBool>,
}

impl Server {
    /// Starts it. `answer` is given each connection; a client that goes away is no concern of a server, so that an
    /// error only ends the connection.
    ///
    /// # Errors
    /// If this machine has no port left.
    pub fn start(
        answer: impl Fn(&TcpStream, SocketAddr) -> io::Result<()> + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let server = Self { address, ended: Arc::new(AtomicBool::new(false)) };
        let (ended, answer) = (server.ended.clone(), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if ended.load(Ordering::Relaxed) {
                    break;
                }
                let answer = answer.clone();
                thread::spawn(move || drop(answer(&stream, address)));
            }
        });
        Ok(server)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on, nothing listens at its address.
    pub fn leave(&self) {
        self.ended.store(true, Ordering::Relaxed);
        // It waits for a connection to see that.
        while TcpStream::connect(self.address).is_ok() {
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.leave();
    }
}

/// A question as it came.
#[derive(Default)]
pub struct Question {
    /// The method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// The first byte of the range, if one was asked for.
    pub from: Option<u64>,
    /// The validator of the range.
    pub if_range: Option<String>,
    /// The address of what asks; empty if it is not told.
    pub referer: String,
    /// The encodings that may come; empty if they are not told.
    pub accept_encoding: String,
}

impl Question {
    /// Reads the head of a question.
    ///
    /// # Errors
    /// If the connection breaks.
    pub fn read(stream: &TcpStream) -> io::Result<Self> {
        let mut lines = BufReader::new(stream).lines();
        let first = lines.next().transpose()?.unwrap_or_default();
        let mut words = first.split(' ').map(str::to_owned);
        let method = words.next().unwrap_or_default();
        let path = words.next().unwrap_or_default();
        let mut question = Self { method, path, ..Self::default() };
        for line in lines {
            let line = line?;
            let Some((name, value)) = line.split_once(':') else { break };
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "range" => {
                    let from =
                        value.strip_prefix("bytes=").and_then(|range| range.split('-').next());
                    question.from = from.and_then(|from| from.parse().ok());
                }
                "if-range" => question.if_range = Some(value.to_owned()),
                "referer" => value.clone_into(&mut question.referer),
                "accept-encoding" => value.clone_into(&mut question.accept_encoding),
                _ => {}
            }
        }
        Ok(question)
    }

    /// The file that is asked for: of a folder its page.
    pub fn file(&self) -> String {
        let path = self.path.trim_start_matches('/').split(['?', '#']).next().unwrap_or_default();
        let is_folder = path.is_empty() || path.ends_with('/');
        if is_folder { format!("{path}index.html") } else { path.to_owned() }
    }
}

/// What a built page's file is.
pub fn mime(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript",
        "css" => "text/css",
        "wasm" => "application/wasm",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "webmanifest" => "application/manifest+json",
        _ => "application/octet-stream",
    }
}

/// Writes the head of an answer.
///
/// # Errors
/// If the connection breaks.
pub fn write_head(mut stream: &TcpStream, status: u16, headers: &[String]) -> io::Result<()> {
    let mut head = format!("HTTP/1.1 {status} Answer\r\nConnection: close\r\n");
    for header in headers {
        head += &format!("{header}\r\n");
    }
    stream.write_all((head + "\r\n").as_bytes())
}
