//! Firefox by WebDriver, with what it logs and whatever it asks of other hosts.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::ops::Deref;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use relp_tests::http::{self, Question};
use serde_json::{Map, Value, json};

use crate::session::{Session, profiles, variable};

/// Firefox without a window, with an empty profile, which can reach nothing but this machine.
pub(crate) struct Firefox {
    session: Session,
    process: u64,
    proxy: Proxy,
}

impl Firefox {
    pub(crate) async fn start() -> Self {
        let proxy = Proxy::start();
        let options = json!({
            "binary": variable("RELP_FIREFOX"),
            "args": ["-headless", "--width", "1280", "--height", "900"],
            "prefs": preferences(proxy.port),
        });
        let capabilities = Map::from_iter([("moz:firefoxOptions".to_owned(), options)]);
        let driver = |profile: &std::path::Path| {
            let mut driver = Command::new(variable("RELP_GECKODRIVER"));
            driver.args(["--port", "0", "--websocket-port", "0", "--profile-root"]).arg(profile);
            // With this, Firefox ends rather than reach another machine, and leaves its settings where
            // the driver puts them: nowhere.
            driver.env("MOZ_DISABLE_NONLOCAL_CONNECTIONS", "1");
            driver
        };
        let announces = "Listening on 127.0.0.1:";
        let session = Session::start(&profiles("firefox"), driver, announces, capabilities).await;
        let session = session.expect("Firefox starts");
        let process = session.client.capabilities().and_then(|all| all["moz:processID"].as_u64());
        Self { session, process: process.expect("Firefox has a process"), proxy }
    }

    /// The warnings and errors that the page and its workers wrote to the console, and what nobody
    /// caught. Firefox writes them out, but not what the console says of the network and of styles.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        const END: &str = "console.log: \"all was heard\"";
        self.eval("console.log('all was heard')").await;
        let began = Instant::now();
        while !self.heard().iter().any(|line| line == END) {
            assert!(began.elapsed() < Duration::from_secs(10), "the console is not heard");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        // Scripts of its own fail as well.
        let is_own = |line: &str| line.contains("resource://") || line.contains("chrome://");
        let bad = |line: &String| {
            ["console.error:", "console.warn:", "JavaScript error:"]
                .iter()
                .any(|kind| line.starts_with(kind))
                && !is_own(line)
        };
        self.heard().into_iter().filter(bad).collect()
    }

    /// What was asked of other hosts, in vain.
    pub(crate) fn asked(&self) -> BTreeSet<String> {
        self.proxy.asked.lock().unwrap().clone()
    }
}

impl Deref for Firefox {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.session
    }
}

impl Drop for Firefox {
    fn drop(&mut self) {
        // The driver would leave it behind.
        let _gone = Command::new("kill").args(["-KILL", &self.process.to_string()]).status();
    }
}

/// Beside what the driver sets, which is that Firefox asks nothing on its own: everything goes to the
/// proxy but what goes to this machine, and what is logged is written out.
fn preferences(proxy: u16) -> Value {
    json!({
        "browser.region.network.url": "",
        "browser.region.update.enabled": false,
        "browser.safebrowsing.downloads.remote.enabled": false,
        "browser.safebrowsing.malware.enabled": false,
        "browser.safebrowsing.phishing.enabled": false,
        "browser.search.update": false,
        "devtools.console.stdout.chrome": false,
        "devtools.console.stdout.content": true,
        "dom.push.connection.enabled": false,
        "extensions.systemAddon.update.enabled": false,
        "network.captive-portal-service.enabled": false,
        "network.connectivity-service.enabled": false,
        "network.dns.disablePrefetch": true,
        "network.dns.disabled": true,
        "network.http.speculative-parallel-limit": 0,
        "network.predictor.enabled": false,
        "network.prefetch-next": false,
        "network.proxy.http": "127.0.0.1",
        "network.proxy.http_port": proxy,
        "network.proxy.ssl": "127.0.0.1",
        "network.proxy.ssl_port": proxy,
        "network.proxy.type": 1,
        "network.trr.mode": 5,
        "toolkit.telemetry.enabled": false,
        "toolkit.telemetry.server": "",
    })
}

/// A proxy that passes nothing on, and remembers what it was asked for.
struct Proxy {
    port: u16,
    asked: Arc<Mutex<BTreeSet<String>>>,
}

impl Proxy {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::<Mutex<BTreeSet<String>>>::default();
        let asking = asked.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if let Ok(question) = Question::read(&stream) {
                    asking.lock().unwrap().insert(question.path);
                }
                drop(http::write_head(&stream, 502, &["Content-Length: 0".to_owned()]));
            }
        });
        Self { port, asked }
    }
}
