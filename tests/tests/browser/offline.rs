//! The page without a network, and a new version of it.

use relp_tests::hex;
use sha2::{Digest, Sha256};

use crate::browser::WebGpu;
use crate::page::Page;
use crate::server::{Fault, PageServer};

const KEPT: &str = "document.querySelector('#kept-offline') !== null";
const NEW: &str = "document.querySelector('#new-version') !== null";

#[tokio::test]
async fn the_page_opens_and_computes_when_its_server_is_gone() {
    let mut page = Page::ready(WebGpu::Off).await;
    page.expect_complaints();
    page.browser.wait(KEPT).await;
    let metric = page.text("#metric-clean").await;
    page.server.leave();
    page.browser.client.refresh().await.unwrap();
    page.wait_for_figure(1).await;
    assert_eq!(page.text("#metric-clean").await, metric);
    // By its other address as well.
    let url = format!("{}index.html?again#here", page.server.url());
    page.browser.client.goto(&url).await.unwrap();
    page.wait_for_figure(1).await;
    page.select("#example", "1").await;
    page.wait_for_figure(2).await;
    page.close().await;
}

/// The page's server with another title in the page, and a list that says so.
fn move_on(server: &PageServer) {
    let old = PageServer::file("index.html");
    let new = String::from_utf8(old.clone()).unwrap().replace("<title>RelP", "<title>New RelP");
    let hash = |content: &[u8]| hex(&Sha256::digest(content));
    let list = String::from_utf8(PageServer::file("sw.js")).unwrap();
    let new_list = list.replace(&hash(&old), &hash(new.as_bytes()));
    assert!(new.contains("New RelP") && new_list != list);
    server.replace("index.html", new);
    server.replace("sw.js", new_list);
}

#[tokio::test]
async fn a_new_version_is_used_whole_and_when_it_is_asked_for() {
    let mut page = Page::ready(WebGpu::Off).await;
    page.expect_complaints();
    page.browser.wait(KEPT).await;
    move_on(&page.server);
    // A file that is not of this version is not kept, and the old version stays.
    page.server.replace("models/primer/config.json", "{}");
    let broken = String::from_utf8(PageServer::file("models/primer/config.json")).unwrap();
    page.server.break_file("index.html", Fault::Html);
    page.browser.client.refresh().await.unwrap();
    page.wait_for_figure(1).await;
    page.browser.wait(KEPT).await;
    assert!(!page.exists("#new-version").await);
    assert_eq!(page.browser.client.title().await.unwrap(), "RelP Playground");
    page.server.mend();
    page.server.replace("models/primer/config.json", broken);

    page.browser.client.refresh().await.unwrap();
    page.wait_for_figure(1).await;
    page.browser.wait(NEW).await;
    page.keep_picture("new-version").await;
    assert_eq!(page.browser.client.title().await.unwrap(), "RelP Playground");

    // Not while another tab has the old one.
    let first = page.browser.client.window().await.unwrap();
    let second = page.browser.client.new_window(true).await.unwrap();
    page.browser.client.switch_to_window(second.handle).await.unwrap();
    page.browser.client.goto(&page.server.url()).await.unwrap();
    page.wait_for_figure(1).await;
    page.browser.wait(NEW).await;
    page.click("#new-version button").await;
    let told = "document.querySelector('#new-version').textContent.includes('other tabs')";
    page.browser.wait(told).await;
    page.browser.client.close_window().await.unwrap();
    page.browser.client.switch_to_window(first).await.unwrap();

    page.click("#new-version button").await;
    page.browser.wait("document.title === 'New RelP Playground'").await;
    page.wait_for_figure(1).await;
    page.browser.wait(KEPT).await;
    assert!(!page.exists("#new-version").await);
    page.close().await;
}
