//! What is answered to a request.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::{fs, io};

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Extensions, Method, StatusCode, Version};
use axum::response::Response;
use tokio::task;
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::Predicate;
use tower_http::services::ServeDir;

/// Longer files are sent as they are: to make them smaller would take longer than to send them.
const MOST_COMPRESSED: u64 = 16 << 20;

/// Shorter ones fit into a packet or two.
const LEAST_COMPRESSED: u64 = 1024;

/// Digits of a hash that stands in a file's name.
const HASH: usize = 16;

const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const EMBEDDER_POLICY: HeaderName = HeaderName::from_static("cross-origin-embedder-policy");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Types by the ends of names. Others are told by what systems take names for.
const TYPES: [(&str, &str); 8] = [
    ("js", "text/javascript; charset=utf-8"),
    ("mjs", "text/javascript; charset=utf-8"),
    ("wasm", "application/wasm"),
    ("json", "application/json"),
    ("webmanifest", "application/manifest+json"),
    ("safetensors", "application/octet-stream"),
    // As a text, which browsers show.
    ("md", "text/plain; charset=utf-8"),
    ("svg", "image/svg+xml"),
];

/// Marks an answer that is worth compressing.
#[derive(Clone, Copy)]
struct Compressible;

/// Compresses what is marked, as it is sent.
pub(crate) fn compression() -> CompressionLayer<impl Predicate> {
    let is_marked = |_: StatusCode, _: Version, _: &HeaderMap, extensions: &Extensions| {
        extensions.get::<Compressible>().is_some()
    };
    CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(is_marked)
}

/// A folder whose files are handed out.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    root: PathBuf,
    files: ServeDir,
}

impl Folder {
    pub(crate) fn open(root: &Path) -> io::Result<Self> {
        let root = fs::canonicalize(root)?;
        // What the folder has in a compressed form is sent in it.
        let files = ServeDir::new(&root).precompressed_br().precompressed_gzip();
        Ok(Self { root, files })
    }

