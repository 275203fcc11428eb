//! How figures are looked at, which changes nothing of what they say; and figures to go back to.

use relp_model::{Figure, Site};

use crate::browser::WebGpu;
use crate::page::{Page, measured};
use crate::questions::open;
use crate::reference::{Reference, headline};

/// The cells of a map as numbers.
async fn values(page: &Page, site: &str) -> Vec<f64> {
    let script = format!(
        "[...document.querySelectorAll('figure[data-site={site}] rect[data-value]')]\
         .map(cell => Number(cell.dataset.value))"
    );
    serde_json::from_value(page.browser.eval(&script).await).unwrap()
}

async fn number(page: &Page, script: &str) -> f64 {
    page.browser.eval(script).await.as_f64().unwrap()
}

/// The sums of a map's columns, of 15 each.
async fn sums(page: &Page, site: &str) -> Vec<f64> {
    let values = values(page, site).await;
    (0..15).map(|at| values.iter().skip(at).step_by(15).sum()).collect()
}

#[tokio::test]
async fn tokens_are_the_smallest_map() {
    let page = Page::ready(WebGpu::Off).await;
    let share = |at: usize| {
        format!("document.querySelectorAll('#clean-tokens li')[{at}].getAttribute('style') ?? ''")
    };
    for site in ["resid_pre", "mlp_out"] {
        page.select("#tokens-by", site).await;
        let sums = sums(&page, site).await;
        let largest = sums.iter().fold(0.0_f64, |largest, sum| largest.max(sum.abs()));
        for (at, sum) in sums.iter().enumerate() {
            let style = page.browser.eval(&share(at)).await;
            let style = style.as_str().unwrap().to_owned();
            let (_, rest) =
                style.split_once("--positive) ").or(style.split_once("--negative) ")).unwrap();
            let found: f64 = rest.split('%').next().unwrap().parse().unwrap();
            assert!(
                (found - 100.0 * sum.abs() / largest).abs() < 0.2,
                "{site} {at}: {style} {sum}"
            );
            assert_eq!(style.contains("--negative"), *sum < 0.0, "{site} {at}: {style} {sum}");
        }
    }
    // Looking at a token is looking at its largest cell, in every map.
    let over = "document.querySelectorAll('#clean-tokens li')[10]\
                .dispatchEvent(new PointerEvent('pointerenter'))";
    page.browser.eval(over).await;
    let readout = page.text("#readout").await;
    assert!(readout.contains("position 10 “·John” / “·Mary”"), "{readout}");
    assert_eq!(number(&page, "document.querySelectorAll('figure.map .here').length").await, 3.0);
    // What is not yet answered has no colours.
    page.write("#clean", "The king").await;
    page.browser.wait("!document.querySelector('#clean-tokens li[style]')").await;
    page.close().await;
}

#[tokio::test]
async fn cells_that_carry_a_share_are_the_largest() {
    let page = Page::ready(WebGpu::Off).await;
    let slide = "(() => { const slider = document.querySelector('#percent'); slider.value = 80; \
                 slider.dispatchEvent(new Event('input', { bubbles: true })); return true; })()";
    page.browser.eval(slide).await;
    for site in ["resid_pre", "attn_out", "mlp_out"] {
        let values = values(&page, site).await;
        let total: f64 = values.iter().map(|value| value.abs()).sum();
        let blank = format!(
            "[...document.querySelectorAll('figure[data-site={site}] rect[data-value]')]\
             .map(cell => cell.getAttribute('style') === 'fill: var(--zero)')"
        );
        let blank: Vec<bool> = serde_json::from_value(page.browser.eval(&blank).await).unwrap();
        let kept: Vec<f64> =
            values.iter().zip(&blank).filter(|(_, blank)| !**blank).map(|(v, _)| v.abs()).collect();
        let (sum, least) =
            (kept.iter().sum::<f64>(), kept.iter().copied().fold(f64::MAX, f64::min));
        assert!(sum >= 0.8 * total * 0.999_999, "{site}: {sum} of {total}");
        assert!(sum - least < 0.8 * total, "{site}: one fewer would do");
        let said = page.text(&format!("figure[data-site={site}] .count")).await;
        assert_eq!(said, format!("{} of {} cells", kept.len(), values.len()));
    }
    page.close().await;
}

