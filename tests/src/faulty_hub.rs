//! A hub on this machine that can be told to misbehave.
//!
//! It serves models by the addresses of the Hugging Face hub, with ranges, validators and the
//! redirect of large files to another path, and it keeps a list of what was asked. It is a server of plain
//! sockets, because a fault such as a cut has to happen on the wire, which no library of servers offers.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::hex;
use crate::http::{self, Question, Server};

/// What is wrong with an answer. Several may be at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The connection is closed after so many bytes of the body.
    Cut(u64),
    /// One byte more than the file has.
    WrongLength,
    /// One byte in the middle is another.
    WrongBytes,
    /// Another status.
    Status(u16),
    /// 429 and so many seconds in `Retry-After`.
    Busy(u64),
    /// The whole file, whatever range was asked for.
    NoRanges,
    /// No validator, and no name of the bytes either.
    NoEtag,
    /// No length, neither in the head nor by chunks: the end of the connection is the end.
    NoLength,
    /// A few bytes every 20 milliseconds.
    Trickle,
    /// A head, and then nothing for so many seconds.
    Stall(u64),
    /// A page comes in its place, as from a captive portal.
    Html,
    /// It is said to be elsewhere, which says the same.
    Circle,
}

/// A question and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The path.
    pub path: String,
    /// The first byte of the range, if one was asked for.
    pub from: Option<u64>,
    /// The status.
    pub status: u16,
    /// Bytes of the body that were sent.
    pub sent: u64,
}

#[derive(Clone)]
enum Content {
    Bytes(Arc<[u8]>),
    File(PathBuf),
}

#[derive(Clone)]
struct Served {
    content: Content,
    length: u64,
    sha256: String,
}

#[derive(Default)]
struct State {
    /// By repository and file.
    files: HashMap<(String, String), Served>,
    /// By file, for every question.
    standing: HashMap<String, Vec<Fault>>,
    /// By file, for the next questions.
    next: HashMap<String, VecDeque<Vec<Fault>>>,
    asked: Vec<Asked>,
    /// Another commit than [`COMMIT`].
    commit: Option<String>,
}

/// The hub. It ends when dropped.
pub struct FaultyHub {
    server: Server,
    state: Arc<Mutex<State>>,
}

/// The commit that every model is in at first.
pub const COMMIT: &str = "00112233445566778899aabbccddeeff00112233";

/// Files of at least this length are redirected, as the hub does with large ones.
const LARGE: u64 = 100_000;

impl FaultyHub {
    /// Starts it on a port of its own.
    ///
    /// # Errors
    /// If this machine has no port left.
    pub fn start() -> io::Result<Self> {
        let state: Arc<Mutex<State>> = Arc::default();
        let known = state.clone();
        let server = Server::start(move |stream, address| answer(stream, &known, address))?;
        Ok(Self { server, state })
    }

    /// What `HF_ENDPOINT` has to be.
    pub fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// From now on, a model has a file.
    pub fn add(&self, repo: &str, file: &str, bytes: impl Into<Vec<u8>>) {
        let bytes: Arc<[u8]> = bytes.into().into();
        let sha256 = hex(&Sha256::digest(&bytes));
        let served = Served { length: bytes.len() as u64, content: Content::Bytes(bytes), sha256 };
        self.state().files.insert((repo.to_owned(), file.to_owned()), served);
    }

