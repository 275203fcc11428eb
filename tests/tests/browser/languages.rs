//! The page in other languages.

use crate::browser::WebGpu;
use crate::page::Page;

#[tokio::test]
async fn the_page_speaks_another_language_and_keeps_what_is_there() {
    let page = Page::ready(WebGpu::Off).await;
    page.browser.wait("document.querySelector('#agreement table') !== null").await;
    for key in ["\u{e010}", "\u{e007}"] {
        page.press("figure[data-site=resid_pre] svg", key).await;
    }
    page.browser.wait("document.querySelector('#pinned') !== null").await;
    let metric = page.text("#metric-clean").await;
    for (language, words, comma) in
        [("de", "Sauberer Prompt", ","), ("es", "Prompt limpio", ","), ("en", "Clean prompt", ".")]
    {
        page.select("#language", language).await;
        page.browser.wait(&format!("document.documentElement.lang === '{language}'")).await;
        assert!(page.text(".question").await.contains(words), "{language}");
        assert_eq!(page.text("#metric-clean").await, metric.replace('.', comma));
        // The figure, the pin and the focus are where they were; nothing is computed again.
        let number = "document.querySelector('figure.map').dataset.figure";
        assert_eq!(page.browser.eval(number).await, "1");
        assert!(page.exists("#pinned").await);
        page.browser.wait("document.activeElement.id === 'language'").await;
        for width in [390, 768, 1280] {
            page.browser.look(width, 900, "light").await;
            let overflow =
                "document.documentElement.scrollWidth > document.documentElement.clientWidth";
            assert_eq!(page.browser.eval(overflow).await, false, "{language} at {width}");
            page.keep_element("#app", &format!("language-{language}-{width}")).await;
        }
        page.browser.look(1280, 900, "light").await;
    }
    // It is spoken again on the next visit.
    page.select("#language", "de").await;
    page.browser.client.refresh().await.unwrap();
    page.browser.wait("document.querySelector('.question') !== null").await;
    assert!(page.text(".question").await.contains("Sauberer Prompt"));
    page.wait_for_figure(1).await;
    page.close().await;
}