#[tokio::test]
async fn scales_and_colours_can_be_chosen() {
    let page = Page::ready(WebGpu::Off).await;
    let full = |site: &str| {
        format!(
            "document.querySelectorAll('figure[data-site={site}] rect[style*=\"100.0%\"]').length"
        )
    };
    assert_eq!(number(&page, &full("mlp_out")).await, 0.0, "one scale, which resid_pre fills");
    page.click("#own-scales").await;
    for site in ["resid_pre", "attn_out", "mlp_out", "z"] {
        assert!(number(&page, &full(site)).await >= 1.0, "{site} fills its own");
    }
    assert!(page.text("#legend").await.contains("largest"));
    assert!(page.text("figure[data-site=mlp_out] .limit").await.starts_with("to ±"));
    // The colour of the largest cell, which is positive, as red and blue.
    let colour = "(() => { const cell = document.querySelector('figure[data-site=resid_pre] \
                  rect[style*=\"100.0%\"]'); const canvas = document.createElement('canvas'); \
                  const context = canvas.getContext('2d'); context.fillStyle = \
                  getComputedStyle(cell).fill; context.fillRect(0, 0, 1, 1); \
                  return [...context.getImageData(0, 0, 1, 1).data]; })()";
    for (scheme, red_first) in [("light", true), ("dark", true), ("light", false), ("dark", false)]
    {
        let is_swapped = page.browser.eval("document.querySelector('#swap-colours').checked").await;
        if is_swapped == red_first {
            page.click("#swap-colours").await;
        }
        page.browser.look(1280, 800, scheme).await;
        let rgba: Vec<f64> = serde_json::from_value(page.browser.eval(colour).await).unwrap();
        assert_eq!(rgba[0] > rgba[2], red_first, "{scheme} {rgba:?}");
    }
    page.close().await;
}

#[tokio::test]
async fn shift_freezes_what_is_looked_at() {
    let page = Page::ready(WebGpu::Off).await;
    let over = |layer: usize, shift: bool| {
        format!(
            "document.querySelector('figure[data-site=attn_out] rect[data-layer=\"{layer}\"]\
             [data-column=\"14\"]').dispatchEvent(new PointerEvent('pointerenter', \
             {{ shiftKey: {shift} }}))"
        )
    };
    for (layer, shift, looked_at) in [(2, false, 2), (4, true, 2), (3, false, 3)] {
        page.browser.eval(&over(layer, shift)).await;
        let readout = page.text("#readout").await;
        assert!(readout.starts_with(&format!("layer {looked_at}, position 14")), "{readout}");
    }
    page.close().await;
}

#[tokio::test]
async fn figures_of_the_visit_can_be_gone_back_to() {
    let page = Page::ready(WebGpu::Off).await;
    assert!(!page.exists("#history").await, "one figure is no history");
    let first = values(&page, "resid_pre").await;
    let prompt = page.browser.eval("document.querySelector('#clean').value").await;
    page.select("#example", "3").await;
    page.wait_for_figure(2).await;
    page.click("#method-atp").await;
    page.wait_for_figure(3).await;
    let title = "document.querySelector('#history option[value=\"3\"]').textContent";
    let title = page.browser.eval(title).await;
    assert!(title.as_str().unwrap().starts_with("3: AtP, denoise: "), "{title}");

    page.select("#history", "1").await;
    page.wait_for_figure(4).await;
    assert_eq!(values(&page, "resid_pre").await, first);
    assert_eq!(page.browser.eval("document.querySelector('#clean').value").await, prompt);
    assert_eq!(page.browser.eval("document.querySelector('#method-relp').checked").await, true);
    assert!(page.text("#opened").await.starts_with("Figure 1 of this visit"));
    // From there one goes on as from any other.
    page.click("#method-atp").await;
    page.wait_for_figure(5).await;
    assert!(!page.exists("#opened").await);
    assert_eq!(number(&page, "document.querySelectorAll('#history option').length").await, 5.0);
    page.close().await;
}

#[tokio::test]
async fn a_pair_that_the_model_is_wrong_about_is_said_to_be() {
    let page = Page::ready(WebGpu::Off).await;
    assert!(!page.exists("#doctor").await);
    page.write("#foil", " Ella").await;
    page.write("#answer", " John").await;
    page.browser.wait("document.querySelector('#doctor')?.textContent.includes('an error')").await;
    let said = page.text("#doctor").await;
    assert!(said.contains("not among the 10 likeliest") || !said.contains("likeliest"), "{said}");
    page.close().await;
}

