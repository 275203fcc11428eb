//! A browser that is driven by WebDriver, whichever it is.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use fantoccini::{Client, ClientBuilder};
use serde_json::Value;

/// A variable that `cargo xtask test` sets.
pub(crate) fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: run the browser's tests with `cargo xtask test --only browser`")
    })
}

/// Lines that go on coming.
type Heard = Arc<Mutex<Vec<String>>>;

/// A driver with its browser.
pub(crate) struct Session {
    pub(crate) client: Client,
    driver: Child,
    /// Every line that they wrote.
    heard: Heard,
    /// Where the browser puts its profile, with every model that a test had it keep.
    profile: PathBuf,
}

impl Session {
    /// Starts a driver, which is given a folder for the profile and tells its port in a line after what
    /// it `announces`, and a browser by it.
    pub(crate) async fn start(
        browser: &str,
        driver: impl Fn(&Path) -> Command,
        announces: &str,
        capabilities: Value,
    ) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(browser);
        let profile = folder.join(std::process::id().to_string());
        std::fs::create_dir_all(&profile).unwrap();
        // chromedriver wants one port for both kinds of addresses, and gives up where one of them is taken.
        let mut started = start_driver(driver(&profile), announces);
        for _ in 1..5 {
            started = started.or_else(|_| start_driver(driver(&profile), announces));
        }
        let (driver, port, heard) = started.expect("the driver starts");
        let Value::Object(capabilities) = capabilities else { panic!("capabilities are a map") };
        let client = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .expect("the browser starts");
        Self { client, driver, heard, profile }
    }

    /// Evaluates `return …;`.
    pub(crate) async fn eval(&self, script: &str) -> Value {
        let script = format!("return {script};");
        self.client.execute(&script, vec![]).await.unwrap_or_else(|e| panic!("{script}: {e}"))
    }

    /// Waits until an expression is true.
    pub(crate) async fn wait(&self, condition: &str) {
        self.wait_for(Duration::from_secs(90), condition).await;
    }

    /// Waits until an expression is true, at most so long.
    pub(crate) async fn wait_for(&self, most: Duration, condition: &str) {
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
    pub(crate) fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Chromium ends with its driver.
        let _gone = self.driver.kill();
        let _gone = self.driver.wait();
        // The browser still writes into it for a moment.
        for _ in 0..50 {
            if std::fs::remove_dir_all(&self.profile).is_ok() {
                break;
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// A driver, the port that it chose, and what it writes; or else what it said.
fn start_driver(mut driver: Command, announces: &str) -> Result<(Child, u16, Heard), String> {
    let (output, input) = std::io::pipe().expect("there are pipes");
    driver.stdout(input.try_clone().expect("a pipe has two ends")).stderr(input);
    let mut process = driver.spawn().expect("the driver is there");
    // It has the other end of the pipe, too.
    drop(driver);
    let mut lines = BufReader::new(output)
        .split(b'\n')
        .map_while(Result::ok)
        .map(|line| String::from_utf8_lossy(&line).into_owned());
    let mut said = Vec::new();
    for line in lines.by_ref() {
        let port = line.split_once(announces).map(|(_, port)| port.trim_end_matches('.').parse());
        said.push(line);
        if let Some(port) = port {
            let heard = Arc::new(Mutex::new(said));
            let hearing = heard.clone();
            thread::spawn(move || lines.for_each(|line| hearing.lock().unwrap().push(line)));
            return Ok((process, port.expect("a port"), heard));
        }
    }
    let _gone = process.wait();
    Err(said.join("\n"))
}
