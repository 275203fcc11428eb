//! The server as a browser meets it, over a real connection.

#![allow(clippy::unwrap_used, reason = "clippy knows a test's own code for one, not its helpers'")]

use std::{
    env, fs,
    io::{Read, Write},
    net::TcpStream,
    process,
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, SystemTime},
};

use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, crypto::ring,
    pki_types::CertificateDer,
};

use super::*;

/// A served folder that goes when the test does.
struct Served {
    site: Site,
    root: PathBuf,
}

impl Served {
    fn new(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(name, text)| (*name, text.as_bytes()));
        Self::start(folder(files), None)
    }

    fn start(root: PathBuf, certificate: Option<Certificate>) -> Self {
        let listener = listen(Reach::ThisMachine, 0).unwrap();
        let site = match certificate {
            Some(certificate) => Site::secured(listener, &root, certificate),
            None => Site::new(listener, &root),
        };
        let site = site.unwrap();
        let running = site.clone();
        thread::spawn(move || running.run());
        Self { site, root }
    }

    fn connect(&self) -> TcpStream {
        TcpStream::connect(self.site.address().unwrap()).unwrap()
    }

    /// The status line and headers of one answer, in lower case, and its body.
    fn ask(&self, method: &str, url: &str, headers: &str) -> (String, Vec<u8>) {
        let mut stream = self.connect();
        write!(stream, "{}", question(method, url, headers)).unwrap();
        answer(stream)
    }

    fn get(&self, url: &str) -> (String, String) {
        let (head, body) = self.ask("GET", url, "");
        (head, String::from_utf8(body).unwrap())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.site.stop();
        let _left = fs::remove_dir_all(&self.root);
    }
}

/// A new folder with files.
fn folder<'a>(files: impl Iterator<Item = (&'a str, &'a [u8])>) -> PathBuf {
    static FOLDERS: AtomicU32 = AtomicU32::new(0);
    let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
    let root = env::temp_dir().join(format!("relp-site-{}-{number}", process::id()));
    fs::create_dir_all(&root).unwrap();
    for (name, bytes) in files {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    root
}

fn question(method: &str, url: &str, headers: &str) -> String {
    format!("{method} {url} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n")
}

fn answer(mut stream: impl Read) -> (String, Vec<u8>) {
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    let end = all.windows(4).position(|four| four == b"\r\n\r\n").expect("an answer has a head");
    let body = all.split_off(end + 4);
    (String::from_utf8(all).unwrap().to_lowercase(), body)
}

#[test]
fn a_file_comes_whole_with_its_type_and_length() {
    let long = "x".repeat(200_000);
    let files = [("index.html", "<p>page"), ("relp_bg.wasm", &long), ("card.md", "é")];
    let served = Served::new(&files);
    let (head, body) = served.get("/card.md");
    assert!(head.contains("content-type: text/plain; charset=utf-8"), "{head}");
    assert_eq!(body, "é");
    let (head, body) = served.get("/");
    assert!(head.starts_with("http/1.1 200"), "{head}");
    for header in [
        "content-type: text/html; charset=utf-8",
        "cache-control: no-cache",
        "x-content-type-options: nosniff",
        "access-control-allow-origin: *",
        "cross-origin-opener-policy: same-origin",
        "cross-origin-embedder-policy: require-corp",
        "cross-origin-resource-policy: cross-origin",
    ] {
        assert!(head.contains(header), "{head}");
    }
    assert_eq!(body, "<p>page");

    let (head, body) = served.get("/relp_bg.wasm?version=2");
    assert!(head.contains("content-type: application/wasm"), "{head}");
    assert!(head.contains("content-length: 200000"), "{head}");
    assert!(!head.contains("chunked"), "{head}");
    assert_eq!(body, long);
}