#[tokio::test]
async fn cells_are_kept_to_be_compared() {
    let page = Page::ready(WebGpu::Off).await;
    page.browser.wait("document.querySelector('#agreement table') !== null").await;
    for (layer, column) in [(0, 10), (5, 14)] {
        let cell = format!(
            "figure[data-site=resid_pre] rect[data-layer='{layer}'][data-column='{column}']"
        );
        page.click(&cell).await;
        page.browser.wait("!document.querySelector('#keep').disabled").await;
        page.click("#keep").await;
        assert!(page.exists("#keep:disabled").await, "once is enough");
    }
    let cells = "[...document.querySelectorAll('#kept-cells tbody tr')].map(row => \
                 [...row.cells].map(cell => cell.textContent))";
    let rows: Vec<Vec<String>> = serde_json::from_value(page.browser.eval(cells).await).unwrap();
    assert_eq!(rows.len(), 2);
    assert!(rows[0][0].starts_with("layer 0, position 10") && rows[1][0].starts_with("layer 5"));
    let shown = number(
        &page,
        "Number(document.querySelector('figure[data-site=attn_out] rect[data-layer=\"0\"]\
         [data-column=\"10\"]').dataset.value)",
    )
    .await;
    assert!(rows[0][2].starts_with(&format!("+{shown:.3} (")), "{rows:?} {shown}");
    page.keep_picture("kept").await;
    // They stay when another method answers, and go one by one.
    page.click("#method-atp").await;
    page.wait_for_figure(2).await;
    assert_eq!(
        number(&page, "document.querySelectorAll('#kept-cells tbody tr').length").await,
        2.0
    );
    page.click("#kept-cells tbody button").await;
    assert_eq!(
        number(&page, "document.querySelectorAll('#kept-cells tbody tr').length").await,
        1.0
    );
    page.close().await;
}

/// The usual figure, repeated until it has so many layers and positions.
fn repeated(layers: usize, positions: usize) -> Figure {
    let mut figure = Reference::load().figure(&headline());
    figure.model.config.n_layer = layers;
    for tokens in [&mut figure.tokens.clean, &mut figure.tokens.corrupted] {
        *tokens = tokens.iter().cycle().take(positions).cloned().collect();
    }
    for map in figure.maps.values_mut() {
        map.shape[..2].copy_from_slice(&[layers, positions]);
        let count = map.shape.iter().product();
        map.values = map.values.iter().cycle().take(count).copied().collect();
    }
    figure
}

/// Maps of GPT-2 large's layers and 64 tokens: all of it is drawn, and what a look at a cell takes until
/// the next frame is kept among the artefacts.
#[tokio::test]
async fn large_maps_are_drawn_and_walked() {
    const LAYERS: usize = 36;
    const POSITIONS: usize = 64;
    let figure = repeated(LAYERS, POSITIONS);
    let page = Page::ready(WebGpu::Off).await;
    open(&page, &serde_json::to_string(&figure).unwrap()).await;
    page.wait_for_figure(2).await;
    assert_eq!(values(&page, "mlp_out").await.len(), LAYERS * POSITIONS);
    page.keep_picture("large").await;
    let walk = "new Promise(async (done) => { const took = []; for (let n = 0; n < 40; n += 1) { \
                const cell = document.querySelector(`figure[data-site=attn_out] rect[data-layer=\"${n % 36}\"]\
                [data-column=\"${(7 * n) % 64}\"]`); const began = performance.now(); \
                cell.dispatchEvent(new PointerEvent('pointerenter')); \
                await new Promise((frame) => requestAnimationFrame(() => setTimeout(frame))); \
                took.push(performance.now() - began); } took.sort((a, b) => a - b); \
                done([took[20], took[39]]); })";
    let took: [f64; 2] = serde_json::from_value(page.browser.eval(walk).await).unwrap();
    let readout = page.text("#readout").await;
    assert!(readout.starts_with("layer 3, position 17"), "{readout}");
    measured("large-map", &format!("{took:?} ms: median and longest look at a cell of 36 x 64"));
    page.close().await;
}

