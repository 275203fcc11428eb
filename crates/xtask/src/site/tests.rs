//! The server as a browser meets it, over a real connection.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    process,
    sync::atomic::{AtomicU32, Ordering},
    thread,
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
        let mut stream = TcpStream::connect(self.site.address()?)?;
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
    let files = [("index.html", "<p>page"), ("relp_bg.wasm", &long), ("card.md", "é")];
    let served = Served::new(&files)?;
    let (head, body) = served.ask("GET", "/card.md", "")?;
    assert!(head.contains("content-type: text/plain; charset=utf-8"), "{head}");
    assert_eq!(body, "é");
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
    let modified = head
        .lines()
        .find_map(|line| line.strip_prefix("last-modified: "))
        .context("a file has a time")?
        .to_owned();
    // In the case that a browser gives it back.
    let (date, zone) = modified.rsplit_once(' ').context("a time has a zone")?;
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map_or_else(String::new, |first| {
            first.to_uppercase().chain(letters).collect::<String>()
        })
    };
    let date = date.split(' ').map(capital).collect::<Vec<_>>().join(" ");
    let again = format!("If-Modified-Since: {date} {}\r\n", zone.to_uppercase());
    let (head, body) = served.ask("GET", "/worker.js", &again)?;
    assert!(head.starts_with("http/1.1 304"), "{head}");
    assert_eq!(body, "");

    fs::write(served.root.join("worker.js"), "newer")?;
    // Times have seconds.
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(2);
    fs::File::options().write(true).open(served.root.join("worker.js"))?.set_modified(later)?;
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

/// A browser keeps connections that it may need, and opens many at once.
#[test]
fn idle_connections_keep_nobody_waiting() -> Result<()> {
    let served = Served::new(&[("index.html", "page")])?;
    let idle: Vec<TcpStream> = (0..40)
        .map(|_| TcpStream::connect(served.site.address()?).map_err(Into::into))
        .collect::<Result<_>>()?;
    for _ in 0..20 {
        assert_eq!(served.ask("GET", "/", "")?.1, "page");
    }
    drop(idle);
    Ok(())
}
