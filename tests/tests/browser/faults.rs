//! Bad input, a bad server, and people who change their mind: explained, and nothing is lost.

use crate::browser::WebGpu;
use crate::page::Page;
use crate::reference::{Reference, headline};
use crate::server::{Fault, PageServer};

const WEIGHTS: &str = "models/primer/model.safetensors";

#[tokio::test]
async fn a_bad_pair_is_explained_and_the_last_figure_stays() {
    let page = Page::ready(WebGpu::Off).await;
    let problem = |id: &'static str, words: &'static str| {
        format!("document.querySelector('#{id}-problem').textContent.includes({words:?})")
    };
    page.write("#corrupted", "When John and Mary went to the shop, Mary gave").await;
    page.browser.wait(&problem("corrupted", "differ in length")).await;
    page.browser.wait("document.querySelector('.result').classList.contains('stale')").await;
    assert_eq!(page.text("#status").await, "These maps are of the previous input.");
    assert!(page.exists("#corrupted[aria-invalid=true]").await);
    assert!(page.exists("figure.map[data-figure='1']").await, "the last good figure stays");
    page.keep_picture("bad-pair").await;

    page.write("#corrupted", &headline().pair.clean).await;
    page.browser.wait(&problem("corrupted", "prompts are the same")).await;
    page.write("#clean", " ").await;
    page.browser.wait(&problem("clean", "is empty")).await;
    page.write("#clean", &"When John and Mary went ".repeat(20)).await;
    page.browser.wait(&problem("clean", "at most 64")).await;
    page.write("#answer", "Mary and John").await;
    page.browser.wait(&problem("answer", "tokens")).await;
    page.write("#answer", " Mary ").await;
    page.browser.wait(&problem("answer", "did you mean")).await;
    page.write("#answer", "Mary").await;
    page.browser.wait(&problem("answer", "no leading space")).await;
    page.write("#foil", "").await;
    page.press("#foil", "x\u{e003}").await;
    page.browser.wait(&problem("foil", "is empty")).await;

    let pair = headline().pair;
    page.write("#clean", &pair.clean).await;
    page.write("#corrupted", &pair.corrupted).await;
    page.write("#answer", &pair.answers[0]).await;
    page.write("#foil", &pair.foils[0]).await;
    page.browser.wait("!document.querySelector('.result').classList.contains('stale')").await;
    page.assert_shows(&Reference::load().figure(&headline())).await;
    page.close().await;
}

#[tokio::test]
async fn a_metric_that_cannot_normalise_is_explained() {
    let page = Page::ready(WebGpu::Off).await;
    page.click("#normalise").await;
    page.wait_for_figure(2).await;
    // Two words that the model finds as unlikely after the one prompt as after the other.
    page.write("#clean", "When John and Mary went to the shop").await;
    page.write("#corrupted", "When John and Mary went to the park").await;
    page.write("#answer", " one").await;
    page.write("#foil", " book").await;
    let told = "document.querySelector('#normalise-problem').textContent.includes('too close')";
    page.browser.wait(told).await;
    assert!(page.exists("#normalise[aria-invalid=true]").await);
    assert!(page.exists("figure.map").await, "the last good figure stays");
    page.browser.wait("document.querySelector('.result').classList.contains('stale')").await;
    page.click("#normalise").await;
    page.browser.wait("!document.querySelector('.result').classList.contains('stale')").await;
    assert!(!page.exists("#normalise[aria-invalid=true]").await);
    page.close().await;
}

#[tokio::test]
async fn loading_can_be_cancelled_and_taken_up_again() {
    let server = PageServer::start();
    server.break_file(WEIGHTS, Fault::Trickle);
    let mut page = Page::open_from(server, WebGpu::Off).await;
    page.browser.wait("document.querySelector('progress[value]') !== null").await;
    page.browser
        .wait("/[0-9] kB of 3.4 MB/.test(document.querySelector('#status').textContent)")
        .await;
    page.keep_picture("loading").await;
    page.click("#cancel").await;
    page.browser.wait("document.querySelector('#load') !== null").await;
    assert_eq!(page.text("#status").await, "No model is loaded.");
    assert!(!page.exists("#failure").await, "cancelling is no failure");
    page.server.mend();
    page.click("#load").await;
    page.wait_for_figure(1).await;
    page.expect_complaints();
    page.close().await;
}