/// GPT-2 XL's layers and 128 tokens are too many cells for an element each.
#[tokio::test]
async fn a_map_of_more_than_five_thousand_cells_is_a_picture_that_is_read_like_the_others() {
    const LAYERS: usize = 48;
    const POSITIONS: usize = 128;
    let mut figure = repeated(LAYERS, POSITIONS);
    // One cell that all others are pale beside.
    let (layer, position) = (40, 100);
    figure.maps.get_mut(&Site::ResidPre).unwrap().values[layer * POSITIONS + position] = 100.0;
    let page = Page::ready(WebGpu::Off).await;
    open(&page, &serde_json::to_string(&figure).unwrap()).await;
    page.wait_for_figure(2).await;
    assert!(values(&page, "resid_pre").await.is_empty(), "no elements");
    let map = "document.querySelector('figure[data-site=resid_pre]')";
    // The middle of the cell, as a pixel of the picture.
    let colour = format!(
        "(() => {{ const canvas = {map}.querySelector('canvas'); \
         const copy = document.createElement('canvas'); [copy.width, copy.height] = [canvas.width, canvas.height]; \
         const context = copy.getContext('2d', {{ willReadFrequently: true }}); context.drawImage(canvas, 0, 0); \
         const x = canvas.width * ({position} + 0.5) / {POSITIONS}; \
         const y = canvas.height * ({LAYERS} - {layer} - 0.5) / {LAYERS}; \
         return [...context.getImageData(x, y, 1, 1).data].slice(0, 3); }})()"
    );
    for (scheme, swapped) in [("light", false), ("dark", false), ("dark", true), ("light", true)] {
        page.browser.look(1280, 800, scheme).await;
        let is_swapped = page.browser.eval("document.querySelector('#swap-colours').checked").await;
        if is_swapped != swapped {
            page.click("#swap-colours").await;
        }
        let order = if swapped { "rgb[0] < rgb[2]" } else { "rgb[0] > rgb[2]" };
        page.browser.wait(&format!("(rgb => {order})({colour})")).await;
        page.keep_element("figure[data-site=resid_pre]", &format!("picture-{scheme}-{swapped}"))
            .await;
    }
    page.click("#swap-colours").await;
    // By keys: the cells scroll under the layers' numbers, which stay.
    let axis = format!("{map}.querySelector('.axis').getBoundingClientRect().left");
    let before = number(&page, &axis).await;
    page.press("figure[data-site=resid_pre] svg", "\u{e010}").await;
    for _ in 0..2 {
        page.press("figure[data-site=resid_pre] svg", "\u{e010}").await;
    }
    let scrolled = format!("{map}.querySelector('.scroll').scrollLeft");
    assert!(number(&page, &scrolled).await > 100.0, "128 columns are wider than the page");
    assert!((number(&page, &axis).await - before).abs() < 8.0, "the axis stays");
    assert!(page.text("#readout").await.starts_with("layer 0, position 127"));
    // By pointer: where it is tells which cell it is, and a click pins it.
    let place = format!(
        "(() => {{ const plot = {map}.querySelector('canvas'); plot.scrollIntoView({{ block: 'center' }}); {map}.querySelector('.scroll').scrollLeft = 1e5; \
         const box = plot.getBoundingClientRect(); \
         return [box.left + box.width * ({position} + 0.5) / {POSITIONS}, \
                 box.top + box.height * ({LAYERS} - {layer} - 0.5) / {LAYERS}]; }})()"
    );
    let place: [f64; 2] = serde_json::from_value(page.browser.eval(&place).await).unwrap();
    for (kind, buttons) in [("mouseMoved", 0), ("mousePressed", 1), ("mouseReleased", 0)] {
        let event = serde_json::json!({
            "type": kind, "x": place[0], "y": place[1], "button": "left", "buttons": buttons, "clickCount": 1,
        });
        page.browser.command("Input.dispatchMouseEvent", event).await;
    }
    page.browser.wait("document.querySelector('#pinned') !== null").await;
    let pinned = page.text("#pinned-title").await;
    assert!(pinned.contains("layer 40, position 100"), "{pinned}");
    assert!(page.text("#pinned table").await.contains("+100.000"));
    page.keep_picture("picture").await;
    page.close().await;
}
