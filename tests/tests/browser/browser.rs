//! Chromium by WebDriver, with everything that it logs.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder};
use serde_json::{Value, json};

/// A variable that `cargo xtask test` sets.
pub(crate) fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: run the browser's tests with `cargo xtask test --only browser`")
    })
}

/// Whether the browser has WebGPU, on a software adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WebGpu {
    Off,
    Software,
}

/// A browser with an empty profile, which can reach nothing but this machine.
pub(crate) struct Browser {
    pub(crate) client: Client,
    driver: Child,
    /// Where Chromium puts its profile, with every model that a test had it keep.
    profile: PathBuf,
    webgpu: WebGpu,
}

impl Browser {
    pub(crate) async fn start(webgpu: WebGpu) -> Self {
        // It wants one port for both kinds of addresses, and gives up where one of them is taken.
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("chromium");
        let profile = folder.join(std::process::id().to_string());
        std::fs::create_dir_all(&profile).unwrap();
        let mut started = start_driver(&profile);
        for _ in 1..5 {
            started = started.or_else(|_| start_driver(&profile));
        }
        let (driver, port) = started.expect("chromedriver starts");
        let mut args = vec![
            "--headless=new",
            "--no-sandbox",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--window-size=1280,900",
            // The name is this machine too, but not one that a browser trusts without encryption.
            "--host-resolver-rules=MAP insecure.test 127.0.0.1 , MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
            "--disable-features=HttpsUpgrades,HttpsFirstBalancedModeAutoEnable",
        ];
        if webgpu == WebGpu::Software {
            args.extend([
                "--enable-unsafe-webgpu",
                "--use-webgpu-adapter=swiftshader",
                "--enable-features=Vulkan",
            ]);
        }
        let capabilities = json!({
            "goog:chromeOptions": { "args": args, "binary": variable("RELP_CHROMIUM") },
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
        });
        let Value::Object(capabilities) = capabilities else { unreachable!("written as a map") };
        let client = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .expect("Chromium starts");
        Self { client, driver, profile, webgpu }
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

    /// Gives Chromium a command of its own protocol.
    pub(crate) async fn command(&self, cmd: &'static str, params: Value) {
        self.client.issue_cmd(Cdp(cmd, params)).await.expect("Chromium does it");
    }

    /// Looks at the page by a screen of this width, in the light or in the dark.
    pub(crate) async fn look(&self, width: u32, height: u64, scheme: &str) {
        let feature = json!({ "name": "prefers-color-scheme", "value": scheme });
        self.command("Emulation.setEmulatedMedia", json!({ "features": [feature] })).await;
        let size =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.command("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// What was logged: `browser` is the console, `performance` the network.
    async fn log(&self, kind: &'static str) -> Vec<Value> {
        match self.client.issue_cmd(Log(kind)).await.expect("the log can be read") {
            Value::Array(entries) => entries,
            other => panic!("not a log: {other}"),
        }
    }

    /// The console's warnings and errors. Chromium's own remark that it has no GPU is left out where
    /// it has none: a page cannot ask for one without it.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        let entries = self.log("browser").await;
        let bad = entries
            .iter()
            .filter(|entry| matches!(entry["level"].as_str(), Some("SEVERE" | "WARNING")))
            .filter_map(|entry| entry["message"].as_str());
        let expected = |message: &&str| {
            self.webgpu == WebGpu::Off && message.ends_with("- No available adapters.")
        };
        bad.filter(|message| !expected(message)).map(str::to_owned).collect()
    }

    /// Every address that was requested, by the page or its worker.
    pub(crate) async fn requests(&self) -> Vec<String> {
        let entries = self.log("performance").await;
        let urls = entries.iter().filter_map(|entry| {
            let message: Value = serde_json::from_str(entry["message"].as_str()?).ok()?;
            let message = &message["message"];
            let sent = message["method"] == "Network.requestWillBeSent";
            sent.then(|| message["params"]["request"]["url"].as_str().map(str::to_owned))?
        });
        urls.collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Ends Chromium too.
        let _gone = self.driver.kill();
        let _gone = self.driver.wait();
        // Chromium still writes into it for a moment.
        for _ in 0..50 {
            if std::fs::remove_dir_all(&self.profile).is_ok() {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// A chromedriver and the port that it chose, or else what it said.
fn start_driver(profile: &Path) -> Result<(Child, u16), String> {
    let mut driver = Command::new(variable("RELP_CHROMEDRIVER"))
        .arg("--port=0")
        .env("TMPDIR", profile)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("chromedriver is there");
    let output = BufReader::new(driver.stdout.take().expect("stdout is piped"));
    let mut said = String::new();
    for line in output.lines().map_while(Result::ok) {
        if let Some((_, port)) = line.split_once("started successfully on port ") {
            return Ok((driver, port.trim_end_matches('.').parse().expect("a port")));
        }
        said.push_str(&line);
    }
    let _gone = driver.wait();
    Err(said)
}

/// Chromium's own command to read a log.
#[derive(Debug)]
struct Log(&'static str);

impl WebDriverCompatibleCommand for Log {
    fn endpoint(
        &self,
        base_url: &url::Url,
        session_id: Option<&str>,
    ) -> Result<url::Url, url::ParseError> {
        base_url.join(&format!("session/{}/se/log", session_id.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(json!({ "type": self.0 }).to_string()))
    }
}

/// A command of the browser's debugging protocol.
#[derive(Debug)]
struct Cdp(&'static str, Value);

impl WebDriverCompatibleCommand for Cdp {
    fn endpoint(
        &self,
        base_url: &url::Url,
        session_id: Option<&str>,
    ) -> Result<url::Url, url::ParseError> {
        base_url.join(&format!("session/{}/goog/cdp/execute", session_id.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(json!({ "cmd": self.0, "params": self.1 }).to_string()))
    }
}
