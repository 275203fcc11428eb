//! Heads, cells, neurons: what is looked at closely, and what a long sweep has not come to yet.

use fantoccini::Locator;
use relp_model::{Cell, Method, PairText, Request, Site};
use relp_tests::compare::{Tolerance, assert_close};

use crate::browser::WebGpu;
use crate::page::Page;
use crate::reference::{Reference, headline};

/// The numbers that elements carry, in the order of the page.
async fn numbers(page: &Page, selector: &str, name: &str) -> Vec<f64> {
    let script = format!(
        "[...document.querySelectorAll({selector:?})].map(element => Number(element.dataset.{name}))"
    );
    serde_json::from_value(page.browser.eval(&script).await).unwrap()
}

async fn wait_for_agreement(page: &Page) {
    page.browser.wait("document.querySelector('#agreement table') !== null").await;
}

#[tokio::test]
async fn every_site_of_heads_can_be_chosen_and_a_head_opened() {
    let page = Page::ready(WebGpu::Off).await;
    let mut reference = Reference::load();
    for (number, site) in [Site::Q, Site::K, Site::V, Site::Pattern].into_iter().enumerate() {
        page.select("#head-site", site.name()).await;
        page.wait_for_figure(number as u32 + 2).await;
        let figure = reference.figure(&Request { sites: vec![site], ..headline() });
        let map = &figure.maps[&site];
        let (positions, heads) = (map.positions(), map.heads());
        let sum = |cell: usize| {
            let (layer, head) = (cell / heads, cell % heads);
            let at = |position: usize| map.values[(layer * positions + position) * heads + head];
            (0..positions).map(at).sum::<f32>()
        };
        let sums: Vec<f32> = (0..map.layers() * heads).map(sum).collect();
        let found =
            numbers(&page, &format!("figure[data-site={site}] rect[data-value]"), "value").await;
        assert_close(site.name(), &sums, &found, Tolerance::GOLDEN);
    }

    // By keyboard to layer 1, head 1; Enter opens it, and the focus goes there.
    let grid = "figure[data-site=pattern] svg";
    let (up, right, enter, escape) = ("\u{e013}", "\u{e014}", "\u{e007}", "\u{e00c}");
    for key in [up, up, right, enter] {
        page.press(grid, key).await;
    }
    page.browser.wait("document.querySelectorAll('.attention rect[data-value]').length > 0").await;
    assert_eq!(page.text("#head-title").await, "Layer 1, head 1");
    assert_eq!(page.browser.eval("document.activeElement.id").await, "head-title");
    let patterns = reference.patterns(&headline().pair, 1);
    let lower = |run: &[f32]| -> Vec<f32> {
        let pattern = patterns.of_head(run, 1).unwrap();
        let rows = pattern.chunks(patterns.positions).enumerate();
        rows.flat_map(|(query, row)| row[..=query].to_vec()).collect()
    };
    let (clean, corrupted) = (lower(&patterns.clean), lower(&patterns.corrupted));
    let difference: Vec<f32> = clean.iter().zip(&corrupted).map(|(a, b)| a - b).collect();
    for (run, expected) in [("clean", clean), ("corrupted", corrupted), ("difference", difference)]
    {
        let found = numbers(&page, &format!("[data-run={run}] rect[data-value]"), "value").await;
        assert_close(run, &expected, &found, Tolerance::GOLDEN);
    }
    page.browser
        .wait(
            "document.querySelectorAll('.by-position [data-row=exact][data-value]').length === 15",
        )
        .await;
    page.browser.wait("document.querySelector('#agreement table') !== null").await;
    page.keep_picture("head").await;
    // The next figure leaves the focus where it is.
    page.press("#rule-ah", " ").await;
    page.wait_for_figure(6).await;
    page.browser.wait("document.querySelectorAll('.attention rect[data-value]').length > 0").await;
    assert_eq!(page.browser.eval("document.activeElement.id").await, "rule-ah");
    page.press("#close-head", escape).await;
    assert!(!page.exists("#head").await);
    let focused =
        "document.activeElement === document.querySelector('figure[data-site=pattern] svg')";
    assert_eq!(page.browser.eval(focused).await, true, "back where one came from");
    page.close().await;
}

