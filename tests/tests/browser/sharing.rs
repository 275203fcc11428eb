//! Links, and figures on paper.

use std::ops::Deref;

use relp_model::Figure;
use relp_print::{Format, Print, Style};

use crate::browser::WebGpu;
use crate::page::Page;
use crate::server::PageServer;
use crate::session::Session;

async fn goto(page: &Page, fragment: &str) {
    // Another address first, so that the page is loaded anew.
    page.browser.client.goto("about:blank").await.unwrap();
    page.browser.client.goto(&format!("{}{fragment}", page.server.url())).await.unwrap();
}

async fn fragment(page: &Page) -> String {
    page.browser.eval("location.hash").await.as_str().unwrap().to_owned()
}

async fn value(page: &Page, selector: &str) -> String {
    let script = format!("document.querySelector({selector:?}).value");
    page.browser.eval(&script).await.as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_link_opens_the_same_figure_and_look() {
    let page = Page::ready(WebGpu::Off).await;
    assert_eq!(fragment(&page).await, "", "the page at its start has no need of one");
    page.select("#example", "6").await;
    page.wait_for_figure(2).await;
    page.click("#method-atp").await;
    page.wait_for_figure(3).await;
    for key in ["\u{e010}", "\u{e010}", "\u{e007}"] {
        page.press("figure[data-site=resid_pre] svg", key).await;
    }
    page.click("#own-scales").await;
    let whole = "#v=1&pair=agreement-keys&method=atp&own-scales=1&pin=0.5";
    page.browser.wait(&format!("location.hash === {whole:?}")).await;
    let metric = page.text("#metric-clean").await;
    page.click("#share").await;
    assert!(value(&page, "#share-link").await.ends_with(whole));
    assert!(value(&page, "#share-command").await.contains("--method atp"));
    assert!(value(&page, "#share-python").await.contains("subprocess.run"));
    assert!(value(&page, "#share-citation").await.contains("2508.21258"));
    page.keep_picture("share").await;
    page.click("#share-dialog-close").await;
    // Somebody else opens it.
    goto(&page, whole).await;
    page.wait_for_figure(1).await;
    assert_eq!(page.text("#metric-clean").await, metric);
    assert_eq!(value(&page, "#clean").await, "The keys to the cabinet");
    page.browser.wait("document.querySelector('#pinned') !== null").await;
    assert!(page.text("#pinned-title").await.contains("layer 0, position 5"));
    assert_eq!(page.browser.eval("document.querySelector('#own-scales').checked").await, true);
    assert_eq!(page.browser.eval("document.querySelector('#method-atp').checked").await, true);
    assert!(!page.exists("#notice").await);
    page.close().await;
}

#[tokio::test]
async fn back_and_forward_go_through_the_questions() {
    let page = Page::ready(WebGpu::Off).await;
    page.select("#example", "1").await;
    page.wait_for_figure(2).await;
    page.browser.wait("location.hash.includes('pair=ioi-bag')").await;
    page.write("#answer", " Mary").await;
    page.click("#method-atp").await;
    page.wait_for_figure(3).await;
    page.browser.wait("location.hash.includes('method=atp')").await;
    // A look is no place to come back to.
    page.click("#swap-colours").await;
    page.browser.wait("location.hash.includes('swap-colours')").await;
    page.browser.client.back().await.unwrap();
    page.browser.wait("document.querySelector('#method-relp').checked").await;
    page.wait_for_figure(4).await;
    assert_eq!(value(&page, "#example").await, "1");
    page.browser.client.back().await.unwrap();
    page.browser.wait("document.querySelector('#example').value === '0'").await;
    page.browser.client.forward().await.unwrap();
    page.browser.wait("document.querySelector('#example').value === '1'").await;
    page.close().await;
}

#[tokio::test]
async fn a_hostile_link_gives_a_message_and_the_usual_page() {
    let page = Page::open_from(PageServer::start(), WebGpu::Off).await;
    page.wait_for_figure(1).await;
    let script = "%3Cimg%20src%3Dx%20onerror%3D%22document.title%3D'owned'%22%3E";
    for (link, said) in [
        (format!("#v=1&method={script}"), "about “method”"),
        (format!("#v=1&clean={script}&corrupted={script}&answer=%20a&foil=%20b"), ""),
        ("#v=1&model=https://evil.example/x".to_owned(), "about “model”"),
        ("#v=9".to_owned(), "another version"),
        (format!("#v=1&clean={}", "x".repeat(40_000)), "longer than any"),
        ("#%00%ff=%zz&&&=&pin=NaN.NaN".to_owned(), "about “pin”"),
    ] {
        goto(&page, &link).await;
        page.browser.wait("document.querySelector('#app')?.dataset.state === 'ready'").await;
        let notice = page.text("#notice").await;
        assert!(notice.contains(said), "{link}: {notice}");
        assert_eq!(page.browser.eval("document.title").await, "RelP Playground");
        assert!(!page.exists("#app img").await);
    }
    page.click("#notice-read").await;
    assert!(!page.exists("#notice").await);
    page.close().await;
}

/// No model is fetched because a link names it; the test's end sees that no other host was asked.
#[tokio::test]
async fn a_link_with_a_model_asks_first() {
    let page = Page::ready(WebGpu::Off).await;
    for (link, wanted) in [
        ("#v=1&model=openai-community%2Fgpt2", "2"),
        ("#v=1&model=somebody%2Fsome-gpt2&method=atp", "6"),
    ] {
        goto(&page, link).await;
        page.browser.wait("document.querySelector('#notice') !== null").await;
        page.wait_for_figure(1).await;
        assert!(page.text("#notice").await.contains("which is not loaded here"));
        assert!(page.text("#model-in-use").await.contains("primer"));
        assert_eq!(value(&page, "#model").await, wanted, "it is chosen, and not loaded");
        // The link still names it.
        assert!(fragment(&page).await.contains("model="));
    }
    page.close().await;
}

/// What is exported, as bytes.
pub(crate) async fn exported<B>(page: &Page<B>, format: &str) -> Vec<u8>
where
    B: Deref<Target = Session>,
{
    page.select("#export-format", format).await;
    let save = "(() => { window.saved = null; const make = URL.createObjectURL; \
                URL.createObjectURL = blob => { blob.arrayBuffer().then(buffer => { \
                if (blob.type !== 'image/svg+xml' || window.wantsSvg) { window.saved = [...new Uint8Array(buffer)]; } }); \
                return make(blob); }; document.querySelector('#export-save').click(); return true; })()";
    page.browser.eval(&format!("(window.wantsSvg = {}, true)", format == "svg")).await;
    page.browser.eval(save).await;
    page.browser.wait("window.saved !== null").await;
    let bytes = page.browser.eval("window.saved").await;
    serde_json::from_value(bytes).unwrap()
}

#[tokio::test]
async fn a_figure_is_exported_as_the_command_line_does_byte_for_byte() {
    let page = Page::ready(WebGpu::Off).await;
    page.browser.wait("document.querySelector('#agreement table') !== null").await;
    page.click("#export").await;
    page.browser.wait("document.querySelector('#export-preview')?.complete === true").await;
    page.keep_picture("export").await;
    let json = exported(&page, "json").await;
    let figure: Figure = serde_json::from_slice(&json).unwrap();
    for format in [Format::Svg, Format::Pdf, Format::Png, Format::Csv, Format::Tikz] {
        let expected = relp_print::print(&Print::of(&figure), &Style::default(), format).unwrap();
        let found = exported(&page, format.name()).await;
        assert!(found == expected, "{format}: {} and {} bytes", found.len(), expected.len());
    }
    // One column, small text: the dialog says that it is too small.
    page.select("#export-width", "single").await;
    page.write("#export-font", "5\u{e007}").await;
    page.browser.wait("document.querySelector('#export-small') !== null").await;
    page.close().await;
}

/// Chromium and resvg draw the same picture of an SVG.
#[tokio::test]
async fn two_renderers_agree_on_the_svg() {
    let page = Page::ready(WebGpu::Off).await;
    page.browser.wait("document.querySelector('#agreement table') !== null").await;
    page.click("#export").await;
    page.browser.wait("document.querySelector('#export-preview')?.complete === true").await;
    let json = exported(&page, "json").await;
    let figure: Figure = serde_json::from_slice(&json).unwrap();
    let style = Style { dpi: 96.0, ..Style::default() };
    let png = relp_print::print(&Print::of(&figure), &style, Format::Png).unwrap();
    // Both on one canvas each, and the mean difference of their pixels.
    let compare = format!(
        "const done = arguments[arguments.length - 1]; (async () => {{ \
         const png = new Image(); png.src = URL.createObjectURL(new Blob([new Uint8Array({png:?})], {{ type: 'image/png' }})); \
         await png.decode(); const svg = document.querySelector('#export-preview'); await svg.decode(); \
         const data = (image) => {{ const canvas = document.createElement('canvas'); \
         canvas.width = png.naturalWidth; canvas.height = png.naturalHeight; \
         const context = canvas.getContext('2d'); context.drawImage(image, 0, 0, canvas.width, canvas.height); \
         return context.getImageData(0, 0, canvas.width, canvas.height).data; }}; \
         const [a, b] = [data(png), data(svg)]; let sum = 0; \
         for (let at = 0; at < a.length; at += 1) {{ sum += Math.abs(a[at] - b[at]); }} \
         done(sum / a.length / 255); }})().catch(error => done(String(error)));"
    );
    let found = page.browser.client.execute_async(&compare, vec![]).await.unwrap();
    let difference = found.as_f64().unwrap_or_else(|| panic!("{found}"));
    // Edges of letters differ, and where the font is missing, letters.
    assert!(difference < 0.03, "{difference}");
    page.close().await;
}

#[tokio::test]
async fn what_was_exported_is_opened_by_dropping_it() {
    let page = Page::ready(WebGpu::Off).await;
    page.click("#method-atp").await;
    page.wait_for_figure(2).await;
    page.browser.wait("document.querySelector('#agreement table') !== null").await;
    page.click("#export").await;
    page.browser.wait("document.querySelector('#export-preview') !== null").await;
    let folder = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let mut files = Vec::new();
    for format in ["svg", "png", "tikz", "json"] {
        let path = folder.join(format!("dropped-{}.{format}", std::process::id()));
        std::fs::write(&path, exported(&page, format).await).unwrap();
        files.push(path);
    }
    page.click("#export-dialog-close").await;
    page.click("#method-relp").await;
    page.wait_for_figure(3).await;
    for (at, path) in files.iter().enumerate() {
        page.drop_onto("header", path).await;
        page.wait_for_figure(4 + at as u32).await;
        assert!(page.text("#opened").await.contains("dropped-"), "{}", path.display());
        assert_eq!(page.browser.eval("document.querySelector('#method-atp').checked").await, true);
    }
    page.close().await;
}
