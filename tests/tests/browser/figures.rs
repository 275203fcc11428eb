//! The numbers that the page shows are those of the native reference, with WebGPU and without.

use std::ops::Deref;

use relp_model::{Direction, Method, Request, Rules};
use serde_json::json;

use crate::browser::WebGpu;
use crate::page::Page;
use crate::reference::{Reference, headline};
use crate::server::PageServer;
use crate::session::Session;

/// Goes through methods, rules, directions and normalisation.
pub(crate) async fn check_every_switch<B: Deref<Target = Session>>(page: &Page<B>, first: u32) {
    let mut reference = Reference::load();
    page.assert_shows(&reference.figure(&headline())).await;

    page.click("#rule-ah").await;
    page.wait_for_figure(first + 1).await;
    let ah = Request { rules: Rules { ah: true, ..Rules::RELP }, ..headline() };
    page.assert_shows(&reference.figure(&ah)).await;
    assert!(page.text("#caption").await.contains("LN, Identity, Half, AH"));

    page.click("#rule-ah").await;
    page.wait_for_figure(first + 2).await;
    page.click("#rule-identity").await;
    page.wait_for_figure(first + 3).await;
    let ln = Request { rules: Rules { identity: false, ..Rules::RELP }, ..headline() };
    page.assert_shows(&reference.figure(&ln)).await;

    page.click("#method-atp").await;
    page.wait_for_figure(first + 4).await;
    let atp = Request { method: Method::Atp, ..headline() };
    page.assert_shows(&reference.figure(&atp)).await;
    assert!(page.text("#legend").await.ends_with("AtP"), "it has no rules");

    page.click("#direction-noise").await;
    page.wait_for_figure(first + 5).await;
    let noise = Request { direction: Direction::Noise, ..atp };
    page.assert_shows(&reference.figure(&noise)).await;

    page.click("#normalise").await;
    page.wait_for_figure(first + 6).await;
    let normalised = Request { normalise: true, ..noise };
    page.assert_shows(&reference.figure(&normalised)).await;
    assert!(page.text("#legend").await.contains("fraction of the metric's difference"));
}

#[tokio::test]
async fn without_webgpu_the_cpu_computes_them() {
    let page = Page::ready(WebGpu::Off).await;
    assert!(page.text("#device").await.starts_with("CPU"), "{}", page.text("#device").await);
    assert!(page.text("#fallback").await.contains("WebGPU finds no GPU"));
    check_every_switch(&page, 1).await;
    page.close().await;
}

/// Chromium has it, so that the other tests see the engine that is built for it.
#[tokio::test]
async fn without_relaxed_simd_the_engine_for_every_browser_computes_them() {
    let page = Page::ready(WebGpu::Off).await;
    assert!(engine(&page).await.starts_with("relp-relaxed-worker-"));
    let source = json!({ "source": "WebAssembly.validate = () => false;" });
    page.browser.command("Page.addScriptToEvaluateOnNewDocument", source).await;
    page.browser.client.refresh().await.unwrap();
    page.wait_for_figure(1).await;
    assert!(engine(&page).await.starts_with("relp-worker-"));
    check_every_switch(&page, 1).await;
    page.close().await;
}

/// A page that its server isolates, on its first visit already.
async fn isolated_page(gpu: WebGpu) -> Page {
    let server = PageServer::start();
    server.isolate();
    let page = Page::open_from(server, gpu).await;
    page.wait_for_figure(1).await;
    assert_eq!(page.browser.eval("crossOriginIsolated").await, true);
    page
}

#[tokio::test]
async fn an_isolated_page_has_the_engine_with_threads_and_computes_them() {
    let page = isolated_page(WebGpu::Off).await;
    assert!(engine(&page).await.starts_with("relp-threaded-worker-"));
    // The bundled model is too small to gain by more than one.
    assert_eq!(page.text("#device").await, "CPU: WebAssembly");
    check_every_switch(&page, 1).await;
    page.close().await;
}

#[tokio::test]
async fn an_isolated_page_computes_them_with_webgpu_too() {
    let page = isolated_page(WebGpu::Software).await;
    page.move_to_gpu(2).await;
    check_every_switch(&page, 2).await;
    page.close().await;
}

