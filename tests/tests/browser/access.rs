//! Whether everybody can use the page: by axe-core, by keyboard alone, with large text, other colours,
//! less motion, from right to left, and on paper.

use serde_json::{Value, json};

use crate::browser::WebGpu;
use crate::page::Page;
use crate::questions::open;

const AXE: &str = include_str!("axe/axe.min.js");

/// A key by its name and Windows' number for it.
type Key = (&'static str, u32);

const TAB: Key = ("Tab", 9);
const ENTER: Key = ("Enter", 13);
const ESCAPE: Key = ("Escape", 27);
const END: Key = ("End", 35);
const UP: Key = ("ArrowUp", 38);
const RIGHT: Key = ("ArrowRight", 39);
const DOWN: Key = ("ArrowDown", 40);

/// What axe-core says against the page as it stands, in the light and in the dark.
async fn assert_accessible(page: &Page, state: &str) {
    let there = page.browser.eval("typeof window.axe === 'object'").await;
    if there != true {
        page.browser.client.execute(AXE, vec![]).await.unwrap();
    }
    let run = "const done = arguments[arguments.length - 1]; \
               axe.run(document, { resultTypes: ['violations'] }).then( \
                 found => done(found.violations.flatMap(one => one.nodes.map( \
                   node => `${one.id}: ${node.html.slice(0, 200)} ${node.failureSummary}`))), \
                 error => done([String(error)]));";
    for scheme in ["light", "dark"] {
        page.browser.look(1280, 800, scheme).await;
        // Colours that fade would be measured in between.
        page.browser.wait("document.getAnimations().length === 0").await;
        let found = page.browser.client.execute_async(run, vec![]).await.unwrap();
        let found: Vec<String> = serde_json::from_value(found).unwrap();
        assert!(found.is_empty(), "{state}, {scheme}: {found:#?}");
    }
    page.browser.look(1280, 800, "light").await;
}

async fn wait_for_agreement(page: &Page) {
    page.browser.wait("document.querySelector('#agreement table') !== null").await;
}

#[tokio::test]
async fn axe_finds_nothing_in_the_figure() {
    let page = Page::ready(WebGpu::Off).await;
    wait_for_agreement(&page).await;
    assert_accessible(&page, "plain").await;
    let unfold = "document.querySelectorAll('details:not(.explain):not(.menu)')\
                  .forEach(one => one.open = true) ?? true";
    page.browser.eval(unfold).await;
    page.browser.wait("document.querySelectorAll('#tasks h3').length >= 11").await;
    page.browser.wait("document.querySelector('#neurons table') !== null").await;
    page.browser.wait("document.querySelector('#app').dataset.state === 'ready'").await;
    wait_for_agreement(&page).await;
    assert_accessible(&page, "everything unfolded").await;
    page.click("#tasks > summary").await;
    page.click("#models").await;
    page.click("#neurons > summary").await;
    page.browser.wait("document.querySelector('#neurons table') === null").await;
    let (up, end, enter) = ("\u{e013}", "\u{e010}", "\u{e007}");
    for key in [up, end, enter] {
        page.press("figure[data-site=resid_pre] svg", key).await;
    }
    page.click("#keep").await;
    for key in [up, enter] {
        page.press("figure[data-site=z] svg", key).await;
    }
    page.browser.wait("document.querySelector('.attention') !== null").await;
    page.browser.eval("document.querySelector('#pinned .explain').open = true").await;
    assert_accessible(&page, "a cell pinned and kept, a head open, a text open").await;
    page.select("#beside", "exact").await;
    assert_accessible(&page, "two figures side by side").await;
    page.click("#flicker").await;
    assert_accessible(&page, "two figures in turn").await;
    page.close().await;
}

#[tokio::test]
async fn axe_finds_nothing_in_what_is_asked_and_told() {
    let page = Page::ready(WebGpu::Off).await;
    wait_for_agreement(&page).await;
    page.click("#clean-tokens [data-position='4']").await;
    page.browser.wait("document.querySelector('.similar') !== null").await;
    assert_accessible(&page, "a token is edited").await;
    page.click("#token-leave").await;
    page.click("#lessons > summary").await;
    assert_accessible(&page, "the list of lessons").await;
    page.click("#lesson-patching").await;
    page.click("#lesson-next").await;
    page.browser.wait("document.querySelector('#lesson-option-0') !== null").await;
    assert_accessible(&page, "a prediction is asked for").await;
    page.click("#lesson-option-0").await;
    page.click("#lesson-reveal").await;
    page.browser.wait("document.querySelector('#lesson-outcome') !== null").await;
    assert_accessible(&page, "a prediction is told").await;
    page.click("#lesson-leave").await;
    page.click("#lessons > summary").await;
    page.click("#tour-again").await;
    assert_accessible(&page, "the tour").await;
    page.click("#tour-end").await;
    page.click("#share").await;
    page.browser.wait("document.querySelector('#share-link') !== null").await;
    assert_accessible(&page, "the figure is shared").await;
    page.click("#share-dialog-close").await;
    page.click("#export").await;
    page.browser.wait("document.querySelector('#export-preview')?.complete === true").await;
    page.write("#export-font", "5\u{e007}").await;
    page.browser.wait("document.querySelector('#export-small') !== null").await;
    assert_accessible(&page, "the figure is exported").await;
    page.click("#export-dialog-close").await;
    page.write("#corrupted", "The king went").await;
    page.browser.wait("document.querySelector('.problem') !== null").await;
    assert_accessible(&page, "a pair that cannot be compared").await;
    open(&page, "no figure").await;
    page.browser.wait("document.querySelector('.failure') !== null").await;
    assert_accessible(&page, "a file that is no figure").await;
    for language in ["de", "es"] {
        page.select("#language", language).await;
        let spoken = format!("document.documentElement.lang === '{language}'");
        page.browser.wait(&spoken).await;
        assert_accessible(&page, language).await;
    }
    page.close().await;
}

#[tokio::test]
async fn axe_finds_nothing_in_the_documents() {
    let page = Page::open(WebGpu::Off).await;
    for name in ["guide", "methods", "agreement", "design"] {
        let address = format!("{}docs/{name}.html", page.server.url());
        page.browser.client.goto(&address).await.unwrap();
        assert_accessible(&page, name).await;
        for width in [360, 1280] {
            page.browser.look(width, 800, "light").await;
            assert_fits(&page, &format!("{name} at {width}")).await;
        }
        page.keep_element("body", &format!("docs-{name}")).await;
    }
    page.close().await;
}

/// Presses keys one after the other, wherever the focus is.
async fn keys(page: &Page, keys: &[Key]) {
    for &key in keys {
        press(page, key, 0).await;
    }
}

/// Presses a key with modifiers, of which 8 is Shift.
async fn press(page: &Page, (key, code): Key, modifiers: u32) {
    let text = if key == "Enter" { "\r" } else { "" };
    for kind in ["keyDown", "keyUp"] {
        let text = if kind == "keyDown" { text } else { "" };
        let event = json!({
            "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text,
            "modifiers": modifiers,
        });
        page.browser.command("Input.dispatchKeyEvent", event).await;
    }
}

/// Goes by Tab until the focus is on the element, and sees it there.
async fn tab_to(page: &Page, selector: &str) {
    let there = format!("document.activeElement?.matches({selector:?}) ?? false");
    for _ in 0..200 {
        if page.browser.eval(&there).await == true {
            assert_focus_is_seen(page).await;
            return;
        }
        keys(page, &[TAB]).await;
    }
    panic!("Tab does not reach {selector}");
}

async fn assert_focus_is_seen(page: &Page) {
    let outline = "(() => { const at = document.activeElement; const style = getComputedStyle(at); \
                   return at.matches(':focus-visible') && style.outlineStyle !== 'none' \
                   && parseFloat(style.outlineWidth) >= 2 || at.outerHTML.slice(0, 200); })()";
    let seen = page.browser.eval(outline).await;
    assert_eq!(seen, true, "the focus is not seen");
}

#[tokio::test]
async fn the_main_job_is_done_by_keyboard_alone() {
    let page = Page::ready(WebGpu::Off).await;
    wait_for_agreement(&page).await;
    // The question: another example, and a token of it in the place of another.
    tab_to(&page, "#example").await;
    keys(&page, &[DOWN]).await;
    page.wait_for_figure(2).await;
    tab_to(&page, "#clean-tokens button").await;
    keys(&page, &[RIGHT, RIGHT, RIGHT, RIGHT, ENTER]).await;
    page.browser.wait("document.querySelector('.similar') !== null").await;
    page.browser.wait("document.activeElement.id === 'token-text'").await;
    keys(&page, &[ESCAPE]).await;
    page.browser.wait("document.activeElement.dataset.position === '4'").await;
    // The answer: which cell, and what patching it does.
    wait_for_agreement(&page).await;
    tab_to(&page, "figure[data-site=resid_pre] svg").await;
    keys(&page, &[UP, UP, END]).await;
    let readout = page.text("#readout").await;
    assert!(readout.contains("layer 1, position 14"), "{readout}");
    keys(&page, &[ENTER]).await;
    assert!(page.text("#pinned-title").await.contains("layer 1, position 14"));
    assert!(page.text("#pinned tbody").await.contains("resid_pre"));
    // The heads: which, where it looks, and back.
    tab_to(&page, "figure[data-site=z] svg").await;
    keys(&page, &[UP, UP, ENTER]).await;
    page.browser.wait("document.querySelectorAll('.attention').length === 3").await;
    page.browser.wait("document.activeElement.id === 'head-title'").await;
    keys(&page, &[ESCAPE]).await;
    page.browser.wait("document.querySelector('.attention') === null").await;
    // The evidence is in tables, and a method is compared.
    tab_to(&page, "[name=method]:checked").await;
    keys(&page, &[RIGHT]).await;
    page.wait_for_figure(3).await;
    wait_for_agreement(&page).await;
    assert!(page.text("#agreement table").await.contains("resid_pre"));
    page.close().await;
}

#[tokio::test]
async fn tab_reaches_everything_that_can_be_used_and_targets_are_large_enough() {
    let page = Page::ready(WebGpu::Off).await;
    wait_for_agreement(&page).await;
    for key in ["\u{e013}", "\u{e007}"] {
        page.press("figure[data-site=z] svg", key).await;
    }
    page.browser.wait("document.querySelector('.attention') !== null").await;
    for key in ["\u{e010}", "\u{e007}"] {
        page.press("figure[data-site=resid_pre] svg", key).await;
    }
    page.browser.wait("document.querySelector('#pinned') !== null").await;
    // Of radio buttons and of tokens one is reached by Tab, the others by arrow keys.
    let usable = "[...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex]')]\
        .filter(at => at.checkVisibility({ visibilityProperty: true }) && !at.disabled && at.tabIndex >= 0 \
          && !(at.type === 'radio' && !at.checked) && at.id !== 'file')";
    let mark = format!("{usable}.forEach((at, index) => at.dataset.tab = index) ?? true");
    page.browser.eval(&mark).await;
    let count = page.browser.eval(&format!("{usable}.length")).await.as_u64().unwrap();
    page.browser.eval("document.activeElement.blur() ?? true").await;
    let mut reached = std::collections::BTreeSet::new();
    for _ in 0..count + 10 {
        keys(&page, &[TAB]).await;
        let at = page.browser.eval("document.activeElement?.dataset.tab ?? null").await;
        if let Some(at) = at.as_str() {
            reached.insert(at.to_owned());
            assert_focus_is_seen(&page).await;
        }
    }
    let missing = format!(
        "{usable}.filter(at => !{}.includes(at.dataset.tab)).map(at => at.outerHTML.slice(0, 120))",
        json!(reached)
    );
    let missing = page.browser.eval(&missing).await;
    assert_eq!(missing, json!([]), "Tab does not reach them");
    // A label is part of its control's target; links within sentences are not held to it.
    let small = "[...document.querySelectorAll('button, select, summary, input, textarea')]\
        .filter(at => at.checkVisibility({ visibilityProperty: true }) && at.id !== 'file')\
        .map(at => [at, (at.closest('label.switch') ?? at).getBoundingClientRect()])\
        .filter(([, box]) => box.width < 24 || box.height < 23.9)\
        .map(([at, box]) => `${at.outerHTML.slice(0, 120)} ${box.width} × ${box.height}`)";
    assert_eq!(page.browser.eval(small).await, json!([]), "smaller than 24 pixels");
    page.close().await;
}

async fn assert_fits(page: &Page, state: &str) {
    let overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
    let overflow = page.browser.eval(overflow).await;
    assert!(overflow.as_i64().unwrap() <= 0, "{state}: {overflow} pixels too wide");
}

#[tokio::test]
async fn large_text_and_writing_from_the_right_break_nothing() {
    let page = Page::ready(WebGpu::Off).await;
    wait_for_agreement(&page).await;
    for key in ["\u{e010}", "\u{e007}"] {
        page.press("figure[data-site=resid_pre] svg", key).await;
    }
    for (name, set) in [
        ("text-200", "document.documentElement.style.fontSize = '200%'"),
        (
            "rtl",
            "document.documentElement.style.fontSize = '', document.documentElement.dir = 'rtl'",
        ),
    ] {
        page.browser.eval(&format!("({set}, true)")).await;
        for width in [390, 1280] {
            page.browser.look(width, 900, "light").await;
            assert_fits(&page, &format!("{name} at {width}")).await;
            page.keep_element("#app", &format!("{name}-{width}")).await;
        }
    }
    // The first token stays the leftmost one, as a map's first position does.
    let order = "(() => { const x = at => document.querySelector(`#clean-tokens [data-position='${at}']`)\
                 .getBoundingClientRect().left; return x(0) < x(1); })()";
    assert_eq!(page.browser.eval(order).await, true);
    page.close().await;
}

async fn media(page: &Page, features: &[(&str, &str)], medium: &str) {
    let features: Vec<Value> =
        features.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
    let media = json!({ "features": features, "media": medium });
    page.browser.command("Emulation.setEmulatedMedia", media).await;
}

#[tokio::test]
async fn the_systems_colours_motion_and_paper_are_respected() {
    let page = Page::ready(WebGpu::Off).await;
    wait_for_agreement(&page).await;
    let colours = "new Set([...document.querySelectorAll('figure[data-site=resid_pre] rect[data-value]')]\
                   .map(cell => getComputedStyle(cell).fill)).size";
    let usual = page.browser.eval(colours).await.as_u64().unwrap();
    media(&page, &[("forced-colors", "active")], "").await;
    assert_eq!(
        page.browser.eval(colours).await.as_u64().unwrap(),
        usual,
        "cells keep their colours"
    );
    page.keep_element("#app", "forced-colours").await;
    media(&page, &[("prefers-contrast", "more")], "").await;
    let soft = "getComputedStyle(document.querySelector('.help')).color === getComputedStyle(document.body).color";
    assert_eq!(page.browser.eval(soft).await, true, "nothing is faint");
    page.keep_element("#app", "more-contrast").await;
    // Turns by themselves, unless less motion is asked for.
    page.select("#beside", "exact").await;
    let turned = "window.turns = 0, new MutationObserver(() => window.turns++)\
                  .observe(document.querySelector('#app'), { subtree: true, characterData: true, childList: true })";
    media(&page, &[("prefers-reduced-motion", "reduce")], "").await;
    page.click("#flicker").await;
    page.browser.wait("document.querySelector('#beside-shown') !== null").await;
    page.browser.eval(&format!("({turned}, true)")).await;
    tokio::time::sleep(std::time::Duration::from_millis(2500)).await;
    assert_eq!(page.browser.eval("window.turns").await, 0, "nothing moves");
    page.click("#beside-other").await;
    assert!(page.text("#beside-shown").await.contains("the exact answer"));
    page.click("#flicker").await;
    // On paper there is the figure, without what only a screen can do.
    media(&page, &[], "print").await;
    for hidden in [".question", ".bar-of-method", ".tools", ".choices", "footer"] {
        let seen = format!("document.querySelector({hidden:?}).checkVisibility()");
        assert_eq!(page.browser.eval(&seen).await, false, "{hidden} on paper");
    }
    for shown in [".maps svg", "#caption", "#legend", "#agreement table"] {
        let seen = format!("document.querySelector({shown:?}).checkVisibility()");
        assert_eq!(page.browser.eval(&seen).await, true, "{shown} on paper");
    }
    page.keep_element("#app", "print").await;
    page.close().await;
}

#[tokio::test]
async fn shift_tab_goes_back() {
    let page = Page::ready(WebGpu::Off).await;
    tab_to(&page, "#swap").await;
    press(&page, TAB, 8).await;
    let at = "document.activeElement.closest('#tasks') !== null";
    assert_eq!(page.browser.eval(at).await, true);
    page.close().await;
}