    /// From now on, a model has a file that lies on the disk.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn add_path(&self, repo: &str, file: &str, path: PathBuf) -> io::Result<()> {
        let mut opened = File::open(&path)?;
        let (mut hash, mut piece) = (Sha256::new(), vec![0; 1 << 20]);
        loop {
            let got = opened.read(&mut piece)?;
            if got == 0 {
                break;
            }
            hash.update(&piece[..got]);
        }
        let length = opened.metadata()?.len();
        let sha256 = hex(&hash.finalize());
        let served = Served { length, content: Content::File(path), sha256 };
        self.state().files.insert((repo.to_owned(), file.to_owned()), served);
        Ok(())
    }

    /// From now on, files of this name have these faults.
    pub fn break_file(&self, file: &str, faults: &[Fault]) {
        self.state().standing.insert(file.to_owned(), faults.to_vec());
    }

    /// The next answer for a file of this name that is not determined yet has these faults.
    pub fn break_next(&self, file: &str, faults: &[Fault]) {
        self.state().next.entry(file.to_owned()).or_default().push_back(faults.to_vec());
    }

    /// From now on, every model is in another commit.
    pub fn move_on(&self, commit: &str) {
        self.state().commit = Some(commit.to_owned());
    }

    /// From now on, nothing has a fault.
    pub fn mend(&self) {
        let mut state = self.state();
        state.standing.clear();
        state.next.clear();
    }

    /// What was asked so far, redirects left out; the list is empty afterwards.
    pub fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.state().asked)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    // A test that failed elsewhere leaves nothing half done here.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn answer(stream: &TcpStream, state: &Mutex<State>, address: SocketAddr) -> io::Result<()> {
    let question = Question::read(stream)?;
    let plain = |status: u16, headers: &[String], body: &[u8]| {
        let mut head = headers.to_vec();
        head.push(format!("Content-Length: {}", body.len()));
        write_head(stream, status, &head)?;
        let mut stream = stream;
        if question.method == "HEAD" { Ok(()) } else { stream.write_all(body) }
    };
    if question.method == "OPTIONS" {
        let allowed = ["Range", "If-Range"].join(", ");
        return plain(204, &[format!("Access-Control-Allow-Headers: {allowed}")], b"");
    }
    let path = question.path.split('?').next().unwrap_or_default().trim_start_matches('/');
    let (is_cdn, path) = match path.strip_prefix("cdn/") {
        Some(path) => (true, path),
        None => (false, path),
    };
    let Some((repo, rest)) = path.split_once("/resolve/") else {
        return plain(404, &[], b"Entry not found");
    };
    let file = rest.split_once('/').map_or(rest, |(_, file)| file).to_owned();
    let key = (repo.to_owned(), file.clone());
    let served = lock(state).files.get(&key).cloned();
    let note = |status: u16| {
        let asked = Asked { path: path.to_owned(), from: question.from, status, sent: 0 };
        let mut state = lock(state);
        state.asked.push(asked);
        state.asked.len() - 1
    };
    let Some(served) = served else {
        note(404);
        return plain(404, &["X-Error-Code: EntryNotFound".to_owned()], b"Entry not found");
    };
    let is_large = served.length >= LARGE;
    let commit = lock(state).commit.clone().unwrap_or_else(|| COMMIT.to_owned());
    let mut names = vec![format!("X-Repo-Commit: {commit}"), "Accept-Ranges: bytes".to_owned()];
    if is_large && !is_cdn {
        let is_nameless = {
            let state = lock(state);
            let next = state.next.get(&file).and_then(VecDeque::front);
            next.or_else(|| state.standing.get(&file)).is_some_and(|f| f.contains(&Fault::NoEtag))
        };
        if !is_nameless {
            names.push(format!("X-Linked-Etag: \"{}\"", served.sha256));
            names.push(format!("X-Linked-Size: {}", served.length));
        }
        names.push(format!("Location: http://{address}/cdn/{path}"));
        return plain(302, &names, b"");
    }
    let faults = {
        let mut state = lock(state);
        let next = state.next.get_mut(&file).and_then(VecDeque::pop_front);
        next.or_else(|| state.standing.get(&file).cloned()).unwrap_or_default()
    };
    for fault in &faults {
        match fault {
            Fault::Status(status) => {
                note(*status);
                return plain(*status, &[], b"no");
            }
            Fault::Busy(seconds) => {
                note(429);
                return plain(429, &[format!("Retry-After: {seconds}")], b"busy");
            }
            Fault::Html => {
                note(200);
                let page = b"<!doctype html><title>Sign in</title><p>Please sign in.";
                return plain(200, &["Content-Type: text/html".to_owned()], page);
            }
            Fault::Circle => {
                note(302);
                return plain(302, &[format!("Location: http://{address}/cdn/{path}")], b"");
            }
            _ => {}
        }
    }
    send(stream, state, &question, &served, &faults, &names, note)
}

