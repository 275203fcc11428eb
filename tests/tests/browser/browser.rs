//! Chromium by WebDriver, with everything that it logs.

use std::ops::Deref;

use fantoccini::wd::WebDriverCompatibleCommand;
use relp_tests::chromium::{self, Programs};
use serde_json::{Map, Value, json};

pub(crate) use crate::session::variable;
use crate::session::{Session, profiles};

/// Whether the browser has WebGPU, on a software adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WebGpu {
    Off,
    Software,
}

/// A browser with an empty profile, which can reach nothing but this machine.
pub(crate) struct Browser {
    session: Session,
    webgpu: WebGpu,
}

impl Browser {
    pub(crate) async fn start(webgpu: WebGpu) -> Self {
        let programs =
            Programs { browser: variable("RELP_CHROMIUM"), driver: variable("RELP_CHROMEDRIVER") };
        let logging = json!({ "browser": "ALL", "performance": "ALL" });
        let capabilities = Map::from_iter([("goog:loggingPrefs".to_owned(), logging)]);
        let with_webgpu = webgpu == WebGpu::Software;
        let session =
            chromium::start(&programs, &profiles("chromium"), with_webgpu, capabilities).await;
        let session = session.expect("Chromium starts");
        Self { session, webgpu }
    }

    /// Gives Chromium a command of its own protocol.
    pub(crate) async fn command(&self, cmd: &'static str, params: Value) -> Value {
        chromium::command(&self.session, cmd, params).await.expect("Chromium does it")
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

impl Deref for Browser {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.session
    }
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
