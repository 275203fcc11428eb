//! Two figures beside each other or in turn, and the way back from a head.

use crate::browser::WebGpu;
use crate::page::Page;

async fn first_value(page: &Page, at: usize) -> f64 {
    let script = format!(
        "Number(document.querySelectorAll('figure[data-site=resid_pre]')[{at}]\
         .querySelector('rect[data-layer=\"5\"][data-column=\"14\"]').dataset.value)"
    );
    page.browser.eval(&script).await.as_f64().unwrap()
}

#[tokio::test]
async fn a_figure_stands_beside_the_exact_answer_and_the_one_before() {
    let page = Page::ready(WebGpu::Off).await;
    page.browser.wait("document.querySelector('#agreement table') !== null").await;
    let before = "document.querySelector('#beside option[value=before]').disabled";
    assert_eq!(page.browser.eval(before).await, true, "there is none");
    let own = first_value(&page, 0).await;
    page.select("#beside", "exact").await;
    let count = "document.querySelectorAll('figure.map').length";
    assert_eq!(page.browser.eval(count).await, 8, "four maps, each twice");
    let exact = first_value(&page, 1).await;
    assert!(own != exact && (own - exact).abs() < 0.2 * exact.abs(), "{own} {exact}");
    assert!(page.text(".maps").await.contains("the exact answer"));
    // What is looked at is looked at in both.
    page.press("figure[data-site=resid_pre] svg", "\u{e010}").await;
    let here = "document.querySelectorAll('figure[data-site=resid_pre] .here').length";
    assert_eq!(page.browser.eval(here).await, 2);
    for width in [390, 768, 1280] {
        for scheme in ["light", "dark"] {
            page.browser.look(width, 900, scheme).await;
            page.keep_element("#app", &format!("beside-{scheme}-{width}")).await;
        }
    }
    page.browser.look(1280, 900, "light").await;
    // Another method, beside the figure before it.
    page.click("#method-atp").await;
    page.wait_for_figure(2).await;
    page.select("#beside", "before").await;
    assert!((first_value(&page, 1).await - own).abs() < 1e-6);
    assert!((first_value(&page, 0).await - own).abs() > 1e-6);
    page.select("#beside", "nothing").await;
    assert_eq!(page.browser.eval(count).await, 4);
    page.close().await;
}

#[tokio::test]
async fn figures_flicker_in_place() {
    let page = Page::ready(WebGpu::Off).await;
    page.browser.wait("document.querySelector('#agreement table') !== null").await;
    let own = first_value(&page, 0).await;
    page.select("#beside", "exact").await;
    page.click("#flicker").await;
    let count = "document.querySelectorAll('figure.map').length";
    assert_eq!(page.browser.eval(count).await, 4, "one in the place of the other");
    let value = "document.querySelector('figure[data-site=resid_pre] rect[data-layer=\"5\"][data-column=\"14\"]').dataset.value";
    for _ in 0..2 {
        page.browser.wait(&format!("Number({value}) !== {own}")).await;
        page.browser.wait(&format!("Number({value}) === {own}")).await;
    }
    page.close().await;
}

#[tokio::test]
async fn the_path_leads_from_the_figure_to_a_head_and_back() {
    let page = Page::ready(WebGpu::Off).await;
    assert!(!page.exists("#path").await, "one is nowhere yet");
    page.press("figure[data-site=resid_pre] svg", "\u{e010}").await;
    page.press("figure[data-site=resid_pre] svg", "\u{e007}").await;
    page.browser.wait("document.querySelector('#path') !== null").await;
    assert!(page.text("#path").await.contains("layer 0, position"));
    // From the cell's table to one of its heads.
    page.click("#pinned tbody .link").await;
    page.browser.wait("document.querySelector('.attention') !== null").await;
    assert!(page.text("#path").await.contains("head 0"));
    page.keep_element("#app", "path").await;
    page.click("#path-cell").await;
    page.browser.wait("document.querySelector('.attention') === null").await;
    assert!(page.exists("#pinned").await);
    page.click("#path-figure").await;
    page.browser.wait("document.querySelector('#pinned') === null").await;
    assert!(!page.exists("#path").await);
    page.close().await;
}
