//! The page as a person uses it.

use std::ops::Deref;
use std::path::{Path, PathBuf};

use fantoccini::Locator;
use relp_model::{Figure, Site};
use relp_tests::compare::{Tolerance, assert_close};
use serde_json::{Value, json};

use crate::browser::{Browser, WebGpu};
use crate::firefox::Firefox;
use crate::server::PageServer;
use crate::session::Session;

/// An open page with its server.
pub(crate) struct Page<B = Browser> {
    pub(crate) browser: B,
    pub(crate) server: PageServer,
    /// The console may complain about a fault that the test makes.
    complaints_expected: bool,
    /// Other addresses that the page may ask.
    allowed: Vec<String>,
}

impl Page {
    /// Opens the page.
    pub(crate) async fn open(webgpu: WebGpu) -> Self {
        Self::open_from(PageServer::start(), webgpu).await
    }

    /// Opens the page and waits for its first figure.
    pub(crate) async fn ready(webgpu: WebGpu) -> Self {
        let page = Self::open(webgpu).await;
        page.wait_for_figure(1).await;
        page
    }

    /// Opens the page from a server that may have faults.
    pub(crate) async fn open_from(server: PageServer, webgpu: WebGpu) -> Self {
        let browser = Browser::start(webgpu).await;
        browser.client.goto(&server.url()).await.unwrap();
        Self::at(browser, server)
    }

    /// Ends the test: nothing was complained about, and nothing asked of another host.
    pub(crate) async fn close(self) {
        self.assert_clean(&self.browser.complaints().await);
        let requests = self.browser.requests().await;
        let address = self.server.url();
        assert!(requests.iter().any(|url| url.starts_with(&address)), "no request was seen");
        let own = |url: &String| {
            url.starts_with(&address)
                || self.allowed.iter().any(|address| url.starts_with(address))
                || url.starts_with("data:")
                || url.starts_with("blob:")
        };
        let foreign: Vec<&String> = requests.iter().filter(|url| !own(url)).collect();
        assert!(foreign.is_empty(), "requests to other hosts: {foreign:?}");
        self.browser.client.clone().close().await.unwrap();
    }

    /// Drops a file or folder of this machine onto an element.
    pub(crate) async fn drop_onto(&self, selector: &str, path: &Path) {
        let place = "document.querySelector(selector).getBoundingClientRect()";
        let place = place.replace("selector", &format!("{selector:?}"));
        let at = self.browser.eval(&format!("(at => [at.x + 5, at.y + 5])({place})")).await;
        let data = json!({ "items": [], "files": [path], "dragOperationsMask": 1 });
        for kind in ["dragEnter", "dragOver", "drop"] {
            let event = json!({ "type": kind, "x": at[0], "y": at[1], "data": data });
            self.browser.command("Input.dispatchDragEvent", event).await;
        }
    }
}

impl Page<Firefox> {
    /// Opens the page in Firefox and waits for its first figure.
    pub(crate) async fn in_firefox(server: PageServer) -> Self {
        let browser = Firefox::start().await;
        browser.client.goto(&server.url()).await.unwrap();
        let page = Self::at(browser, server);
        page.wait_for_figure(1).await;
        page
    }

    /// Ends the test: nothing was complained about, and nothing asked of another host.
    pub(crate) async fn close(self) {
        self.assert_clean(&self.browser.complaints().await);
        let asked = self.browser.asked();
        assert!(asked.is_empty(), "requests to other hosts: {asked:?}");
    }
}

impl<B: Deref<Target = Session>> Page<B> {
    fn at(browser: B, server: PageServer) -> Self {
        Self { browser, server, complaints_expected: false, allowed: Vec::new() }
    }

    pub(crate) fn expect_complaints(&mut self) {
        self.complaints_expected = true;
    }

    /// The page may ask this address too.
    pub(crate) fn allow(&mut self, address: &str) {
        self.allowed.push(address.to_owned());
    }

    fn assert_clean(&self, complaints: &[String]) {
        if !self.complaints_expected {
            assert!(complaints.is_empty(), "the console says {complaints:#?}");
        }
    }

    /// Waits until figure `number` of this visit is shown and nothing is going on.
    pub(crate) async fn wait_for_figure(&self, number: u32) {
        let shown = format!(
            "document.querySelector('figure.map')?.dataset.figure === '{number}' \
             && document.querySelector('#app').dataset.state === 'ready'"
        );
        self.browser.wait(&shown).await;
    }

