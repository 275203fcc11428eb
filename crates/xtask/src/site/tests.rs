//! The server as a browser meets it, over a real connection, and its pure parts.

use std::{
    io::Write,
    net::TcpStream,
    process,
    sync::atomic::{AtomicU32, Ordering},
};

use super::*;

/// A served folder that goes when the test does.
struct Served {
    site: Site,
    root: PathBuf,
}

impl Served {
    fn new(files: &[(&str, &str)]) -> Result<Self> {
        static FOLDERS: AtomicU32 = AtomicU32::new(0);
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let root = std::env::temp_dir().join(format!("xtask-site-{}-{number}", process::id()));
        for (name, text) in files {
            let path = root.join(name);
            fs::create_dir_all(path.parent().context("a file is in a folder")?)?;
            fs::write(path, text)?;
        }
        let site = Site::new(TcpListener::bind(("127.0.0.1", 0))?, &root)?;
        let running = site.clone();
        thread::spawn(move || running.run());
        Ok(Self { site, root })
    }

    /// The status line and headers of one answer, in lower case, and its body.
    fn ask(&self, method: &str, url: &str, headers: &str) -> Result<(String, String)> {
        let mut stream = TcpStream::connect(self.site.address())?;
        write!(
            stream,
            "{method} {url} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n"
        )?;
        let mut all = String::new();
        stream.read_to_string(&mut all)?;
        let (head, body) = all.split_once("\r\n\r\n").context("an answer has a head")?;
        Ok((head.to_lowercase(), body.to_owned()))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.site.stop();
        let _left = fs::remove_dir_all(&self.root);
    }
}

#[test]
fn a_file_comes_whole_with_its_type_and_length() -> Result<()> {
    let long = "x".repeat(200_000);
    let served = Served::new(&[("index.html", "<p>page"), ("relp_bg.wasm", &long)])?;
    let (head, body) = served.ask("GET", "/", "")?;
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert!(head.contains("content-type: text/html; charset=utf-8"), "{head}");
    assert!(head.contains("cache-control: no-cache"), "{head}");
    assert_eq!(body, "<p>page");

    let (head, body) = served.ask("GET", "/relp_bg.wasm?version=2", "")?;
    assert!(head.contains("content-type: application/wasm"), "{head}");
    assert!(head.contains("content-length: 200000"), "{head}");
    assert!(!head.contains("chunked"), "{head}");
    assert_eq!(body, long);
    Ok(())
}

#[test]
fn head_has_the_length_and_no_body() -> Result<()> {
    let served = Served::new(&[("model.safetensors", "12345")])?;
    let (head, body) = served.ask("HEAD", "/model.safetensors", "")?;
    assert!(head.contains("content-length: 5"), "{head}");
    assert!(head.contains("content-type: application/octet-stream"), "{head}");
    assert_eq!(body, "");
    Ok(())
}

#[test]
fn an_unchanged_file_is_not_sent_again_and_a_changed_one_is() -> Result<()> {
    let served = Served::new(&[("worker.js", "old")])?;
    let (head, _) = served.ask("GET", "/worker.js", "")?;
    let tag =
        head.lines().find_map(|line| line.strip_prefix("etag: ")).context("a file has a tag")?;
    let again = format!("If-None-Match: {tag}\r\n");
    let (head, body) = served.ask("GET", "/worker.js", &again)?;
    assert!(head.starts_with("http/1.1 304"), "{head}");
    assert_eq!(body, "");

    fs::write(served.root.join("worker.js"), "newer")?;
    let (head, body) = served.ask("GET", "/worker.js", &again)?;
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert_eq!(body, "newer");
    Ok(())
}

#[test]
fn a_range_is_sent_alone() -> Result<()> {
    let served = Served::new(&[("model.safetensors", "0123456789")])?;
    let (head, body) = served.ask("GET", "/model.safetensors", "Range: bytes=2-4\r\n")?;
    assert!(head.starts_with("http/1.1 206"), "{head}");
    assert!(head.contains("content-range: bytes 2-4/10"), "{head}");
    assert_eq!(body, "234");
    let (head, _) = served.ask("GET", "/model.safetensors", "Range: bytes=10-\r\n")?;
    assert!(head.starts_with("http/1.1 416"), "{head}");
    assert!(head.contains("content-range: bytes */10"), "{head}");
    Ok(())
}

#[test]
fn what_is_not_there_is_404_and_what_is_outside_is_not_there() -> Result<()> {
    let served = Served::new(&[("dist/index.html", "page"), ("secret.txt", "secret")])?;
    let inside = Served {
        site: Site::new(TcpListener::bind(("127.0.0.1", 0))?, served.root.join("dist"))?,
        root: served.root.join("dist"),
    };
    let running = inside.site.clone();
    thread::spawn(move || running.run());
    for url in [
        "/missing",
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/..%5csecret.txt",
        "/index.html/",
        "/%zz",
        "/%00",
        "/etc/passwd",
        "//etc/passwd",
    ] {
        let (head, body) = inside.ask("GET", url, "")?;
        assert!(head.starts_with("http/1.1 404"), "{url}: {head}");
        assert!(!body.contains("secret") && !body.contains("root:"), "{url}");
    }
    Ok(())
}

#[test]
fn only_reading_is_served() -> Result<()> {
    let served = Served::new(&[("index.html", "page")])?;
    let (head, _) = served.ask("POST", "/", "Content-Length: 0\r\n")?;
    assert!(head.starts_with("http/1.1 405"), "{head}");
    Ok(())
}

#[test]
fn ranges_are_read_as_rfc_9110_has_them() {
    assert_eq!(byte_range("bytes=0-", 10), Some(Some(0..10)));
    assert_eq!(byte_range("bytes=2-99", 10), Some(Some(2..10)));
    assert_eq!(byte_range("bytes=-3", 10), Some(Some(7..10)));
    assert_eq!(byte_range("bytes=-30", 10), Some(Some(0..10)));
    assert_eq!(byte_range("bytes=10-", 10), Some(None));
    assert_eq!(byte_range("bytes=0-", 0), Some(None));
    for ignored in ["bytes=4-2", "bytes=0-1,4-5", "bytes=-", "lines=1-2", "bytes=a-b"] {
        assert_eq!(byte_range(ignored, 10), None, "{ignored}");
    }
}