#[tokio::test]
async fn a_run_can_be_cancelled() {
    let page = Page::ready(WebGpu::Off).await;
    page.select("#executor", "reference").await;
    page.wait_for_figure(2).await;
    // Long, and plain loops: seconds.
    let prompt = |last: &str| format!("{} {last}", "When John and Mary went to the shop".repeat(7));
    page.write("#clean", &prompt("John")).await;
    page.write("#corrupted", &prompt("Mary")).await;
    page.browser.wait("document.querySelector('#app').dataset.state === 'running'").await;
    page.browser.wait("document.querySelector('#cancel') !== null").await;
    page.click("#cancel").await;
    page.browser.wait("document.querySelector('#app').dataset.state === 'ready'").await;
    assert!(page.exists("figure.map[data-figure='2']").await, "the last good figure stays");
    assert_eq!(page.text("#status").await, "These maps are of the previous input.");
    // And it goes on.
    page.select("#example", "0").await;
    page.wait_for_figure(3).await;
    page.close().await;
}

#[tokio::test]
async fn a_bad_server_is_explained() {
    let server = PageServer::start();
    server.break_file(WEIGHTS, Fault::Missing);
    let mut page = Page::open_from(server, WebGpu::Off).await;
    page.expect_complaints();
    let failure = |words: &str| {
        format!("document.querySelector('#failure')?.textContent.includes({words:?}) === true")
    };
    page.browser.wait(&failure("the server does not have it (404)")).await;
    page.server.mend();
    page.server.break_file(WEIGHTS, Fault::Html);
    page.click("#load").await;
    page.browser.wait(&failure("model.safetensors cannot be read")).await;
    page.server.mend();
    page.server.break_file("models/primer/config.json", Fault::Html);
    page.click("#load").await;
    page.browser.wait(&failure("config.json cannot be read")).await;
    page.keep_picture("bad-server").await;
    page.server.mend();
    page.click("#load").await;
    page.wait_for_figure(1).await;
    page.close().await;
}

#[tokio::test]
async fn an_engine_that_does_not_start_is_explained() {
    let server = PageServer::start();
    server.break_file(&PageServer::engine(), Fault::Missing);
    let mut page = Page::open_from(server, WebGpu::Off).await;
    page.expect_complaints();
    page.browser.wait("document.querySelector('#failure') !== null").await;
    assert!(page.text("#failure").await.contains("The engine stopped unexpectedly"));
    page.write("#clean", "kept as it was written").await;
    page.server.mend();
    page.click("#load").await;
    page.browser.wait("document.querySelector('#app').dataset.state === 'ready'").await;
    let kept = page.browser.eval("document.querySelector('#clean').value").await;
    assert_eq!(kept, "kept as it was written");
    page.select("#example", "0").await;
    page.wait_for_figure(1).await;
    page.close().await;
}

/// The engine dies of a prompt: the page says so, keeps pair and figure, and starts another one.
#[tokio::test]
async fn a_crash_of_the_engine_loses_nothing() {
    let server = PageServer::start();
    let loader = String::from_utf8(PageServer::file(&PageServer::engine())).unwrap();
    let deadly = "self.addEventListener('message', (event) => {\n\
                  if (JSON.stringify(event.data)?.includes('museum')) {\n\
                  setTimeout(() => { throw new Error('unreachable'); }); } });\n";
    server.replace(&PageServer::engine(), format!("{deadly}{loader}").into_bytes());
    let mut page = Page::open_from(server, WebGpu::Off).await;
    page.expect_complaints();
    page.wait_for_figure(1).await;
    let clean = "When John and Mary went to the museum, John gave a drink to";
    page.write("#clean", clean).await;
    page.browser.wait("document.querySelector('#failure') !== null").await;
    let failure = page.text("#failure").await;
    assert!(
        failure.contains("stopped unexpectedly") && failure.contains("unreachable"),
        "{failure}"
    );
    assert_eq!(page.browser.eval("document.querySelector('#clean').value").await, clean);
    assert!(page.exists("figure.map[data-figure='1']").await, "the figure stays");
    page.keep_picture("crash").await;
    page.server.replace(&PageServer::engine(), loader);
    page.click("#load").await;
    page.browser.wait("document.querySelector('#failure') === null").await;
    // What was asked when it stopped is answered now.
    page.wait_for_figure(2).await;
    assert_eq!(page.browser.eval("document.querySelector('#clean').value").await, clean);
    page.select("#example", "1").await;
    page.wait_for_figure(3).await;
    page.close().await;
}
