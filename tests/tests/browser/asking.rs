//! Tasks with how the model does on them, and tokens that are edited where they stand.

use crate::browser::WebGpu;
use crate::page::Page;

#[tokio::test]
async fn tasks_are_measured_and_those_it_cannot_do_are_labelled() {
    let page = Page::ready(WebGpu::Off).await;
    page.browser.wait("document.querySelector('#measured')?.textContent.includes('6 of 6')").await;
    assert!(page.text("#measured").await.starts_with("primer is right on 6 of 6 pairs; mean +"));
    page.click("#tasks > summary").await;
    // The list is there a moment after it was opened.
    let all = "document.querySelector('[data-task]') && \
               [...document.querySelectorAll('[data-task]')].every(one => one.dataset.verdict !== 'unknown')";
    page.browser.wait(all).await;
    for (task, verdict) in [("ioi", "does"), ("docstring", "not-askable"), ("gender", "fails")] {
        let found = format!("document.querySelector('[data-task={task}]').dataset.verdict");
        assert_eq!(page.browser.eval(&found).await, verdict, "{task}");
    }
    let docstring = page.text("[data-task=docstring]").await;
    assert!(docstring.contains("cannot be asked"), "{docstring}");
    assert!(docstring.contains("Heimersheim and Janiak 2023"), "{docstring}");
    let gender = page.text("[data-task=gender]").await;
    assert!(gender.contains("wrong on all pairs"), "{gender}");
    assert!(gender.contains("Its maps explain mistakes."), "{gender}");
    // A pair is chosen from the list, and its task is measured already.
    page.click("[data-pair=agreement-keys]").await;
    page.wait_for_figure(2).await;
    let value = page.browser.eval("document.querySelector('#clean').value").await;
    assert_eq!(value, "The keys to the cabinet");
    assert!(page.text("#measured").await.contains("of 5 pairs"));
    // One that needs other words says so, and the last figure stays.
    page.click("[data-pair=docstring-size]").await;
    page.browser.wait("document.querySelector('.problem') !== null").await;
    assert!(page.text("#measured").await.contains("cannot be asked"));
    assert!(page.exists("#measured.failing").await);
    page.close().await;
}

#[tokio::test]
async fn a_token_is_replaced_by_one_that_is_suggested_and_by_one_that_is_written() {
    let page = Page::ready(WebGpu::Off).await;
    // In place of the giver's name, which names are most like.
    page.click("#clean-tokens [data-position='10']").await;
    page.browser.wait("document.querySelectorAll('.similar').length > 3").await;
    let suggested = "[...document.querySelectorAll('.similar')].map(one => one.textContent)";
    let suggested: Vec<String> =
        serde_json::from_value(page.browser.eval(suggested).await).unwrap();
    assert!(suggested.iter().all(|token| token.starts_with('·')), "{suggested:?}");
    assert!(!suggested.contains(&"·John".to_owned()), "{suggested:?}");
    let first = suggested[0].trim_start_matches('·').to_owned();
    page.click(".similar").await;
    page.wait_for_figure(2).await;
    let clean = page.browser.eval("document.querySelector('#clean').value").await;
    assert_eq!(clean, format!("When John and Mary went to the shop, {first} gave a drink to"));
    assert_eq!(page.browser.eval("document.querySelector('#example').value").await, "own");
    let count = "document.querySelectorAll('#clean-tokens li').length";
    assert_eq!(page.browser.eval(count).await, 15, "the length is kept");
    // The focus is where it was, and nothing is open any more.
    assert!(!page.exists("#token-edit").await);
    let at = "document.activeElement.dataset.position";
    page.browser.wait(&format!("{at} === '10'")).await;
    // Written: what is longer is a problem that is explained, and can be mended the same way.
    page.click("#corrupted-tokens [data-position='8']").await;
    page.write("#token-text", " shop in the city").await;
    page.press("#token-text", "\u{e007}").await;
    page.browser.wait("document.querySelector('.problem') !== null").await;
    assert!(page.text("#corrupted-problem").await.contains("differ in length"));
    page.close().await;
}

#[tokio::test]
async fn an_edit_can_be_left_and_bos_cannot_be_written_over() {
    let page = Page::ready(WebGpu::Off).await;
    page.click("#clean-tokens [data-position='4']").await;
    page.browser.wait("document.querySelector('#token-edit') !== null").await;
    page.press("#token-text", "\u{e00c}").await;
    page.browser.wait("document.querySelector('#token-edit') === null").await;
    let clean = page.browser.eval("document.querySelector('#clean').value").await;
    assert_eq!(clean, "When John and Mary went to the shop, John gave a drink to");
    page.click("#clean-tokens [data-position='0']").await;
    assert!(!page.exists("#token-edit").await, "BOS is a switch");
    assert_eq!(page.browser.eval("document.activeElement.id").await, "bos");
    page.close().await;
}
