//! Chromium without a window, with an empty profile, which can reach nothing but this machine.

use std::path::Path;
use std::process::Command;

use fantoccini::error::CmdError;
use fantoccini::wd::WebDriverCompatibleCommand;
use serde_json::{Map, Value, json};

use crate::webdriver::Session;

/// What it is always started with.
const ARGS: [&str; 11] = [
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
/// WebGPU on a software adapter.
const SOFTWARE_WEBGPU: [&str; 3] =
    ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan"];

/// The programs.
pub struct Programs {
    /// Chromium.
    pub browser: String,
    /// chromedriver.
    pub driver: String,
}

/// Starts it with its profile in a folder of `profiles`, and with these capabilities beside.
///
/// # Errors
/// If it does not start, with what it said.
pub async fn start(
    programs: &Programs,
    profiles: &Path,
    webgpu: bool,
    mut capabilities: Map<String, Value>,
) -> Result<Session, String> {
    let mut args = ARGS.to_vec();
    if webgpu {
        args.extend(SOFTWARE_WEBGPU);
    }
    let options = json!({ "args": args, "binary": programs.browser });
    capabilities.insert("goog:chromeOptions".to_owned(), options);
    let driver = |profile: &Path| {
        let mut driver = Command::new(&programs.driver);
        driver.arg("--port=0").env("TMPDIR", profile);
        driver
    };
    Session::start(profiles, driver, "started successfully on port ", capabilities).await
}

/// Gives it a command of its own protocol.
///
/// # Errors
/// If it refuses.
pub async fn command(
    session: &Session,
    cmd: &'static str,
    params: Value,
) -> Result<Value, CmdError> {
    session.client.issue_cmd(Cdp(cmd, params)).await
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
