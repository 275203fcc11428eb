//! What can be asked: metrics, replacements, methods, changes, means; and figures in files.

use fantoccini::Locator;
use relp_model::{Direction, Figure, Method, Metric, PairText, Replace, Request, Rules, Site};
use relp_tests::compare::{Tolerance, assert_close};

use crate::browser::WebGpu;
use crate::page::Page;
use crate::reference::{Reference, headline};

#[tokio::test]
async fn metrics_and_replacements_are_the_references() {
    let page = Page::ready(WebGpu::Off).await;
    let mut reference = Reference::load();
    let mut number = 1;
    for metric in [Metric::LogProb, Metric::ProbDiff, Metric::Kl] {
        page.select("#metric", metric.name()).await;
        number += 1;
        page.wait_for_figure(number).await;
        page.assert_shows(&reference.figure(&Request { metric, ..headline() })).await;
    }
    assert!(page.text("#caption").await.contains("KL divergence"));
    assert!(page.text("#legend").await.starts_with("−"), "{}", page.text("#legend").await);
    // Noising begins where the divergence is flat.
    page.click("#direction-noise").await;
    page.browser
        .wait("document.querySelector('#metric-problem').textContent.includes('flat')")
        .await;
    assert!(page.exists("#metric[aria-invalid=true]").await);
    page.select("#metric", "logit_diff").await;
    number += 1;
    page.wait_for_figure(number).await;
    for replace in [Replace::Zero, Replace::Mean] {
        page.select("#replace", replace.name()).await;
        number += 1;
        page.wait_for_figure(number).await;
        let direction = Direction::Noise;
        page.assert_shows(&reference.figure(&Request { replace, direction, ..headline() })).await;
        assert!(
            page.text("#caption").await.contains(&format!("{replace} ablation of the clean run"))
        );
        assert!(page.text("#legend").await.contains(&format!("{replace} ablation")));
    }
    page.click("#method-ig-inputs").await;
    page.browser
        .wait("document.querySelector('#replace-problem').textContent.includes('no mean ablation')")
        .await;
    page.keep_picture("more").await;
    page.close().await;
}

#[tokio::test]
async fn several_answers_and_the_denominator_are_named() {
    let page = Page::ready(WebGpu::Off).await;
    page.write("#answer", " Mary| Anna").await;
    page.wait_for_figure(2).await;
    assert_eq!(page.browser.eval("document.querySelector('#answer').value").await, " Mary| Anna");
    page.click("#normalise").await;
    page.wait_for_figure(3).await;
    let answers = vec![" Mary".to_owned(), " Anna".to_owned()];
    let pair = PairText { answers, ..headline().pair };
    let figure = Reference::load().figure(&Request { pair, normalise: true, ..headline() });
    page.assert_shows(&figure).await;
    let difference = format!("+{:.3} logits", figure.metric.difference());
    assert!(page.text("#legend").await.contains(&difference), "{}", page.text("#legend").await);
    assert!(page.text("#caption").await.contains("mean logit(\" Mary\", \" Anna\")"));
    page.close().await;
}

#[tokio::test]
async fn sizes_without_a_sign_and_a_row_of_tokens() {
    let page = Page::ready(WebGpu::Off).await;
    let mut reference = Reference::load();
    page.click("#method-atp-star").await;
    page.wait_for_figure(2).await;
    page.assert_shows(&reference.figure(&Request { method: Method::AtpStar, ..headline() })).await;
    assert!(page.exists("#legend .ramp.sizes").await);
    page.browser.wait("document.querySelector('#agreement table') !== null").await;
    assert!(page.text("#agreement caption").await.contains("have no sign"));
    assert!(page.exists("#scores-change:disabled").await, "not comparable with RelP");
    page.keep_picture("sizes").await;
    for key in ["\u{e013}", "\u{e013}", "\u{e013}", "\u{e007}"] {
        page.press("figure[data-site=mlp_out] svg", key).await;
    }
    assert!(page.text("#pinned-title").await.starts_with("Pinned: layer 2, position 0"));
    page.click("#method-grad-x-input").await;
    let row = "document.querySelectorAll('figure[data-site=embed] rect[data-value]').length === 15";
    page.browser.wait(row).await;
    assert!(page.text("#agreement").await.contains("replaces nothing"));
    assert!(!page.text("#help").await.contains("into the corrupted run"), "nothing is replaced");
    assert!(!page.exists("#pinned").await, "there is no such cell any more");
    assert!(page.exists("#scores-exact:disabled").await);
    page.keep_picture("grad-x-input").await;
    page.close().await;
}

#[tokio::test]
async fn a_rule_turned_off_shows_the_change() {
    let page = Page::ready(WebGpu::Off).await;
    assert!(page.exists("#scores-change:disabled").await);
    let title = "document.querySelector('#scores-change').closest('label').title";
    assert!(page.browser.eval(title).await.as_str().unwrap().contains("no figure before"));
    page.click("#rule-identity").await;
    page.wait_for_figure(2).await;
    page.click("#scores-change").await;
    let mut reference = Reference::load();
    let without = Rules { identity: false, ..Rules::RELP };
    let mut change = reference.figure(&Request { rules: without, ..headline() });
    let before = reference.figure(&headline());
    for (site, map) in &mut change.maps {
        let both = map.values.iter_mut().zip(&before.maps[site].values);
        both.for_each(|(value, before)| *value -= before);
    }
    page.assert_shows(&change).await;
    let caption = page.text("#caption").await;
    let what = "RelP with the rules LN, Half minus RelP with the rules LN, Identity, Half";
    assert!(caption.starts_with(what), "{caption}");
    page.close().await;
}

