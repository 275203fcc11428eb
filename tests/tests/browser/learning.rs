//! The first visit, the tour and the lessons.

use std::ops::Deref;

use fantoccini::Locator;

use crate::browser::WebGpu;
use crate::page::Page;
use crate::server::{Fault, PageServer};
use crate::session::Session;

#[tokio::test]
async fn a_figure_is_there_before_the_engine() {
    let page = Page::open(WebGpu::Off).await;
    page.browser.wait("document.querySelector('figure.map') !== null").await;
    // It came with the page, says so, and has its exact answer.
    let number = "document.querySelector('figure.map').dataset.figure";
    if page.browser.eval(number).await == "0" {
        assert!(page.text(".opened").await.contains("Computed before you came"));
        assert!(page.exists("#agreement table").await);
    }
    let value = "document.querySelector('figure[data-site=resid_pre] rect[data-layer=\"5\"][data-column=\"14\"]').dataset.value";
    let before: f64 = page.browser.eval(value).await.as_str().unwrap().parse().unwrap();
    page.wait_for_figure(1).await;
    assert!(!page.exists(".opened").await, "it was computed here");
    let after: f64 = page.browser.eval(value).await.as_str().unwrap().parse().unwrap();
    assert!((before - after).abs() < 1e-3 * after.abs(), "{before} {after}");
    page.close().await;
}

#[tokio::test]
async fn an_engine_that_does_not_come_leaves_the_first_figure() {
    let server = PageServer::start();
    server.break_file(&PageServer::engine(), Fault::Missing);
    let mut page = Page::open_from(server, WebGpu::Off).await;
    page.expect_complaints();
    page.browser.wait("document.querySelector('#failure') !== null").await;
    // The first key shows where one is.
    for key in ["\u{e010}", "\u{e010}", "\u{e007}"] {
        page.press("figure[data-site=resid_pre] svg", key).await;
    }
    assert!(page.text("#readout").await.contains("position 14"));
    assert!(page.exists("#pinned").await, "its exact scores came with it");
    page.close().await;
}

#[tokio::test]
async fn the_tour_ends_by_doing_and_does_not_come_back() {
    let page = Page::ready(WebGpu::Off).await;
    page.click("#tour-start").await;
    let stop = |name: &str| format!("document.querySelector('#tour')?.dataset.stop === '{name}'");
    let may_go_on = "document.querySelector('#tour-next').disabled === false";
    page.browser.wait(&stop("question")).await;
    page.keep_element("#app", "tour-question").await;
    page.click("#tour-next").await;
    page.browser.wait(&stop("maps")).await;
    assert_eq!(page.browser.eval(may_go_on).await, false, "first a cell is pinned");
    page.press("figure[data-site=resid_pre] svg", "\u{e010}").await;
    page.press("figure[data-site=resid_pre] svg", "\u{e007}").await;
    page.browser.wait(may_go_on).await;
    page.click("#tour-next").await;
    page.browser.wait(&stop("evidence")).await;
    page.click("#tour-next").await;
    page.browser.wait(&stop("heads")).await;
    page.click("#tour-assist").await;
    page.browser.wait("document.querySelector('.attention') !== null").await;
    page.click("#tour-next").await;
    page.browser.wait(&stop("tokens")).await;
    page.click("#tour-assist").await;
    page.browser.wait("document.querySelector('.similar') !== null").await;
    page.keep_element("#app", "tour-tokens").await;
    page.click(".similar").await;
    page.browser.wait(may_go_on).await;
    page.click("#tour-next").await;
    page.browser.wait("document.querySelector('#tour') === null").await;
    page.browser.client.refresh().await.unwrap();
    page.wait_for_figure(1).await;
    assert!(!page.exists("#tour-invitation").await && !page.exists("#tour").await);
    // Whoever wants it again takes it.
    page.click("#lessons > summary").await;
    page.click("#tour-again").await;
    page.browser.wait(&stop("question")).await;
    page.click("#tour-end").await;
    page.close().await;
}

#[tokio::test]
async fn a_tour_that_is_refused_does_not_come_back() {
    let page = Page::ready(WebGpu::Off).await;
    page.click("#tour-skip").await;
    page.browser.wait("document.querySelector('#tour-invitation') === null").await;
    page.browser.client.refresh().await.unwrap();
    page.wait_for_figure(1).await;
    assert!(!page.exists("#tour-invitation").await);
    page.close().await;
}

