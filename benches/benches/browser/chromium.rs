//! Chromium, and what is called in its page.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use fantoccini::wd::TimeoutConfiguration;
use relp_benches::most_memory;
use relp_tests::chromium::{self, Programs};
use relp_tests::webdriver::Session;
use serde_json::{Map, Value, json};

use crate::variable;

/// No job takes longer.
const MOST: Duration = Duration::from_mins(10);

/// A browser with an empty profile and WebGPU on a software adapter; ends when dropped.
pub(crate) struct Chromium(Session);

impl Chromium {
    pub(crate) async fn start() -> Result<Self> {
        let programs = Programs {
            browser: variable("RELP_CHROMIUM")?,
            driver: variable("RELP_CHROMEDRIVER")?,
        };
        let profiles = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench-browser");
        let session = chromium::start(&programs, &profiles, true, Map::new()).await;
        let session = session.map_err(|said| {
            anyhow!("see that chromium and chromedriver are of one version: {said}")
        })?;
        let timeouts = TimeoutConfiguration::new(Some(MOST), Some(MOST), None);
        session.client.update_timeouts(timeouts).await?;
        Ok(Self(session))
    }

    pub(crate) async fn open(&self, url: &str) -> Result<()> {
        self.0.client.goto(url).await.with_context(|| format!("{url} cannot be opened"))
    }

    /// Evaluates the body of an asynchronous function.
    pub(crate) async fn call(&self, body: &str, args: Vec<Value>) -> Result<Value> {
        let script = format!(
            "const done = arguments[arguments.length - 1]; \
             (async (args) => {{ {body} }})(arguments).then(done, (error) => done({{ error: String(error) }}));"
        );
        let answer =
            self.0.client.execute_async(&script, args).await.context("the page is gone")?;
        match answer["error"].as_str() {
            Some(error) => Err(anyhow!("in the browser: {error}")),
            None => Ok(answer),
        }
    }

    /// Gives Chromium a command of its own protocol.
    pub(crate) async fn command(&self, cmd: &'static str, params: Value) -> Result<Value> {
        chromium::command(&self.0, cmd, params).await.context("Chromium refuses")
    }

    pub(crate) async fn version(&self) -> Result<String> {
        let version = self.command("Browser.getVersion", json!({})).await?;
        Ok(version["product"].as_str().unwrap_or("an unnamed browser").replace("Headless", ""))
    }

    /// The most bytes of memory that a process of a kind, such as `renderer`, has had so far.
    pub(crate) fn peak(&self, kind: &str) -> u64 {
        let all = self.0.processes().into_iter().filter(|process| {
            let words = std::fs::read_to_string(format!("/proc/{process}/cmdline"));
            words.is_ok_and(|words| words.contains(&format!("--type={kind}")))
        });
        all.filter_map(|process| most_memory(&process.to_string())).max().unwrap_or_default()
    }
}