    pub(crate) async fn answer(&self, mut request: Request) -> Response {
        let path = request.uri().path().to_owned();
        let is_whole = request.method() == Method::GET && !has(&request, header::RANGE);
        let mut response = if ![Method::GET, Method::HEAD].contains(request.method()) {
            let why = "This server only hands out files: ask by GET or HEAD.\n";
            let mut response = sentence(StatusCode::METHOD_NOT_ALLOWED, why);
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
            response
        } else if self.has_file(&path).await {
            restrict(request.headers_mut(), is_whole);
            self.file(request, &path).await
        } else {
            sentence(StatusCode::NOT_FOUND, "There is nothing at this address.\n")
        };
        let is_there =
            response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED;
        let headers = response.headers_mut();
        let mut set = |name: HeaderName, value| {
            headers.insert(name, HeaderValue::from_static(value));
        };
        set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        // Figures stand in other pages, and models are fetched from them.
        set(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
        set(header::ACCESS_CONTROL_EXPOSE_HEADERS, "Content-Length, Content-Range");
        // Isolated from other origins, workers may have one memory.
        set(OPENER_POLICY, "same-origin");
        set(EMBEDDER_POLICY, "require-corp");
        set(RESOURCE_POLICY, "cross-origin");
        let has_hash = is_there && path.rsplit('/').next().is_some_and(has_hash);
        let forever = "public, max-age=31536000, immutable";
        set(header::CACHE_CONTROL, if has_hash { forever } else { "no-cache" });
        if is_whole && is_worth_compressing(&response) {
            response.extensions_mut().insert(Compressible);
        } else {
            // The other form may be asked for next.
            response
                .headers_mut()
                .insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        }
        response
    }

    async fn has_file(&self, path: &str) -> bool {
        let Some(pieces) = pieces(path) else { return false };
        let root = self.root.clone();
        let looked = task::spawn_blocking(move || lies_in(&root, &pieces));
        looked.await.unwrap_or(false)
    }

    /// A file that is there.
    async fn file(&self, request: Request, path: &str) -> Response {
        let answered = self.files.clone().try_call(request).await;
        let Ok(mut response) = answered.map(|response| response.map(Body::new)) else {
            let why = "This file cannot be read.\n";
            return sentence(StatusCode::INTERNAL_SERVER_ERROR, why);
        };
        // It may have gone in between.
        if response.status() == StatusCode::NOT_FOUND {
            return sentence(StatusCode::NOT_FOUND, "There is nothing at this address.\n");
        }
        let guessed = response.headers().get(header::CONTENT_TYPE);
        if let Some(kind) = guessed.and_then(|guessed| kind(path, guessed)) {
            response.headers_mut().insert(header::CONTENT_TYPE, kind);
        }
        response
    }
}

fn has(request: &Request, name: HeaderName) -> bool {
    request.headers().contains_key(name)
}

/// Takes out of a request what cannot be heeded: a part is one of the file itself, never of a compressed form,
/// and whether a part still fits what somebody has is not told by a time in seconds.
fn restrict(headers: &mut HeaderMap, is_whole: bool) {
    if !is_whole {
        headers.remove(header::ACCEPT_ENCODING);
    }
    if headers.remove(header::IF_RANGE).is_some() {
        headers.remove(header::RANGE);
    }
}

fn sentence(status: StatusCode, text: &'static str) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// The names on the way to a file, the last of which is empty for a folder; none if the address cannot be that
/// of a file here, on any system.
fn pieces(path: &str) -> Option<Vec<String>> {
    let pieces = path.strip_prefix('/')?.split('/').map(decoded);
    let pieces: Vec<String> = pieces.collect::<Option<_>>()?;
    let (last, way) = pieces.split_last()?;
    let is_name = |piece: &String| {
        // Names with a dot in front are hidden, `.` and `..` among them.
        !piece.is_empty()
            && !piece.starts_with('.')
            && !piece.contains(|c: char| c.is_control() || matches!(c, '/' | '\\' | ':'))
    };
    (way.iter().all(is_name) && (last.is_empty() || is_name(last))).then_some(pieces)
}

/// A piece of an address with its percent signs resolved.
fn decoded(piece: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(piece.len());
    let mut rest = piece.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first == b'%' {
            let digits = str::from_utf8(after.get(..2)?).ok()?;
            if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return None;
            }
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &after[2..];
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).ok()
}

/// Whether there is such a file in the folder, and no link on the way leads out of it or to what is hidden.
fn lies_in(root: &Path, pieces: &[String]) -> bool {
    let inside = |place: &Path| {
        fs::canonicalize(place).is_ok_and(|place| {
            place
                .strip_prefix(root)
                .is_ok_and(|way| way.iter().all(|name| !name.as_encoded_bytes().starts_with(b".")))
        })
    };
    let mut place = root.to_owned();
    place.extend(pieces.iter().filter(|piece| !piece.is_empty()));
    if place.is_dir() {
        let is_folder = pieces.last().is_some_and(String::is_empty);
        if !is_folder {
            // It is sent to the same address with a slash.
            return inside(&place);
        }
        place.push("index.html");
    } else if pieces.last().is_some_and(String::is_empty) {
        return false;
    }
    let is_fine = |end: &str| {
        let mut name = OsString::from(&place);
        name.push(end);
        let other = PathBuf::from(name);
        !other.exists() || inside(&other)
    };
    // A pipe or a device would be waited for.
    place.is_file() && inside(&place) && is_fine(".br") && is_fine(".gz")
}

/// The type of a file: of a text with the encoding that it is in.
fn kind(path: &str, guessed: &HeaderValue) -> Option<HeaderValue> {
    let end = path.rsplit('.').next().unwrap_or_default();
    let known = TYPES.iter().find(|(known, _)| end.eq_ignore_ascii_case(known));
    if let Some((_, kind)) = known {
        return Some(HeaderValue::from_static(kind));
    }
    let guessed = guessed.to_str().ok()?;
    let is_bare = guessed.starts_with("text/") && !guessed.contains("charset");
    is_bare.then(|| HeaderValue::try_from(format!("{guessed}; charset=utf-8")).ok()).flatten()
}

/// Whether a name tells its content: digits of a hash stand in it.
fn has_hash(name: &str) -> bool {
    let pieces = name.split(|c: char| !c.is_ascii_alphanumeric());
    let mut pieces = pieces.filter(|piece| piece.len() >= HASH);
    pieces.any(|piece| piece.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn is_worth_compressing(response: &Response) -> bool {
    let text =
        |name: HeaderName| response.headers().get(name).and_then(|value| value.to_str().ok());
    let length = text(header::CONTENT_LENGTH).and_then(|length| length.parse().ok());
    let kind = text(header::CONTENT_TYPE).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default();
    let shrinks = kind.starts_with("text/")
        || kind.ends_with("+json")
        || ["application/json", "application/wasm", "image/svg+xml"].contains(&kind);
    response.status() == StatusCode::OK
        && shrinks
        && !response.headers().contains_key(header::CONTENT_ENCODING)
        && length.is_some_and(|length| (LEAST_COMPRESSED..=MOST_COMPRESSED).contains(&length))
}