/// Sends a file, or the part of it that was asked for.
fn send(
    mut stream: &TcpStream,
    state: &Mutex<State>,
    question: &Question,
    served: &Served,
    faults: &[Fault],
    names: &[String],
    note: impl Fn(u16) -> usize,
) -> io::Result<()> {
    let has = |fault| faults.contains(&fault);
    let length = served.length + u64::from(has(Fault::WrongLength));
    // The validator of the server that sends the bytes is not the hub's name for them.
    let etag = format!("\"{}\"", &served.sha256[..40]);
    let is_current = question.if_range.as_ref().is_none_or(|validator| *validator == etag);
    let from = question.from.filter(|_| is_current && !has(Fault::NoRanges)).unwrap_or(0);
    if from >= length && from > 0 {
        note(416);
        return write_head(stream, 416, &["Content-Length: 0".to_owned()]);
    }
    let status = if from > 0 { 206 } else { 200 };
    let at = note(status);
    let mut head = names.to_vec();
    head.push("Content-Type: application/octet-stream".to_owned());
    if !has(Fault::NoEtag) {
        head.push(format!("ETag: {etag}"));
    }
    if !has(Fault::NoLength) {
        head.push(format!("Content-Length: {}", length - from));
    }
    if status == 206 {
        head.push(format!("Content-Range: bytes {from}-{}/{length}", length - 1));
    }
    write_head(stream, status, &head)?;
    if question.method == "HEAD" {
        return Ok(());
    }
    let mut left = length - from;
    let mut place = from;
    let (mut piece, mut pause) = (64 << 10, Duration::ZERO);
    for fault in faults {
        match *fault {
            Fault::Cut(after) => left = left.min(after),
            Fault::Trickle => (piece, pause) = (4 << 10, Duration::from_millis(20)),
            Fault::Stall(seconds) => {
                stream.flush()?;
                thread::sleep(Duration::from_secs(seconds));
                return Ok(());
            }
            _ => {}
        }
    }
    while left > 0 {
        let mut bytes = read(served, place, left.min(piece))?;
        if has(Fault::WrongBytes) {
            let middle = served.length / 2;
            if let Some(byte) = middle
                .checked_sub(place)
                .and_then(|at| usize::try_from(at).ok().and_then(|at| bytes.get_mut(at)))
            {
                *byte ^= 1;
            }
        }
        stream.write_all(&bytes)?;
        place += bytes.len() as u64;
        left -= bytes.len() as u64;
        if let Some(asked) = lock(state).asked.get_mut(at) {
            asked.sent += bytes.len() as u64;
        }
        thread::sleep(pause);
    }
    stream.flush()
}

/// Bytes of a file, and zeros after its end.
fn read(served: &Served, from: u64, most: u64) -> io::Result<Vec<u8>> {
    let length = usize::try_from(most).map_err(io::Error::other)?;
    let start = usize::try_from(from).map_err(io::Error::other)?;
    let mut bytes = match &served.content {
        Content::Bytes(all) => {
            let rest = all.get(start..).unwrap_or_default();
            rest[..length.min(rest.len())].to_vec()
        }
        Content::File(path) => {
            let mut file = File::open(path)?;
            file.seek(SeekFrom::Start(from))?;
            let mut bytes = Vec::new();
            file.take(most).read_to_end(&mut bytes)?;
            bytes
        }
    };
    bytes.resize(length, 0);
    Ok(bytes)
}

fn write_head(stream: &TcpStream, status: u16, headers: &[String]) -> io::Result<()> {
    // What the hub lets a page of another host see.
    let shown = "Access-Control-Allow-Origin: *\r\nAccess-Control-Expose-Headers: ETag, Accept-Ranges, \
                 Content-Range, X-Linked-Size, X-Linked-Etag, X-Repo-Commit";
    http::write_head(stream, status, &[&[shown.to_owned()], headers].concat())
}