#[tokio::test]
async fn a_task_is_averaged_over_its_pairs() {
    let page = Page::ready(WebGpu::Off).await;
    page.browser.wait("document.querySelector('#batch') !== null").await;
    page.click("#batch").await;
    page.wait_for_figure(2).await;
    page.browser.wait("document.querySelector('#agreement table') !== null").await;
    let count = "document.querySelectorAll('#of-pair option').length - 1";
    let count = page.browser.eval(count).await.as_u64().unwrap();
    assert!(
        count >= 2 && page.text("#caption").await.contains(&format!("mean over {count} pairs"))
    );
    page.press("figure[data-site=mlp_out] svg", "\u{e013}").await;
    assert!(page.text("#readout").await.contains(" ± "), "{}", page.text("#readout").await);
    page.keep_picture("mean").await;
    // The first pair is the example itself.
    page.select("#of-pair", "0").await;
    page.assert_shows(&Reference::load().figure(&headline())).await;
    page.select("#of-pair", "1").await;
    assert!(!page.text("#caption").await.contains("mean over"));
    page.close().await;
}

/// What is exported as JSON.
async fn saved(page: &Page) -> String {
    page.click("#export").await;
    page.select("#export-format", "json").await;
    page.browser
        .eval(
            "(() => { window.savedText = null; const make = URL.createObjectURL; \
             URL.createObjectURL = blob => { blob.text().then(text => window.savedText = text); \
             return make(blob); }; document.querySelector('#export-save').click(); return true; })()",
        )
        .await;
    page.browser.wait("window.savedText?.startsWith('{') ?? false").await;
    page.click("#export-dialog-close").await;
    page.browser.eval("window.savedText").await.as_str().unwrap().to_owned()
}

/// Opens a file of this content.
pub(crate) async fn open(page: &Page, content: &str) {
    let path = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let path = path.join(format!("figure-{}.json", std::process::id()));
    std::fs::write(&path, content).unwrap();
    let input = page.browser.client.find(Locator::Css("#file")).await.unwrap();
    input.send_keys(path.to_str().unwrap()).await.unwrap();
}

#[tokio::test]
async fn a_saved_figure_is_the_command_lines_and_is_read_again() {
    let page = Page::ready(WebGpu::Off).await;
    let text = saved(&page).await;
    let found: Figure = serde_json::from_str(&text).unwrap();
    let sites = [Site::PAPER.as_slice(), &[Site::Z]].concat();
    // What `relp attribute --executor cpu` computes of the same request.
    let expected = Reference::on_cpu().figure(&Request { sites, ..headline() });
    for (site, map) in &expected.maps {
        let values: Vec<f64> = found.maps[site].values.iter().map(|&x| f64::from(x)).collect();
        assert_close(site.name(), &map.values, &values, Tolerance::GOLDEN);
        assert_eq!((&found.maps[site].shape, &found.maps[site].axes), (&map.shape, &map.axes));
    }
    let near = |a: f64, b: f64| (a - b).abs() <= 1e-4 * b.abs() + 1e-6;
    assert!(near(found.metric.clean, expected.metric.clean));
    assert!(near(found.metric.corrupted, expected.metric.corrupted));
    let (all, others) = (&found.predictions, &expected.predictions);
    for (found, expected) in [(&all.clean, &others.clean), (&all.corrupted, &others.corrupted)] {
        for (found, expected) in found.iter().zip(expected) {
            assert_eq!(found.token, expected.token);
            assert!(near(found.probability, expected.probability));
        }
    }
    let same = Figure {
        maps: expected.maps.clone(),
        metric: expected.metric,
        predictions: expected.predictions.clone(),
        executor: expected.executor.clone(),
        version: expected.version.clone(),
        ..found.clone()
    };
    assert_eq!(same, expected, "all else is equal");

    // Another figure, and back by the file.
    page.click("#method-atp").await;
    page.wait_for_figure(2).await;
    open(&page, &text).await;
    page.browser.wait("document.querySelector('#opened') !== null").await;
    page.wait_for_figure(3).await;
    page.assert_shows(&found).await;
    assert!(page.browser.eval("document.querySelector('#method-relp').checked").await == true);
    assert!(page.text("#opened").await.contains("not computed here"));
    page.browser.wait("!document.querySelector('.result').classList.contains('stale')").await;
    page.browser.wait("document.querySelector('#check') !== null").await;
    page.keep_picture("opened").await;
    page.click("#check").await;
    page.browser.wait("document.querySelector('#agreement table') !== null").await;
    page.click("#recompute").await;
    page.wait_for_figure(4).await;
    assert!(!page.exists("#opened").await);

    let bad = [
        (String::new(), "EOF"),
        ("{\"schema\": 1}".to_owned(), "invalid type"),
        (text.replacen("relp-figure/1", "relp-figure/9", 1), "its format is not"),
    ];
    for (content, words) in bad {
        open(&page, &content).await;
        let told =
            format!("document.querySelector('#failure')?.textContent.includes({words:?}) === true");
        page.browser.wait(&told).await;
        assert!(page.text("#failure").await.starts_with("The file cannot be shown, because "));
        assert!(page.exists("figure.map[data-figure='4']").await, "the figure stays");
    }

    // A file that is opened ends what computes: long, and plain loops.
    page.select("#executor", "reference").await;
    page.wait_for_figure(5).await;
    let prompt = |last: &str| format!("{} {last}", "When John and Mary went to the shop".repeat(7));
    page.write("#clean", &prompt("John")).await;
    page.write("#corrupted", &prompt("Mary")).await;
    page.browser.wait("document.querySelector('#app').dataset.state === 'running'").await;
    open(&page, &text).await;
    page.wait_for_figure(6).await;
    assert!(page.exists("#opened").await && !page.exists("#cancel").await);
    page.close().await;
}
