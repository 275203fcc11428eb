//! `relp serve`: the page of a pack over a real connection.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::packs::{Place, WEIGHTS};
use crate::program::{PRIMER, answer, folder, path, refused, stderr};

/// The program while it serves.
struct Serving {
    child: Child,
    said: String,
    port: u16,
}

impl Serving {
    /// Starts it in a folder and reads what it says, to the line that ends so.
    fn start(program: &Path, at: &Path, args: &[&str], last: &str) -> Self {
        let mut command = Command::new(program);
        command.arg("serve").args(args).args(["--port", "0"]).current_dir(at);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut said = String::new();
        while !said.trim_end().ends_with(last) {
            said += &lines.next().expect("it says where the page is").unwrap();
            said.push('\n');
        }
        let port = said.split("127.0.0.1:").nth(1).or_else(|| said.split("localhost:").nth(1));
        let port = port.and_then(|port| port.split('/').next()?.parse().ok()).expect("a port");
        Self { child, said, port }
    }

    fn ask(&self, url: &str, headers: &str) -> (String, Vec<u8>) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let host = "Host: localhost\r\nConnection: close";
        write!(stream, "GET {url} HTTP/1.1\r\n{host}\r\n{headers}\r\n").unwrap();
        let mut all = Vec::new();
        stream.read_to_end(&mut all).unwrap();
        let end = all.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
        let body = all.split_off(end + 4);
        (String::from_utf8(all).unwrap().to_lowercase(), body)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}

#[test]
fn a_pack_is_served_by_its_own_program_with_its_models() {
    let place = Place::new("serve-pack");
    place.pack("stick");
    let stick = place.path("stick");
    let program = stick.join(format!("relp{}", std::env::consts::EXE_SUFFIX));
    // In its folder, and from elsewhere by the program's own place.
    for at in [stick, folder("serve-elsewhere")] {
        let serving = Serving::start(&program, &at, &[], "stops it).");
        assert!(serving.said.starts_with("The page is at http://127.0.0.1:"), "{}", serving.said);
        let (head, body) = serving.ask("/", "");
        assert!(head.starts_with("http/1.1 200"), "{head}");
        assert_eq!(body, b"<!doctype html><title>page</title>");
        let (_, here) = serving.ask("/models/here.json", "");
        assert!(String::from_utf8(here).unwrap().contains("someone/their-gpt2"));
        let weights = fs::read(Path::new(PRIMER).join("model.safetensors")).unwrap();
        let (head, body) = serving.ask(&format!("/{WEIGHTS}"), "Range: bytes=1000-1999\r\n");
        assert!(head.starts_with("http/1.1 206"), "{head}");
        let range = format!("content-range: bytes 1000-1999/{}", weights.len());
        assert!(head.contains(&range), "{head}");
        assert!(body == weights[1000..2000]);
        for outside in ["/../SHA256SUMS", "/%2e%2e/START.html", "/SHA256SUMS"] {
            assert!(serving.ask(outside, "").0.starts_with("http/1.1 404"), "{outside}");
        }
    }
}

/// The page asks for files as this command does.
#[test]
fn a_served_pack_is_a_hub_of_its_models() {
    let place = Place::new("serve-hub");
    place.pack("stick");
    let program = Path::new(env!("CARGO_BIN_EXE_relp"));
    let serving = Serving::start(program, &place.path("stick"), &[], "stops it).");
    let get = |name: &str| {
        Command::new(program)
            .args(["model", "get", name])
            .env_remove("HF_HUB_CACHE")
            .env_remove("HF_HUB_OFFLINE")
            .env_remove("HTTP_PROXY")
            .env("HF_HOME", place.path("another-home"))
            .env("HF_ENDPOINT", format!("http://127.0.0.1:{}/models/hub", serving.port))
            .output()
            .unwrap()
    };
    let output = get("someone/their-gpt2");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let weights = "another-home/hub/models--someone--their-gpt2/snapshots/main/model.safetensors";
    let same = fs::read(place.path(weights)).unwrap()
        == fs::read(Path::new(PRIMER).join("model.safetensors")).unwrap();
    assert!(same);
    // What was not packed is not there.
    assert_eq!(get("someone/other-gpt2").status.code(), Some(1));
}

#[test]
fn a_room_is_told_addresses_fingerprint_and_what_to_click() {
    let place = Place::new("serve-lan");
    let program = Path::new(env!("CARGO_BIN_EXE_relp"));
    let page = place.path("page");
    let serving = Serving::start(program, &page, &["--lan"], "another certificate.");
    let said = &serving.said;
    for part in ["https://localhost:", "SHA-256 fingerprint", "Advanced", "WebGPU"] {
        assert!(said.contains(part), "{part} in {said}");
    }
    let is_half = |line: &str| {
        let digits = line.trim().trim_end_matches(':').split(':');
        digits.clone().count() == 16 && { digits }.all(|digits| digits.len() == 2)
    };
    assert_eq!(said.lines().filter(|line| is_half(line)).count(), 2, "{said}");
    // It is https, and nothing is given away without.
    let (head, body) = serving.ask("/", "");
    assert!(!head.starts_with("http/1.1 200"), "{head}");
    assert!(!String::from_utf8_lossy(&body).contains("<title>page"));

    let serving = Serving::start(program, &page, &["--lan", "--http"], "the model anew.");
    assert!(serving.said.contains("http://localhost:"), "{}", serving.said);
    assert!(serving.said.contains("CPU and keeps nothing"), "{}", serving.said);
    assert_eq!(serving.ask("/", "").1, b"<!doctype html><title>page</title>");
}

#[test]
fn what_cannot_be_served_is_refused() {
    let empty = folder("serve-refused");
    refused(&["serve", path(&empty)], &["There is no page in", "relp pack"]);
    // The source of the page is no page.
    fs::write(empty.join("index.html"), "").unwrap();
    refused(&["serve", path(&empty)], &["There is no page in", "dist/"]);
    refused(&["serve", "nowhere"], &["There is no page in nowhere"]);
    refused(&["serve", "a", "b"], &["one folder", "`b`"]);
    refused(&["serve", "--port", "many"], &["--port takes a number"]);
    refused(&["serve", "--port"], &["--port takes a number"]);
    refused(&["serve", "--open"], &["--open", "relp serve --help"]);
    assert!(answer(&["serve", "--help"]).starts_with("relp serve [DIR]"));
    assert_eq!(answer(&["help", "serve"]), answer(&["serve", "--help"]));
}
