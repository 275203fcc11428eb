//! Chromium by WebDriver, with a profile of its own.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{fs, thread};

use anyhow::{Context, Result, anyhow};
use fantoccini::wd::{TimeoutConfiguration, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder};
use serde_json::{Value, json};

use crate::variable;

const ANNOUNCES: &str = "started successfully on port ";
/// No job takes longer.
const MOST: Duration = Duration::from_mins(10);

/// A browser with an empty profile and WebGPU on a software adapter; ends when dropped.
pub(crate) struct Chromium {
    client: Client,
    driver: Child,
    profile: PathBuf,
}

impl Chromium {
    pub(crate) async fn start() -> Result<Self> {
        let profile = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("bench-browser/{}", std::process::id()));
        fs::create_dir_all(&profile)?;
        let (mut driver, port) = start_driver(&profile)?;
        match connect(port).await {
            Ok(client) => Ok(Self { client, driver, profile }),
            Err(error) => {
                driver.kill()?;
                Err(error)
            }
        }
    }

    pub(crate) async fn open(&self, url: &str) -> Result<()> {
        self.client.goto(url).await.with_context(|| format!("{url} cannot be opened"))
    }

    /// Evaluates the body of an asynchronous function.
    pub(crate) async fn call(&self, body: &str, args: Vec<Value>) -> Result<Value> {
        let script = format!(
            "const done = arguments[arguments.length - 1]; \
             (async (args) => {{ {body} }})(arguments).then(done, (error) => done({{ error: String(error) }}));"
        );
        let answer = self.client.execute_async(&script, args).await.context("the page is gone")?;
        match answer["error"].as_str() {
            Some(error) => Err(anyhow!("in the browser: {error}")),
            None => Ok(answer),
        }
    }

    /// Gives Chromium a command of its own protocol.
    pub(crate) async fn command(&self, cmd: &'static str, params: Value) -> Result<Value> {
        self.client.issue_cmd(Cdp(cmd, params)).await.context("Chromium refuses")
    }

    pub(crate) async fn version(&self) -> Result<String> {
        let version = self.command("Browser.getVersion", json!({})).await?;
        Ok(version["product"].as_str().unwrap_or("an unnamed browser").replace("Headless", ""))
    }

    /// The most bytes of memory that a process of a kind, such as `renderer`, has had so far.
    pub(crate) fn peak(&self, kind: &str) -> u64 {
        let is_one = |process: &u32| {
            let words = fs::read_to_string(format!("/proc/{process}/cmdline")).unwrap_or_default();
            words.contains(&format!("--type={kind}"))
        };
        let all = self.browser().into_iter().filter(is_one);
        all.filter_map(high_water).max().unwrap_or_default()
    }

    /// The browser's processes, those that started others first.
    fn browser(&self) -> Vec<u32> {
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

impl Drop for Chromium {
    fn drop(&mut self) {
        // Chromium does not end with its driver, and what is left of it would be measured with the next.
        let ids = self.browser().into_iter().map(|process| process.to_string());
        let _gone = Command::new("kill").args(ids).status();
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

async fn connect(port: u16) -> Result<Client> {
    let args = [
        "--headless=new",
        "--no-sandbox",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-dev-shm-usage",
        "--window-size=1280,900",
        "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
        "--enable-unsafe-webgpu",
        "--use-webgpu-adapter=swiftshader",
        "--enable-features=Vulkan",
    ];
    let capabilities = json!({
        "goog:chromeOptions": { "args": args, "binary": variable("RELP_CHROMIUM")? },
    });
    let Value::Object(capabilities) = capabilities else {
        return Err(anyhow!("capabilities are a map"));
    };
    let client = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new())
        .capabilities(capabilities)
        .connect(&format!("http://127.0.0.1:{port}"))
        .await
        .context(
            "Chromium does not start: see that chromium and chromedriver are of one version",
        )?;
    client.update_timeouts(TimeoutConfiguration::new(Some(MOST), Some(MOST), None)).await?;
    Ok(client)
}

fn start_driver(profile: &Path) -> Result<(Child, u16)> {
    let program = variable("RELP_CHROMEDRIVER")?;
    let mut said = String::new();
    // It wants one port for both kinds of addresses, and gives up where one of them is taken.
    for _ in 0..5 {
        let mut driver = Command::new(&program)
            .arg("--port=0")
            .env("TMPDIR", profile)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("{program} cannot be started"))?;
        let output = driver.stdout.take().context("it has an output")?;
        let mut lines = BufReader::new(output).lines().map_while(Result::ok);
        for line in lines.by_ref() {
            let port =
                line.split_once(ANNOUNCES).map(|(_, port)| port.trim_end_matches('.').parse());
            if let Some(port) = port {
                thread::spawn(move || lines.for_each(drop));
                return Ok((driver, port?));
            }
            said = line;
        }
        driver.wait()?;
    }
    Err(anyhow!("chromedriver does not start: {said}"))
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

/// In bytes.
fn high_water(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kib| 1024 * kib)
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
