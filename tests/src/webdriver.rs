//! A browser that is driven by WebDriver, whichever it is.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{fs, thread};

use fantoccini::{Client, ClientBuilder};
use serde_json::{Map, Value};

/// Lines that go on coming.
type Heard = Arc<Mutex<Vec<String>>>;

/// A driver with its browser.
pub struct Session {
    /// By which it is driven.
    pub client: Client,
    driver: Child,
    /// Every line that they wrote.
    heard: Heard,
    /// Where the browser puts its profile, with every model that a test had it keep.
    profile: PathBuf,
}

impl Session {
    /// Starts a driver, which is given a folder in `profiles` for the profile and tells its port in a line after what
    /// it `announces`, and a browser by it.
    ///
    /// # Errors
    /// If one of them does not start, with what it said.
    pub async fn start(
        profiles: &Path,
        driver: impl Fn(&Path) -> Command,
        announces: &str,
        capabilities: Map<String, Value>,
    ) -> Result<Self, String> {
        let profile = profiles.join(std::process::id().to_string());
        fs::create_dir_all(&profile).map_err(|error| format!("{}: {error}", profile.display()))?;
        // chromedriver wants one port for both kinds of addresses, and gives up where one of them is taken.
        let mut started = start_driver(driver(&profile), announces);
        for _ in 1..5 {
            started = started.or_else(|_| start_driver(driver(&profile), announces));
        }
        let (mut driver, port, heard) = started?;
        let client = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await;
        match client {
            Ok(client) => Ok(Self { client, driver, heard, profile }),
            Err(error) => {
                let _gone = driver.kill();
                Err(format!("the browser does not start: {error}"))
            }
        }
    }

    /// Evaluates `return …;`.
    ///
    /// # Panics
    /// If it throws.
    pub async fn eval(&self, script: &str) -> Value {
        let script = format!("return {script};");
        self.client.execute(&script, vec![]).await.unwrap_or_else(|e| panic!("{script}: {e}"))
    }

    /// Waits until an expression is true.
    ///
    /// # Panics
    /// If it does not become true.
    pub async fn wait(&self, condition: &str) {
        self.wait_for(Duration::from_secs(90), condition).await;
    }

    /// Waits until an expression is true, at most so long.
    ///
    /// # Panics
    /// If it does not become true.
    pub async fn wait_for(&self, most: Duration, condition: &str) {
        let began = Instant::now();
        while self.eval(condition).await != Value::Bool(true) {
            if began.elapsed() > most {
                let text = self.eval("document.body.innerText").await;
                panic!("waited in vain for {condition}; the page says:\n{text}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// What driver and browser have written so far, line by line.
    pub fn heard(&self) -> Vec<String> {
        lock(&self.heard).clone()
    }

    /// The browser's processes, those that started others first; none where the system does not tell (but on Linux).
    pub fn processes(&self) -> Vec<u32> {
        let all = processes();
        let mut family = vec![self.driver.id()];
        let mut at = 0;
        while let Some(&parent) = family.get(at) {
            family.extend(all.iter().filter(|(_, of)| *of == parent).map(|(process, _)| *process));
            at += 1;
        }
        family.split_off(1)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Chromium need not end with its driver.
        let ids = self.processes().into_iter().map(|process| process.to_string());
        let _gone = Command::new("kill").args(ids).stderr(Stdio::null()).status();
        let _gone = self.driver.kill();
        let _gone = self.driver.wait();
        // The browser still writes into it for a moment.
        for _ in 0..50 {
            if fs::remove_dir_all(&self.profile).is_ok() {
                break;
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Every process with its parent.
fn processes() -> Vec<(u32, u32)> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let of = |entry: fs::DirEntry| {
        let id = entry.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
        // After the name, which may have anything in it: state, parent.
        let parent = stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()?;
        Some((id, parent))
    };
    entries.filter_map(of).collect()
}

fn lock(heard: &Heard) -> MutexGuard<'_, Vec<String>> {
    // Lines are added whole.
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A driver, the port that it chose, and what it writes; or else what it said.
fn start_driver(mut driver: Command, announces: &str) -> Result<(Child, u16, Heard), String> {
    let program = driver.get_program().to_string_lossy().into_owned();
    let failed = |error: std::io::Error| format!("{program} cannot be started: {error}");
    let (output, input) = std::io::pipe().map_err(failed)?;
    driver.stdout(input.try_clone().map_err(failed)?).stderr(input);
    let mut process = driver.spawn().map_err(failed)?;
    // It has the other end of the pipe, too.
    drop(driver);
    let mut lines = BufReader::new(output)
        .split(b'\n')
        .map_while(Result::ok)
        .map(|line| String::from_utf8_lossy(&line).into_owned());
    let mut said = Vec::new();
    for line in lines.by_ref() {
        let port = line
            .split_once(announces)
            .and_then(|(_, port)| port.trim_end_matches('.').parse().ok());
        said.push(line);
        if let Some(port) = port {
            let heard = Arc::new(Mutex::new(said));
            let hearing = heard.clone();
            thread::spawn(move || lines.for_each(|line| lock(&hearing).push(line)));
            return Ok((process, port, heard));
        }
    }
    let _gone = process.wait();
    Err(said.join("\n"))
}