#[tokio::test]
async fn a_cell_is_pinned_with_its_exact_scores() {
    let page = Page::ready(WebGpu::Off).await;
    wait_for_agreement(&page).await;
    let map = "figure[data-site=mlp_out] svg";
    let (up, enter, escape) = ("\u{e013}", "\u{e007}", "\u{e00c}");
    for key in [up, up, "\u{e010}", enter] {
        page.press(map, key).await;
    }
    let mut reference = Reference::load();
    let sites = [Site::PAPER.as_slice(), &[Site::Z]].concat();
    let exact = Request { method: Method::Ap, sites, ..headline() };
    let exact = reference.figure(&exact);
    let expected: Vec<f32> = exact
        .maps
        .values()
        .flat_map(|map| {
            let each = map.heads().max(1);
            let first = (map.positions() + 14) * each;
            map.values[first..first + each].to_vec()
        })
        .collect();
    assert_eq!(expected.len(), 3 + 8);
    let found = numbers(&page, "#pinned tr[data-exact]", "exact").await;
    assert_close("pinned", &expected, &found, Tolerance::GOLDEN);
    assert!(page.text("#pinned-source").await.contains("every cell"));
    page.keep_picture("pinned").await;
    page.press(map, escape).await;
    assert!(!page.exists("#pinned").await);
    page.close().await;
}

/// A pair of so many tokens, different so early, that the exact sweep is done in several parts.
fn long() -> PairText {
    let prompt = |name: &str| {
        let rest = "When John and Mary went to the shop".repeat(5);
        format!("When {name} and Mary went to the shop{rest}")
    };
    PairText { clean: prompt("John"), corrupted: prompt("Mary"), ..headline().pair }
}

#[tokio::test]
async fn a_long_sweep_fills_in_and_gives_way_to_one_cell() {
    let page = Page::ready(WebGpu::Off).await;
    page.write("#clean", &long().clean).await;
    page.write("#corrupted", &long().corrupted).await;
    // The first figure of the long pair.
    let changed = "!document.querySelector('.result').classList.contains('stale') \
         && document.querySelectorAll('figure[data-site=mlp_out] rect[data-layer]').length === 6 * 49";
    page.browser.wait(changed).await;
    // Before the sweep is through, one cell is patched by itself.
    let cell = "figure[data-site=mlp_out] rect[data-layer='2'][data-column='48']";
    let element = page.browser.client.find(Locator::Css(cell)).await.unwrap();
    element.click().await.unwrap();
    page.browser.wait("document.querySelectorAll('#pinned tr[data-exact]').length === 11").await;
    let request = Request {
        method: Method::Ap,
        pair: long(),
        cell: Some(Cell { layer: 2, position: 48 }),
        ..headline()
    };
    let exact = Reference::load().figure(&request);
    let expected: Vec<f32> =
        Site::PAPER.iter().map(|site| exact.maps[site].get(2, 48).unwrap()).collect();
    let mut found = Vec::new();
    for site in Site::PAPER {
        found.extend(numbers(&page, &format!("#pinned tr[data-site={site}]"), "exact").await);
    }
    assert_close("one cell", &expected, &found, Tolerance::GOLDEN);
    // What is known so far is drawn, and what is not is hatched.
    page.browser.wait("!document.querySelector('#scores-exact').disabled").await;
    page.click("#scores-exact").await;
    page.click("#stop-checking").await;
    let unknown = "document.querySelectorAll('.map rect[data-layer]:not([data-value])').length";
    assert!(page.browser.eval(unknown).await.as_u64().unwrap() > 0, "something is hatched");
    assert!(page.text("#legend").await.contains("not computed yet"));
    assert!(page.exists("#agreement .scatter").await && !page.exists("#agreement table").await);
    let wrong = "document.body.innerText.includes('NaN')";
    assert_eq!(page.browser.eval(wrong).await, false);
    page.keep_picture("part").await;
    page.click("#check").await;
    wait_for_agreement(&page).await;
    let unknown = "document.querySelectorAll('.map rect[data-layer]:not([data-value])').length";
    assert_eq!(page.browser.eval(unknown).await, 0, "nothing is missing any more");
    page.close().await;
}

#[tokio::test]
async fn neurons_are_listed_when_they_are_asked_for() {
    let page = Page::ready(WebGpu::Off).await;
    page.click("#neurons > summary").await;
    page.wait_for_figure(2).await;
    wait_for_agreement(&page).await;
    let count = "document.querySelectorAll('#neurons tr[data-exact]').length";
    assert_eq!(
        page.browser.eval(count).await,
        6 * 10,
        "ten of each layer, each with its exact score"
    );
    page.keep_picture("neurons").await;
    page.click("#neurons > summary").await;
    page.browser.wait("!document.querySelector('.result').classList.contains('stale')").await;
    assert!(page.exists("figure.map[data-figure='2']").await, "closing computes nothing");
    page.close().await;
}