#[test]
fn every_kind_of_file_has_its_type() {
    let kinds = [
        ("a.wasm", "application/wasm"),
        ("a.js", "text/javascript; charset=utf-8"),
        ("a.mjs", "text/javascript; charset=utf-8"),
        ("a.css", "text/css; charset=utf-8"),
        ("a.json", "application/json"),
        ("a.webmanifest", "application/manifest+json"),
        ("a.safetensors", "application/octet-stream"),
        ("a.svg", "image/svg+xml"),
        ("a.png", "image/png"),
        ("a.csv", "text/csv; charset=utf-8"),
        ("a.unknown", "application/octet-stream"),
        ("folder/index.html", "text/html; charset=utf-8"),
    ];
    let served = Served::new(&kinds.map(|(name, _)| (name, "text")));
    for (name, kind) in kinds {
        let (head, _) = served.get(&format!("/{}", name.trim_end_matches("index.html")));
        assert!(head.contains(&format!("content-type: {kind}\r\n")), "{name}: {head}");
    }
}

#[test]
fn what_is_named_by_its_content_is_kept_and_the_rest_asked_for_again() {
    let hashed = "relp-app-988b1b686dfae5c0_bg.wasm";
    let served = Served::new(&[(hashed, "new"), ("sw.js", "new")]);
    let (head, _) = served.get(&format!("/{hashed}"));
    assert!(head.contains("cache-control: public, max-age=31536000, immutable"), "{head}");
    for url in ["/sw.js", "/missing-988b1b686dfae5c0.js"] {
        let (head, _) = served.get(url);
        assert!(head.contains("cache-control: no-cache"), "{url}: {head}");
    }
}

#[test]
fn what_is_there_compressed_is_sent_so_to_who_takes_it() {
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gz.write_all(b"the page").unwrap();
    let gz = gz.finish().unwrap();
    let files: [(&str, &[u8]); 3] =
        [("index.html", b"the page"), ("index.html.gz", &gz), ("index.html.br", b"brotli")];
    let served = Served::start(folder(files.into_iter()), None);
    for (takes, encoding, bytes) in [
        ("gzip", Some("gzip"), &gz[..]),
        ("gzip, br", Some("br"), b"brotli"),
        ("", None, b"the page"),
    ] {
        let (head, body) = served.ask("GET", "/", &format!("Accept-Encoding: {takes}\r\n"));
        assert!(head.contains("content-type: text/html; charset=utf-8"), "{head}");
        assert!(head.contains("vary: accept-encoding"), "{head}");
        let encoded = encoding.map(|encoding| format!("content-encoding: {encoding}"));
        assert!(encoded.is_none_or(|encoded| head.contains(&encoded)), "{head}");
        assert_eq!(head.contains("content-encoding"), encoding.is_some(), "{head}");
        assert_eq!(body, bytes, "{takes}");
    }
}

#[test]
fn texts_and_programs_are_compressed_on_the_way_and_neither_weights_nor_parts_are() {
    let text = "<p>page</p>".repeat(1000);
    let names = ["a.html", "a.js", "a.wasm", "a.json", "a.svg", "a.webmanifest"];
    let weights = ["model.safetensors", "a.png"];
    let files = names.iter().chain(&weights).map(|name| (*name, text.as_bytes()));
    let large = vec![b'x'; (16 << 20) + 1];
    let more = [("large.txt", &large[..]), ("small.txt", b"small")];
    let served = Served::start(folder(files.chain(more)), None);
    let accept = "Accept-Encoding: gzip\r\n";
    for name in names {
        let (head, body) = served.ask("GET", &format!("/{name}"), accept);
        assert!(head.contains("content-encoding: gzip"), "{name}: {head}");
        assert!(head.contains("vary: accept-encoding"), "{name}: {head}");
        assert!(!head.contains("\ncontent-length"), "{name}: {head}");
        let mut whole = String::new();
        flate2::read::GzDecoder::new(&dechunked(&body)[..]).read_to_string(&mut whole).unwrap();
        assert_eq!(whole, text, "{name}");
        let (head, _) = served.ask("HEAD", &format!("/{name}"), accept);
        assert!(head.contains(&format!("content-length: {}", text.len())), "{name}: {head}");
        assert!(!head.contains("content-encoding"), "{name}: {head}");
    }
    for name in weights.into_iter().chain(["large.txt", "small.txt", "missing.txt"]) {
        let (head, _) = served.ask("GET", &format!("/{name}"), accept);
        assert!(!head.contains("content-encoding"), "{name}: {head}");
        assert!(head.contains("\ncontent-length"), "{name}: {head}");
    }
    let asked = format!("{accept}Range: bytes=3-6\r\n");
    let (head, body) = served.ask("GET", "/a.html", &asked);
    assert!(head.starts_with("http/1.1 206") && !head.contains("content-encoding"), "{head}");
    assert_eq!(body, b"page");
}

