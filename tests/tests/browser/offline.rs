//! The page without a network, a new version of it, and the page as an app.

use relp_tests::hex;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::browser::WebGpu;
use crate::learning::take_every_lesson;
use crate::page::Page;
use crate::server::{Fault, PageServer};

pub(crate) const KEPT: &str = "document.querySelector('#kept-offline') !== null";
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

#[tokio::test]
async fn every_lesson_is_taken_when_the_server_is_gone() {
    let mut page = Page::ready(WebGpu::Off).await;
    page.expect_complaints();
    page.browser.wait(KEPT).await;
    page.server.leave();
    page.browser.client.refresh().await.unwrap();
    page.wait_for_figure(1).await;
    take_every_lesson(&page).await;
    page.close().await;
}

/// By Chromium's own judgement, and what it would show is kept with the page.
#[tokio::test]
async fn the_page_can_be_installed_as_an_app() {
    let mut page = Page::ready(WebGpu::Off).await;
    let manifest = page.browser.command("Page.getAppManifest", json!({})).await;
    assert_eq!(manifest["errors"], json!([]));
    let address = page.server.url();
    assert_eq!(manifest["url"], format!("{address}manifest.webmanifest"));
    let own: Value = serde_json::from_str(manifest["data"].as_str().unwrap()).unwrap();
    let description = page.browser.eval("document.querySelector('[name=description]').content");
    assert_eq!(own["description"], description.await);
    for scheme in ["light", "dark"] {
        page.browser.look(1280, 900, scheme).await;
        let paper = "getComputedStyle(document.body).getPropertyValue('--paper').trim()";
        let paper = page.browser.eval(paper).await;
        let around = "[...document.querySelectorAll('[name=theme-color]')]\
                      .filter(meta => matchMedia(meta.media).matches).map(meta => meta.content)";
        assert_eq!(page.browser.eval(around).await, json!([paper]), "{scheme}");
        if scheme == "light" {
            assert_eq!((&own["theme_color"], &own["background_color"]), (&paper, &paper));
        }
    }
    page.browser.look(1280, 900, "light").await;
    let hindrances = page.browser.command("Page.getInstallabilityErrors", json!({})).await;
    assert_eq!(hindrances["installabilityErrors"], json!([]));

    page.expect_complaints();
    page.browser.wait(KEPT).await;
    page.server.leave();
    page.browser.client.refresh().await.unwrap();
    page.wait_for_figure(1).await;
    let kind = |file: &str| {
        format!("fetch({file:?}).then(answer => answer.headers.get('Content-Type').split(';')[0])")
    };
    let found = page.browser.eval(&kind("manifest.webmanifest")).await;
    assert_eq!(found, "application/manifest+json");
    let mut icons = own["icons"].as_array().unwrap().clone();
    icons.push(json!({ "src": "apple-touch-icon.png", "type": "image/png", "sizes": "180x180" }));
    for icon in icons {
        let src = icon["src"].as_str().unwrap();
        assert_eq!(page.browser.eval(&kind(src)).await, icon["type"], "{src}");
        let size = format!(
            "(async image => {{ image.src = {src:?}; await image.decode(); \
             return image.naturalWidth + 'x' + image.naturalHeight; }})(new Image())"
        );
        let size = page.browser.eval(&size).await;
        assert!(icon["sizes"] == "any" || icon["sizes"] == size, "{icon} is {size}");
    }
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
