//! How soon the built page shows a figure, on a first visit and on the next.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::chromium::Chromium;
use crate::server::{Kind, Server};
use crate::summary;

const VISITS: usize = 3;
/// No visit takes longer.
const MOST: Duration = Duration::from_secs(60);
/// When nothing more is asked for so long, all is kept.
const QUIET: Duration = Duration::from_millis(1500);

/// Notes when the picture of the first figure is there, when each figure is, and which files came when.
const WATCH: &str = "\
    window.seen = {}; \
    const note = (name) => (window.seen[name] ??= performance.now()); \
    document.addEventListener('load', ({ target }) => target.closest?.('#shell picture') && note('picture'), true); \
    new MutationObserver(() => { \
      const figure = document.querySelector('figure.map'); \
      if (figure) note(`figure ${figure.dataset.figure}`); \
    }).observe(document, { subtree: true, childList: true, attributes: true });";

/// Milliseconds of each visit.
#[derive(Default)]
struct Times {
    seen: Vec<f64>,
    usable: Vec<f64>,
    computed: Vec<f64>,
}

impl Times {
    fn add(&mut self, seen: &Value) -> Result<()> {
        let at = |name: &str| seen[name].as_f64();
        // The figure that comes with the page has the number 0 or 1, the computed one the next.
        let mut figures: Vec<f64> = (0..3).filter_map(|n| at(&format!("figure {n}"))).collect();
        figures.sort_by(f64::total_cmp);
        let [usable, .., computed] = figures.as_slice() else { bail!("the page shows no figure") };
        self.seen.push(at("picture").unwrap_or(*usable).min(*usable));
        self.usable.push(*usable);
        self.computed.push(*computed);
        Ok(())
    }
}

/// Visits and prints.
pub(crate) async fn run(dist: impl Into<PathBuf>) -> Result<()> {
    let dist = dist.into();
    let (mut cold, mut warm) = (Times::default(), Times::default());
    let (mut bytes, mut kept, mut again, mut peak) = (0, 0, 0, 0);
    for _ in 0..VISITS {
        let server = Server::start(&dist, Kind::Site)?;
        let browser = Chromium::start().await?;
        let params = json!({ "source": WATCH });
        browser.command("Page.addScriptToEvaluateOnNewDocument", params).await?;
        cold.add(&visit(&browser, &server).await?)?;
        bytes = server.sent.page();
        settle(&browser, &server).await?;
        kept = server.sent.kept();
        let before = server.sent.page() + kept;
        warm.add(&visit(&browser, &server).await?)?;
        again = server.sent.page() + server.sent.kept() - before;
        peak = browser.peak("renderer");
    }
    for (visit, times, bytes) in [("first", &cold, bytes), ("next", &warm, again)] {
        for (name, times) in
            [("seen", &times.seen), ("usable", &times.usable), ("computed", &times.computed)]
        {
            let [median, low, high] = summary(times).context("nothing was timed")?;
            let line = json!({
                "what": "visit", "visit": visit, "figure": name, "median": median, "low": low,
                "high": high, "bytes": bytes, "kept": kept, "renderer": peak,
            });
            println!("{line}");
        }
    }
    Ok(())
}

/// When what was seen.
async fn visit(browser: &Chromium, server: &Server) -> Result<Value> {
    browser.open(&server.url()).await?;
    let began = Instant::now();
    loop {
        let seen = browser.call("return window.seen", vec![]).await?;
        let figures = (0..3).filter(|n| seen[format!("figure {n}")].is_number()).count();
        if figures >= 2 {
            return Ok(seen);
        }
        if began.elapsed() > MOST {
            bail!("the page computed no figure: {seen}");
        }
        // Seldom, so that it is not what is measured.
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

/// Waits until the service worker has everything.
async fn settle(browser: &Chromium, server: &Server) -> Result<()> {
    let ready = "await Promise.race([navigator.serviceWorker.ready, new Promise((_, reject) => \
                 setTimeout(() => reject('the page is not kept'), 30000))]); return null";
    browser.call(ready, vec![]).await?;
    let began = Instant::now();
    let mut sent = (server.sent.page(), server.sent.kept());
    loop {
        tokio::time::sleep(QUIET).await;
        let now = (server.sent.page(), server.sent.kept());
        if now == sent || began.elapsed() > MOST {
            return Ok(());
        }
        sent = now;
    }
}