/// The pieces of a body whose length was not known beforehand.
fn dechunked(mut body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    loop {
        let end = body.windows(2).position(|two| two == b"\r\n").unwrap();
        let length = usize::from_str_radix(str::from_utf8(&body[..end]).unwrap(), 16).unwrap();
        if length == 0 {
            return whole;
        }
        whole.extend(&body[end + 2..end + 2 + length]);
        body = &body[end + 2 + length + 2..];
    }
}

/// What somebody has may be of another file, which is not told by a time in seconds.
#[test]
fn a_part_that_is_wanted_only_of_the_same_file_comes_whole() {
    let served = Served::new(&[("model.safetensors", "0123456789")]);
    let asked = "Range: bytes=2-4\r\nIf-Range: \"tag\"\r\n";
    let (head, body) = served.ask("GET", "/model.safetensors", asked);
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert_eq!(body, b"0123456789");
}

#[test]
fn head_has_the_length_and_no_body() {
    let served = Served::new(&[("model.safetensors", "12345")]);
    let (head, body) = served.ask("HEAD", "/model.safetensors", "");
    assert!(head.contains("content-length: 5"), "{head}");
    assert!(head.contains("content-type: application/octet-stream"), "{head}");
    assert_eq!(body, b"");
}

#[test]
fn an_unchanged_file_is_not_sent_again_and_a_changed_one_is() {
    let served = Served::new(&[("worker.js", "old")]);
    let (head, _) = served.get("/worker.js");
    let modified = head.lines().find_map(|line| line.strip_prefix("last-modified: "));
    // In the case that a browser gives it back.
    let (date, zone) = modified.unwrap().rsplit_once(' ').unwrap();
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map_or_else(String::new, |first| {
            first.to_uppercase().chain(letters).collect::<String>()
        })
    };
    let date = date.split(' ').map(capital).collect::<Vec<_>>().join(" ");
    let again = format!("If-Modified-Since: {date} {}\r\n", zone.to_uppercase());
    let (head, body) = served.ask("GET", "/worker.js", &again);
    assert!(head.starts_with("http/1.1 304"), "{head}");
    assert_eq!(body, b"");

    fs::write(served.root.join("worker.js"), "newer").unwrap();
    // Times have seconds.
    let later = SystemTime::now() + Duration::from_secs(2);
    let file = fs::File::options().write(true).open(served.root.join("worker.js")).unwrap();
    file.set_modified(later).unwrap();
    let (head, body) = served.ask("GET", "/worker.js", &again);
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert_eq!(body, b"newer");
}

#[test]
fn a_range_is_sent_alone() {
    let served = Served::new(&[("model.safetensors", "0123456789")]);
    for (range, part, bytes) in
        [("2-4", "2-4", "234"), ("7-", "7-9", "789"), ("-3", "7-9", "789"), ("8-99", "8-9", "89")]
    {
        let asked = format!("Range: bytes={range}\r\n");
        let (head, body) = served.ask("GET", "/model.safetensors", &asked);
        assert!(head.starts_with("http/1.1 206"), "{range}: {head}");
        assert!(head.contains(&format!("content-range: bytes {part}/10")), "{range}: {head}");
        assert_eq!(body, bytes.as_bytes(), "{range}");
    }
    let (head, _) = served.ask("GET", "/model.safetensors", "Range: bytes=10-\r\n");
    assert!(head.starts_with("http/1.1 416"), "{head}");
    assert!(head.contains("content-range: bytes */10"), "{head}");
}

