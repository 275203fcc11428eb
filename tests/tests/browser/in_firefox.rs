//! The page in Firefox, which has no WebGPU where these tests run: the CPU computes.

use relp_model::{PairText, Request};

use crate::figures::check_every_switch;
use crate::firefox::Firefox;
use crate::offline::KEPT;
use crate::page::Page;
use crate::reference::{Reference, headline};
use crate::server::PageServer;
use crate::sharing::exported;

const OVERFLOWS: &str =
    "document.documentElement.scrollWidth > document.documentElement.clientWidth";

#[tokio::test]
async fn firefox_shows_the_references_numbers() {
    let page = Page::in_firefox(PageServer::start()).await;
    assert!(page.text("#device").await.starts_with("CPU"), "{}", page.text("#device").await);
    assert!(page.text("#fallback").await.contains("WebGPU finds no GPU"));
    check_every_switch(&page, 1).await;
    page.close().await;
}

#[tokio::test]
async fn firefox_answers_another_question() {
    let page = Page::in_firefox(PageServer::start()).await;
    page.select("#example", "1").await;
    page.wait_for_figure(2).await;
    page.write("#answer", " Ella").await;
    let is_answered = "document.querySelector('#app').dataset.state === 'ready' \
                       && document.querySelector('#caption').textContent.includes('logit(\" Ella\")')";
    page.browser.wait(is_answered).await;
    let pair = PairText {
        clean: "When John and Mary went to the shops, John gave the bag to".to_owned(),
        corrupted: "When John and Mary went to the shops, Mary gave the bag to".to_owned(),
        answers: vec![" Ella".to_owned()],
        ..headline().pair
    };
    page.assert_shows(&Reference::load().figure(&Request { pair, ..headline() })).await;
    page.close().await;
}

/// Its windows are 500 pixels wide at least, so that the narrow page is a frame.
#[tokio::test]
async fn firefox_shows_nothing_beyond_the_edge() {
    let server = PageServer::start();
    let frame = "<!doctype html><iframe src=\"./\" style=\"width: 390px; height: 900px\"></iframe>";
    server.replace("frame.html", frame);
    let page = Page::in_firefox(server).await;
    page.browser.wait("document.querySelector('#agreement table') !== null").await;
    assert_eq!(page.browser.eval("window.innerWidth").await, 1280);
    assert_eq!(page.browser.eval(OVERFLOWS).await, false);
    page.keep_element("#app", "firefox-1280").await;

    page.browser.client.goto(&format!("{}frame.html", page.server.url())).await.unwrap();
    page.browser.client.enter_frame(0).await.unwrap();
    page.wait_for_figure(1).await;
    page.browser.wait("document.querySelector('#agreement table') !== null").await;
    assert_eq!(page.browser.eval("window.innerWidth").await, 390);
    assert_eq!(page.browser.eval(OVERFLOWS).await, false);
    page.keep_element("#app", "firefox-390").await;
    page.close().await;
}

#[tokio::test]
async fn firefox_exports_the_figure_as_the_command_line_does() {
    let page = Page::in_firefox(PageServer::start()).await;
    page.browser.wait("document.querySelector('#agreement table') !== null").await;
    page.click("#export").await;
    page.browser.wait("document.querySelector('#export-preview')?.complete === true").await;
    let figure = serde_json::from_slice(&exported(&page, "json").await).unwrap();
    let (style, format) = (relp_print::Style::default(), relp_print::Format::Svg);
    let expected = relp_print::print(&relp_print::Print::of(&figure), &style, format).unwrap();
    assert!(exported(&page, "svg").await == expected);
    page.close().await;
}

#[tokio::test]
async fn firefox_keeps_the_page_and_opens_it_when_its_server_is_gone() {
    let page = Page::in_firefox(PageServer::start()).await;
    page.browser.wait(KEPT).await;
    let metric = page.text("#metric-clean").await;
    page.server.leave();
    // Its driver's reload is one that goes past everything that is kept.
    page.browser.client.goto(&page.server.url()).await.unwrap();
    page.wait_for_figure(1).await;
    assert_eq!(page.text("#metric-clean").await, metric);
    page.click("#method-atp").await;
    page.wait_for_figure(2).await;
    page.close().await;
}

#[tokio::test]
async fn firefox_opens_the_documents() {
    let server = PageServer::start();
    let firefox = Firefox::start().await;
    for name in ["guide", "embedding", "methods", "agreement", "design"] {
        firefox.client.goto(&format!("{}docs/{name}.html", server.url())).await.unwrap();
        let heading = firefox.eval("document.querySelector('h1').checkVisibility()").await;
        assert_eq!(heading, true, "{name}");
        assert_eq!(firefox.eval(OVERFLOWS).await, false, "{name}");
        // Their styles came.
        let styles = firefox.eval("[...document.styleSheets].every(one => one.cssRules.length)");
        assert_eq!(styles.await, true, "{name}");
    }
    assert_eq!(firefox.complaints().await, Vec::<String>::new());
    assert!(firefox.asked().is_empty());
}

/// What the other tests find to be clean would be seen.
#[tokio::test]
async fn in_firefox_complaints_and_other_hosts_are_noticed() {
    let server = PageServer::start();
    let script = "console.warn('warned'); Promise.reject(new Error('rejected')); \
                  const worker = \"console.error('by a worker'); postMessage(0)\"; \
                  new Worker(URL.createObjectURL(new Blob([worker]))).onmessage = () => { \
                  fetch('https://other.test/a').catch(() => fetch('http://other.test/b')) \
                  .then(answer => { document.title = answer.status; }, () => { document.title = 'in vain'; }); };";
    server.replace("bad.html", format!("<!doctype html><script>{script}</script>"));
    let firefox = Firefox::start().await;
    firefox.client.goto(&format!("{}bad.html", server.url())).await.unwrap();
    firefox.wait("document.title === 'in vain'").await;
    let complaints = firefox.complaints().await;
    for part in ["\"warned\"", "Error: rejected", "\"by a worker\""] {
        assert!(complaints.iter().any(|line| line.contains(part)), "{part}: {complaints:?}");
    }
    let asked: Vec<String> = firefox.asked().into_iter().collect();
    assert_eq!(asked, ["http://other.test/b", "other.test:443"]);
}
