//! The exact answer: what the page shows of it is what the native reference computes.

use relp_model::{Method, Request, Site, agreement};

use crate::browser::WebGpu;
use crate::page::Page;
use crate::reference::{Reference, headline};

/// Waits until the agreement is shown.
async fn wait_for_agreement(page: &Page) {
    page.browser.wait("document.querySelector('#agreement table') !== null").await;
}

/// Compares the agreement that is shown with that of two native figures.
async fn assert_agrees(page: &Page, reference: &mut Reference, request: &Request) {
    let method = reference.figure(request);
    let exact = reference.figure(&Request { method: Method::Ap, ..request.clone() });
    let rows = agreement(&method, &exact);
    assert_eq!(rows.len(), 4, "three sites, and mlp_out without layer 0");
    for row in rows {
        let selector = format!(
            "#agreement tr[data-site={}][data-without={}]",
            row.site.name(),
            row.without_layer_0
        );
        let script = format!("Number(document.querySelector({selector:?}).dataset.pearson)");
        let found = page.browser.eval(&script).await.as_f64().unwrap();
        let expected = row.agreement.pearson.unwrap();
        assert!((expected - found).abs() < 1e-3, "{}: {expected} {found}", row.site);
    }
}

async fn check_exact(page: &Page) {
    let mut reference = Reference::load();
    let request = headline();
    wait_for_agreement(page).await;
    assert_agrees(page, &mut reference, &request).await;

    page.click("#scores-exact").await;
    let exact = reference.figure(&Request { method: Method::Ap, ..request.clone() });
    page.assert_shows(&exact).await;
    assert!(page.text("#caption").await.starts_with("AP, clean into corrupted"));
    page.click("#scores-error").await;
    let mut error = reference.figure(&request);
    for (site, map) in &mut error.maps {
        let both = map.values.iter_mut().zip(&exact.maps[site].values);
        both.for_each(|(value, exact)| *value -= exact);
    }
    page.assert_shows(&error).await;
    assert!(page.text("#caption").await.contains("less the exact answer (AP)"));
    assert!(page.text("#legend").await.ends_with(" − AP"));
    page.click("#scores-method").await;

    page.click("#method-ap").await;
    page.wait_for_figure(2).await;
    page.assert_shows(&exact).await;
    assert!(page.text("#agreement").await.contains("These maps are the exact answer"));

    page.click("#method-ig-activations").await;
    page.wait_for_figure(3).await;
    let ig = Request { method: Method::IgActivations, ..request };
    page.assert_shows(&reference.figure(&ig)).await;
    assert!(page.text("#caption").await.contains("5 steps, convergence error"));
    wait_for_agreement(page).await;
    assert_agrees(page, &mut reference, &ig).await;
}

#[tokio::test]
async fn with_webgpu_it_is_the_references() {
    let page = Page::open(WebGpu::Software).await;
    page.wait_for_figure(1).await;
    // The GPU is emulated, so that it is not taken unless it is chosen.
    page.move_to_gpu(2).await;
    wait_for_agreement(&page).await;
    assert_agrees(&page, &mut Reference::load(), &headline()).await;
    page.close().await;
}

#[tokio::test]
async fn without_webgpu_it_is_the_references() {
    let page = Page::ready(WebGpu::Off).await;
    check_exact(&page).await;
    page.close().await;
}

#[tokio::test]
async fn maps_scatter_and_readout_are_linked() {
    let page = Page::ready(WebGpu::Off).await;
    wait_for_agreement(&page).await;
    let map = "figure[data-site=attn_out] svg";
    let (up, end) = ("\u{e013}", "\u{e010}");
    for key in [up, end] {
        page.press(map, key).await;
    }
    let lit = "document.querySelectorAll('.scatter .point.here').length";
    assert!(page.browser.eval(lit).await.as_u64().unwrap() >= 1, "the cell's points are marked");
    assert!(page.text("#readout").await.contains("(exact "), "{}", page.text("#readout").await);
    // Every head's sum is there, and they are walked like the maps.
    let heads = "document.querySelectorAll('figure[data-site=z] rect[data-value]').length";
    assert_eq!(page.browser.eval(heads).await, 6 * 8);
    page.press("figure[data-site=z] svg", up).await;
    assert!(page.text("#head-readout").await.starts_with("layer 0, head 0: "));
    page.keep_picture("agreement").await;
    page.close().await;
}

#[tokio::test]
async fn it_can_be_stopped_and_asked_for_again() {
    let page = Page::ready(WebGpu::Off).await;
    page.select("#executor", "reference").await;
    page.wait_for_figure(2).await;
    page.browser.wait("document.querySelector('#stop-checking') !== null").await;
    page.click("#stop-checking").await;
    page.browser.wait("document.querySelector('#check') !== null").await;
    assert!(page.exists("figure.map[data-figure='2']").await, "the figure stays");
    page.click("#check").await;
    page.browser.wait("document.querySelector('#stop-checking') !== null").await;
    // Another question gives it up, and gets its own answer.
    page.select("#executor", "cpu").await;
    page.wait_for_figure(3).await;
    wait_for_agreement(&page).await;
    let sites = Site::PAPER.map(Site::name);
    let shown = "[...document.querySelectorAll('#agreement tr[data-without=false]')].map(row => row.dataset.site)";
    let mut shown: Vec<String> = serde_json::from_value(page.browser.eval(shown).await).unwrap();
    shown.retain(|site| site != "z");
    assert_eq!(shown, sites);
    page.close().await;
}