#[test]
fn what_is_not_there_is_404_and_what_is_outside_or_hidden_is_not_there() {
    let files = [
        ("dist/index.html", "page"),
        ("dist/.hidden", "secret"),
        ("dist/.git/config", "secret"),
        ("dist/empty/file.txt", "text"),
        ("secret.txt", "secret"),
    ];
    let outside = Served::new(&files);
    let served = Served::start(outside.root.join("dist"), None);
    for url in [
        "/missing",
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/%2E%2E%2fsecret.txt",
        "/..%2fsecret.txt",
        "/..%5csecret.txt",
        "/empty/../../secret.txt",
        "/empty%2ffile.txt",
        "/empty/",
        "/empty/file.txt/",
        "/.hidden",
        "/%2ehidden",
        "/.git/config",
        "/./index.html",
        "/%zz",
        "/%00",
        "/%ff",
        "/c:/x",
        "/etc/passwd",
        "//etc/passwd",
        "//index.html",
    ] {
        let (head, body) = served.get(url);
        assert!(head.starts_with("http/1.1 404"), "{url}: {head}");
        assert!(head.contains("content-type: text/plain"), "{url}: {head}");
        assert_eq!(body, "There is nothing at this address.\n", "{url}");
    }
    assert_eq!(served.get("/empty/file.txt").1, "text");
}

#[test]
#[cfg(unix)]
fn a_link_is_followed_inside_of_the_folder_and_not_out_of_it() {
    use std::os::unix::fs::symlink;
    let files = [
        ("dist/index.html", "page"),
        ("dist/plain.js", "plain"),
        ("dist/.hidden", "secret"),
        ("secret.txt", "secret"),
        ("folder/index.html", "secret"),
    ];
    let outside = Served::new(&files);
    let dist = outside.root.join("dist");
    let links = [
        ("../secret.txt", "out.txt"),
        ("../folder", "out"),
        (".hidden", "seen.txt"),
        ("../secret.txt", "plain.js.gz"),
        ("index.html", "same.html"),
    ];
    for (to, name) in links {
        symlink(to, dist.join(name)).unwrap();
    }
    let served = Served::start(dist, None);
    for url in ["/out.txt", "/out/", "/out", "/out/index.html", "/seen.txt", "/plain.js"] {
        let (head, body) = served.ask("GET", url, "Accept-Encoding: gzip\r\n");
        assert!(head.starts_with("http/1.1 404"), "{url}: {head}");
        assert!(!String::from_utf8_lossy(&body).contains("secret"), "{url}");
    }
    assert_eq!(served.get("/same.html").1, "page");
}

#[test]
fn a_folder_without_its_slash_leads_to_the_one_with_it() {
    let served = Served::new(&[("docs/index.html", "docs")]);
    let (head, _) = served.get("/docs");
    assert!(head.starts_with("http/1.1 307") && head.contains("location: /docs/"), "{head}");
    assert_eq!(served.get("/docs/").1, "docs");
}

#[test]
fn only_reading_is_served() {
    let served = Served::new(&[("index.html", "page")]);
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"] {
        let (head, body) = served.ask(method, "/", "Content-Length: 0\r\n");
        assert!(head.starts_with("http/1.1 405"), "{method}: {head}");
        assert!(head.contains("allow: get, head"), "{method}: {head}");
        assert_eq!(body, b"This server only hands out files: ask by GET or HEAD.\n");
    }
    assert_eq!(fs::read(served.root.join("index.html")).unwrap(), b"page");
}