/// In a browser whose memory cannot be shared, as there is no room for one of 4 GiB, an isolated page does without.
#[tokio::test]
async fn an_isolated_page_without_room_for_a_shared_memory_computes_on_one_thread() {
    let page = Page::ready(WebGpu::Off).await;
    let source = "const Memory = WebAssembly.Memory; \
                  WebAssembly.Memory = class extends Memory { constructor(size) { \
                  if (size.shared) throw new RangeError('no room'); super(size); } };";
    page.browser
        .command("Page.addScriptToEvaluateOnNewDocument", json!({ "source": source }))
        .await;
    page.server.isolate();
    page.browser.client.refresh().await.unwrap();
    page.wait_for_figure(1).await;
    assert_eq!(page.browser.eval("crossOriginIsolated").await, true);
    assert!(engine(&page).await.starts_with("relp-relaxed-worker-"));
    page.close().await;
}

/// The one script of an engine that the page has fetched.
async fn engine(page: &Page) -> String {
    let of_worker = "performance.getEntriesByType('resource').map(one => one.name.split('/').pop())\
                     .filter(name => /worker-[0-9a-f]+\\.js$/.test(name)).join()";
    page.browser.eval(of_worker).await.as_str().unwrap().to_owned()
}

#[tokio::test]
async fn with_webgpu_the_gpu_computes_them() {
    let page = Page::ready(WebGpu::Software).await;
    // Software is slower than the CPU path, so it is taken only when it is asked for.
    assert!(page.text("#device").await.starts_with("CPU"));
    assert!(page.text("#fallback").await.contains("in software"));
    page.move_to_gpu(2).await;
    assert!(page.text("#caption").await.contains("computed by the gpu executor"));
    check_every_switch(&page, 2).await;
    page.close().await;
}

/// A browser's own compiler, which is stricter than the native one, takes every shader: also those of variants that a
/// software adapter would never choose.
#[tokio::test]
async fn a_browser_takes_every_shader() {
    let mut page = Page::open(WebGpu::Software).await;
    page.expect_complaints();
    let asked = "navigator.gpu.requestAdapter().then(adapter => adapter.requestDevice()).then(device => { \
                 window.device = device; })";
    page.browser.eval(&format!("({asked}, true)")).await;
    page.browser.wait("window.device !== undefined").await;
    let mut shaders = relp_gpu::shaders();
    // A barrier that some invocations may not come to, which the native one lets through.
    let uneven =
        "@compute @workgroup_size(2) fn main(@builtin(local_invocation_index) local: u32) {
                  if (local == 0u) { workgroupBarrier(); } }";
    shaders.push(("uneven", String::new(), uneven.to_owned()));
    let mut wrong = Vec::new();
    for some in shaders.chunks(50) {
        let sources: Vec<&str> = some.iter().map(|(_, _, source)| source.as_str()).collect();
        let compiled = format!(
            "Promise.all({}.map(code => device.createShaderModule({{ code }}).getCompilationInfo()))",
            json!(sources)
        );
        let said =
            "all => { window.said = all.map(one => one.messages.map(said => said.message)); }";
        page.browser.eval(&format!("(delete window.said, {compiled}.then({said}), true)")).await;
        page.browser.wait("window.said !== undefined").await;
        let said: Vec<Vec<String>> =
            serde_json::from_value(page.browser.eval("window.said").await).unwrap();
        assert_eq!(said.len(), some.len());
        let found = some.iter().zip(said).filter(|(_, said)| !said.is_empty());
        wrong.extend(found.map(|((name, about, _), said)| format!("{name} {about}: {said:?}")));
    }
    assert!(wrong.len() == 1 && wrong[0].starts_with("uneven"), "{wrong:#?}");
    page.close().await;
}

#[tokio::test]
async fn the_reference_can_be_chosen() {
    let page = Page::ready(WebGpu::Off).await;
    page.select("#executor", "reference").await;
    page.wait_for_figure(2).await;
    assert!(page.text("#device").await.starts_with("Reference"));
    page.assert_shows(&Reference::load().figure(&headline())).await;
    page.close().await;
}