/// Goes through a lesson, choosing the first option of each prediction and having every deed done, and
/// says what was told.
async fn take(page: &Page<impl Deref<Target = Session>>, lesson: &str) -> Vec<String> {
    page.click("#lessons > summary").await;
    page.click(&format!("#lesson-{lesson}")).await;
    page.browser
        .wait(&format!("document.querySelector('#lesson')?.dataset.lesson === '{lesson}'"))
        .await;
    let mut told = Vec::new();
    for step in 0.. {
        let here = format!("document.querySelector('#lesson')?.dataset.step === '{step}'");
        page.browser.wait(&here).await;
        if page.exists("#lesson-reveal").await {
            // Before the prediction nobody sees the answer.
            let seen =
                "document.querySelector('.maps').checkVisibility({ visibilityProperty: true })";
            assert_eq!(page.browser.eval(seen).await, false, "{lesson} {step}");
            let next = "document.querySelector('#lesson-next').disabled";
            assert_eq!(page.browser.eval(next).await, true, "{lesson} {step}");
            page.click("#lesson-option-0").await;
            page.keep_element("#app", &format!("lesson-{lesson}-{step}")).await;
            page.click("#lesson-reveal").await;
            assert_eq!(page.browser.eval(seen).await, true, "{lesson} {step}");
        }
        if page.exists("#lesson-assist").await {
            page.browser.wait("document.querySelector('#app').dataset.state === 'ready'").await;
            page.click("#lesson-assist").await;
            page.browser.wait("document.querySelector('#lesson-done') !== null").await;
        }
        let is_told = "document.querySelector('#lesson-wait') === null";
        page.browser.wait(is_told).await;
        if page.exists("#lesson-outcome").await {
            let verdict = "document.querySelector('#lesson-outcome').dataset.verdict";
            let verdict = page.browser.eval(verdict).await;
            let words = page.text("#lesson-outcome").await;
            told.push(format!("{}: {words}", verdict.as_str().unwrap_or("no choice")));
        }
        page.browser.wait("document.querySelector('#lesson-next').disabled === false").await;
        page.keep_element("#app", &format!("lesson-{lesson}-{step}-told")).await;
        let button = page.browser.client.find(Locator::Css("#lesson-next")).await.unwrap();
        let is_last = button.text().await.unwrap() == "Finish";
        button.click().await.unwrap();
        if is_last {
            break;
        }
    }
    page.browser.wait("document.querySelector('#lesson') === null").await;
    told
}

/// Goes through all of them: what the model shows is what the lessons are made for.
pub(crate) async fn take_every_lesson(page: &Page<impl Deref<Target = Session>>) {
    let patching = take(page, "patching").await;
    assert!(patching[0].starts_with("wrong: It is otherwise. Of 15 cells"), "{patching:?}");
    assert!(patching[0].contains("position 10 “·John”"), "{patching:?}");
    assert!(patching[1].contains("position 14 “·to”"), "{patching:?}");
    let movers = take(page, "name-movers").await;
    assert_eq!(movers.len(), 2, "{movers:?}");
    assert!(movers[1].contains("% of its attention"), "{movers:?}");
    let gradients = take(page, "gradients").await;
    assert!(gradients[0].starts_with("right: As you predicted. In layer 0"), "{gradients:?}");
    assert!(gradients[1].starts_with("right"), "RelP's errors are smaller: {gradients:?}");
    let rules = take(page, "rules").await;
    assert!(rules[0].contains("with RelP's own rules"), "{rules:?}");
    let wrong = take(page, "when-wrong").await;
    assert!(wrong[0].starts_with("wrong"), "AtP is closer: {wrong:?}");
}

#[tokio::test]
async fn every_lesson_is_taken_on_the_bundled_model() {
    let page = Page::ready(WebGpu::Off).await;
    take_every_lesson(&page).await;
    page.close().await;
}

#[tokio::test]
async fn a_lesson_is_left_and_gone_back_in() {
    let page = Page::ready(WebGpu::Off).await;
    page.click("#lessons > summary").await;
    page.click("#lesson-gradients").await;
    page.wait_for_figure(2).await;
    page.click("#lesson-next").await;
    page.click("#lesson-back").await;
    page.browser.wait("document.querySelector('#lesson').dataset.step === '0'").await;
    page.click("#lesson-next").await;
    page.click("#lesson-leave").await;
    page.browser.wait("document.querySelector('#lesson') === null").await;
    let seen = "document.querySelector('.maps').checkVisibility({ visibilityProperty: true })";
    assert_eq!(page.browser.eval(seen).await, true, "nothing stays hidden");
    assert_eq!(
        page.browser.eval("document.querySelector('[name=method]:checked').id").await,
        "method-atp"
    );
    page.close().await;
}

/// Going on leaves the switches as the reader has set them; going back has them as they were.
#[tokio::test]
async fn a_lesson_leaves_the_switches_to_the_reader() {
    let page = Page::ready(WebGpu::Off).await;
    page.click("#lessons > summary").await;
    page.click("#lesson-rules").await;
    let at = |step: usize| format!("document.querySelector('#lesson')?.dataset.step === '{step}'");
    page.click("#lesson-next").await;
    page.browser.wait(&at(1)).await;
    page.click("#lesson-option-1").await;
    page.click("#lesson-reveal").await;
    page.click("#lesson-next").await;
    page.browser.wait(&at(2)).await;
    page.click("#rule-ln").await;
    page.browser.wait("document.querySelector('#lesson-done') !== null").await;
    page.click("#lesson-next").await;
    page.browser.wait(&at(3)).await;
    let is_on = "document.querySelector('#rule-ln').checked";
    assert_eq!(page.browser.eval(is_on).await, false, "the reader turns it on again");
    page.click("#lesson-back").await;
    page.browser.wait(&at(2)).await;
    assert_eq!(page.browser.eval(is_on).await, true, "as the step began");
    page.close().await;
}