/// A browser keeps connections that it may need, and opens many at once.
#[test]
fn idle_connections_keep_nobody_waiting() {
    for certificate in [None, Some(Certificate::new(&[]).unwrap())] {
        let page = [("index.html", &b"page"[..])];
        let served = Served::start(folder(page.into_iter()), certificate.clone());
        let idle: Vec<TcpStream> = (0..40).map(|_| served.connect()).collect();
        for _ in 0..20 {
            let body = match &certificate {
                None => served.ask("GET", "/", "").1,
                Some(certificate) => securely(&served, certificate, "localhost").unwrap().1,
            };
            assert_eq!(body, b"page");
        }
        drop(idle);
    }
}

#[test]
fn a_folder_that_is_not_there_is_a_sentence() {
    let site = Site::new(listen(Reach::ThisMachine, 0).unwrap(), "nowhere").unwrap();
    let error = site.run().unwrap_err().to_string();
    assert!(error.starts_with("nowhere cannot be read"), "{error}");
}

/// An answer to who trusts this certificate alone and wants it to be for this name.
fn securely(
    served: &Served,
    certificate: &Certificate,
    name: &'static str,
) -> io::Result<(String, Vec<u8>)> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(certificate.der().to_vec())).unwrap();
    let client = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = name.try_into().unwrap();
    let connection = ClientConnection::new(Arc::new(client), name).unwrap();
    let mut stream = StreamOwned::new(connection, served.connect());
    stream.write_all(question("GET", "/", "").as_bytes())?;
    Ok(answer(stream))
}

#[test]
fn a_made_certificate_is_good_for_this_machines_names_and_no_other() {
    let lan = "192.168.7.9".parse().unwrap();
    let certificate = Certificate::new(&[lan]).unwrap();
    let page = [("index.html", &b"page"[..])];
    let served = Served::start(folder(page.into_iter()), Some(certificate.clone()));
    for name in ["localhost", "127.0.0.1", "::1", "192.168.7.9"] {
        let (head, body) = securely(&served, &certificate, name).unwrap();
        assert!(head.starts_with("http/1.1 200"), "{name}: {head}");
        assert_eq!(body, b"page");
    }
    securely(&served, &certificate, "example.org").unwrap_err();
    let other = Certificate::new(&[lan]).unwrap();
    securely(&served, &other, "localhost").unwrap_err();
    assert_ne!(certificate.fingerprint(), other.fingerprint());
    let fingerprint = certificate.fingerprint();
    let bytes: Vec<&str> = fingerprint.split(':').collect();
    assert!(bytes.len() == 32 && bytes.iter().all(|byte| byte.len() == 2), "{bytes:?}");
}

#[test]
fn who_asks_a_secured_site_without_tls_is_sent_to_the_same_address_with_it() {
    let page = [("index.html", &b"page"[..])];
    let certificate = Certificate::new(&[]).unwrap();
    let served = Served::start(folder(page.into_iter()), Some(certificate));
    let (head, _) = served.get("/docs/?a");
    assert!(head.starts_with("http/1.1 307"), "{head}");
    assert!(head.contains("location: https://localhost/docs/?a\r\n"), "{head}");
    let mut nonsense = served.connect();
    nonsense.write_all(b"nonsense\r\n\r\n").unwrap();
    assert!(answer(nonsense).0.starts_with("http/1.1 400"));
}

#[test]
fn everyone_reaches_a_site_that_is_for_everyone() {
    let root = folder([("index.html", &b"page"[..])].into_iter());
    let site = Site::new(listen(Reach::Everyone, 0).unwrap(), &root).unwrap();
    let served = Served { site, root };
    let running = served.site.clone();
    thread::spawn(move || running.run());
    let port = served.site.address().unwrap().port();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(question("GET", "/", "").as_bytes()).unwrap();
    assert_eq!(answer(stream).1, b"page");
}
