//! The page in the hands of people: examples, tokens, keyboard, pointer, narrow screens, the dark.

use fantoccini::Locator;

use crate::browser::WebGpu;
use crate::page::Page;

#[tokio::test]
async fn every_example_of_the_bundled_model_gives_a_figure() {
    let page = Page::ready(WebGpu::Off).await;
    // The first ones are the bundled model's; the others need words that it does not know.
    let bundled: Vec<serde_json::Value> =
        serde_json::from_str(include_str!("../../../models/primer/examples.json")).unwrap();
    for number in 1..bundled.len() {
        let value = number.to_string();
        let value = value.as_str();
        page.select("#example", value).await;
        page.wait_for_figure(number as u32 + 1).await;
        let metric = "Number(document.querySelector('#metric-clean').dataset.value)";
        let metric = page.browser.eval(metric).await.as_f64().unwrap();
        assert!(metric > 0.0, "example {value}: {metric}");
        assert!(!page.text("#about").await.is_empty());
    }
    page.close().await;
}

#[tokio::test]
async fn tokens_show_spaces_and_differences() {
    let page = Page::ready(WebGpu::Off).await;
    assert!(page.text("#clean-tokens").await.starts_with("BOS0When1·John2"));
    let differing =
        "[...document.querySelectorAll('#clean-tokens .differs .text')].map(e => e.textContent)";
    assert_eq!(page.browser.eval(differing).await, serde_json::json!(["·John"]));
    page.click("#bos").await;
    page.wait_for_figure(2).await;
    assert!(page.text("#clean-tokens").await.starts_with("When0·John1"));
    page.click("#swap").await;
    page.wait_for_figure(3).await;
    assert_eq!(page.browser.eval("document.querySelector('#answer').value").await, " John");
    page.close().await;
}

#[tokio::test]
async fn the_maps_are_read_by_keyboard_and_by_pointer() {
    let page = Page::ready(WebGpu::Off).await;
    let map = "figure[data-site=attn_out] svg";
    let (up, right, end) = ("\u{e013}", "\u{e014}", "\u{e010}");
    page.press(map, up).await;
    assert!(page.text("#readout").await.starts_with("layer 0, position 0 “<|endoftext|>”"));
    for key in [up, up, right, end] {
        page.press(map, key).await;
    }
    let readout = page.text("#readout").await;
    assert!(readout.starts_with("layer 2, position 14 “·to”: resid_pre "), "{readout}");
    let lit = "document.querySelectorAll('figure.map .here').length";
    assert_eq!(page.browser.eval(lit).await, 3, "the same cell in every map");
    let cell = "[data-site=mlp_out] rect[data-layer='0'][data-column='10']";
    let value = page.browser.eval(&format!("document.querySelector({cell:?}).dataset.value")).await;
    let element = page.browser.client.find(Locator::Css(cell)).await.unwrap();
    element.click().await.unwrap();
    let readout = page.text("#readout").await;
    assert!(readout.starts_with("layer 0, position 10 “·John” / “·Mary”"), "{readout}");
    let shown: f64 = value.as_str().unwrap().parse().unwrap();
    assert!(readout.contains(&format!("mlp_out +{shown:.3}")), "{readout} {shown}");
    // The same as a table.
    page.click("figure[data-site=mlp_out] summary").await;
    page.browser.wait("document.querySelector('figure[data-site=mlp_out] table') !== null").await;
    page.close().await;
}

/// The three zones of a pair of 15 tokens stand on one screen.
#[tokio::test]
async fn a_usual_pair_needs_no_scrolling() {
    let page = Page::ready(WebGpu::Off).await;
    page.browser.wait("document.querySelector('#agreement table') !== null").await;
    for (width, height) in [(1280, 800), (1440, 900), (1920, 1080)] {
        page.browser.look(width, height, "light").await;
        let bottom = "document.querySelector('main').getBoundingClientRect().bottom";
        let bottom = page.browser.eval(bottom).await.as_f64().unwrap();
        assert!(bottom <= height as f64, "{bottom} at {width} by {height}");
    }
    page.close().await;
}

/// As people have it, and with everything open, in the light and in the dark.
#[tokio::test]
async fn it_fits_every_screen() {
    let page = Page::ready(WebGpu::Off).await;
    page.browser.wait("document.querySelector('#agreement table') !== null").await;
    for opened in [false, true] {
        if opened {
            for selector in ["#neurons > summary", "#more > summary"] {
                page.click(selector).await;
            }
            page.wait_for_figure(2).await;
            let (up, end, enter) = ("\u{e013}", "\u{e010}", "\u{e007}");
            for key in [up, end, enter] {
                page.press("figure[data-site=mlp_out] svg", key).await;
            }
            for key in [up, enter] {
                page.press("figure[data-site=z] svg", key).await;
            }
            page.browser.wait("document.querySelector('.attention') !== null").await;
            page.browser.wait("document.querySelector('#agreement table') !== null").await;
        }
        for scheme in ["light", "dark"] {
            for width in [390, 768, 1280, 1920] {
                page.browser.look(width, 900, scheme).await;
                let overflow =
                    "document.documentElement.scrollWidth > document.documentElement.clientWidth";
                assert_eq!(page.browser.eval(overflow).await, false, "at {width} pixels");
                let state = if opened { "open" } else { "plain" };
                let height = page.browser.eval("document.documentElement.scrollHeight").await;
                page.browser.look(width, height.as_u64().unwrap(), scheme).await;
                page.keep_element("#app", &format!("{state}-{scheme}-{width}")).await;
            }
        }
    }
    page.close().await;
}