    /// Has the GPU compute, and waits until it has computed figure `number`.
    pub(crate) async fn move_to_gpu(&self, number: u32) {
        self.select("#executor", "gpu").await;
        self.wait_for_figure(number).await;
        assert!(self.text("#device").await.starts_with("GPU"), "{}", self.text("#device").await);
    }

    pub(crate) async fn text(&self, selector: &str) -> String {
        let script = format!("document.querySelector({selector:?})?.textContent ?? ''");
        self.browser.eval(&script).await.as_str().unwrap_or_default().to_owned()
    }

    pub(crate) async fn exists(&self, selector: &str) -> bool {
        self.browser.eval(&format!("document.querySelector({selector:?}) !== null")).await == true
    }

    /// Clicks what is there, or what the page puts in its place between the driver's look and its click.
    pub(crate) async fn click(&self, selector: &str) {
        for _ in 0..5 {
            let element = self.browser.client.find(Locator::Css(selector)).await;
            match element.unwrap_or_else(|e| panic!("{selector}: {e}")).click().await {
                Err(error) if error.is_stale_element_reference() => {}
                done => return done.unwrap_or_else(|e| panic!("{selector}: {e}")),
            }
        }
        panic!("{selector}: the page puts another in its place all the time");
    }

    /// Replaces the text of a field, as a person does.
    pub(crate) async fn write(&self, selector: &str, text: &str) {
        let element = self.browser.client.find(Locator::Css(selector)).await.unwrap();
        element.clear().await.unwrap();
        element.send_keys(text).await.unwrap();
    }

    /// Chooses from a list, also from one that is folded away.
    pub(crate) async fn select(&self, selector: &str, value: &str) {
        let unfold = format!(
            "document.querySelector({selector:?}).closest('details')?.setAttribute('open', '')"
        );
        self.browser.eval(&unfold).await;
        let element = self.browser.client.find(Locator::Css(selector)).await.unwrap();
        element.select_by_value(value).await.unwrap();
    }

    pub(crate) async fn press(&self, selector: &str, key: &str) {
        let element = self.browser.client.find(Locator::Css(selector)).await.unwrap();
        element.send_keys(key).await.unwrap();
    }

    /// The scores of a map, row by row from layer 0.
    async fn scores(&self, site: Site) -> Vec<f64> {
        let script = format!(
            "[...document.querySelectorAll('figure[data-site={site}] rect[data-value]')] \
             .sort((a, b) => a.dataset.layer - b.dataset.layer \
             || a.dataset.column - b.dataset.column).map(cell => Number(cell.dataset.value))"
        );
        let values = self.browser.eval(&script).await;
        values.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
    }

    /// Compares everything that the page shows with a figure computed natively.
    pub(crate) async fn assert_shows(&self, expected: &Figure) {
        for site in Site::PAPER {
            let found = self.scores(site).await;
            assert_close(site.name(), &expected.maps[&site].values, &found, Tolerance::GOLDEN);
        }
        for (id, expected) in
            [("clean", expected.metric.clean), ("corrupted", expected.metric.corrupted)]
        {
            let script = format!("Number(document.querySelector('#metric-{id}').dataset.value)");
            let found = self.browser.eval(&script).await.as_f64().unwrap();
            assert!((expected - found).abs() <= 1e-4 * expected.abs() + 1e-6, "{expected} {found}");
        }
        let top = self.text(".predictions li .token").await;
        assert_eq!(top.replace('·', " "), expected.predictions.clean[0].token.text);
    }

    /// Keeps a picture of an element among the test's artefacts.
    pub(crate) async fn keep_element(&self, selector: &str, name: &str) {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("screenshots");
        std::fs::create_dir_all(&folder).unwrap();
        let element = self.browser.client.find(Locator::Css(selector)).await.unwrap();
        let picture = element.screenshot().await.unwrap();
        std::fs::write(folder.join(format!("{name}.png")), picture).unwrap();
    }

    /// Keeps a picture of the whole page among the test's artefacts.
    pub(crate) async fn keep_picture(&self, name: &str) {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("screenshots");
        std::fs::create_dir_all(&folder).unwrap();
        let height = self.browser.eval("document.documentElement.scrollHeight + 100").await;
        let width = self.browser.eval("window.outerWidth").await;
        let size = |value: &Value| value.as_u64().unwrap() as u32;
        self.browser.client.set_window_size(size(&width), size(&height)).await.unwrap();
        let picture = self.browser.client.screenshot().await.unwrap();
        std::fs::write(folder.join(format!("{name}.png")), picture).unwrap();
    }
}

/// Keeps a figure among the test's artefacts.
pub(crate) fn measured(name: &str, text: &str) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("measured");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(name), text).unwrap();
}
