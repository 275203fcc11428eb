//! Models from a hub, from the browser's storage, and from files.

use std::path::{Path, PathBuf};
use std::time::Duration;

use relp_tests::faulty_hub::{Asked, Fault as HubFault, FaultyHub};
use relp_tests::gpt2_checkpoint::{SMALL_CONFIG, Shape};
use relp_tests::gpt2_tokenizer::tokenizer_json;
use serde_json::json;

use crate::browser::WebGpu;
use crate::page::{Page, measured};
use crate::server::{Fault, PageServer};

const REPO: &str = "someone/teaching";
const SMALL: &str = "someone/of-gpt2-smalls-size";
const FILES: [&str; 3] = ["config.json", "tokenizer.json", "model.safetensors"];

fn primer() -> PathBuf {
    PathBuf::from(crate::browser::variable("RELP_DIST")).join("models/primer")
}

/// A hub that has the bundled model under another name.
fn hub() -> FaultyHub {
    let hub = FaultyHub::start().unwrap();
    add_primer(&hub, REPO);
    hub
}

fn add_primer(hub: &FaultyHub, repo: &str) {
    for file in FILES {
        hub.add(repo, file, std::fs::read(primer().join(file)).unwrap());
    }
}

/// A hub that has GPT-2 small's exact sizes, with generated weights: half a gigabyte.
fn hub_of_small() -> FaultyHub {
    let hub = FaultyHub::start().unwrap();
    let weights = Shape::SMALL.checkpoint(Path::new(env!("CARGO_TARGET_TMPDIR"))).unwrap();
    hub.add(SMALL, "config.json", SMALL_CONFIG.as_bytes());
    hub.add(SMALL, "tokenizer.json", tokenizer_json().as_bytes());
    hub.add_path(SMALL, "model.safetensors", weights).unwrap();
    hub
}

/// A page that may have what the hub sends. Chromium says so itself when a connection breaks.
async fn page_beside(hub: &FaultyHub, gpu: WebGpu) -> Page {
    let mut page = Page::ready(gpu).await;
    page.allow(&hub.url());
    page.expect_complaints();
    page
}

/// Chooses a model of a hub and loads it; how that ends is not waited for. Gives the number of the
/// figure that was shown before.
async fn load(page: &Page, repo: &str, hub: &str) -> u64 {
    name(page, repo, hub).await;
    let before = figure(page).await;
    page.click("#load-model").await;
    before
}

/// The requests for weights since the last look.
fn asked_for_weights(hub: &FaultyHub) -> Vec<Asked> {
    let mut asked = hub.asked();
    asked.retain(|asked| asked.path.ends_with("safetensors"));
    asked
}

/// Opens the choice of models and names one of a hub.
async fn name(page: &Page, repo: &str, hub: &str) {
    page.select("#model", "6").await;
    page.write("#mirrors", hub).await;
    page.write("#other-model", repo).await;
    page.press("#other-model", "\u{e007}").await;
    page.browser.wait("!document.querySelector('#load-model').disabled").await;
}

/// The number of the figure that is shown; 0 if there is none.
async fn figure(page: &Page) -> u64 {
    let number = "Number(document.querySelector('figure.map')?.dataset.figure ?? 0)";
    page.browser.eval(number).await.as_u64().unwrap()
}

/// Waits until a model of this name is in use and has answered with a figure after that one, or has
/// failed to.
async fn in_use(page: &Page, name: &str, after: u64) {
    let there = format!(
        "document.querySelector('#model-in-use').textContent.startsWith({name:?}) \
         && document.querySelector('#app').dataset.state === 'ready' \
         && Number(document.querySelector('figure.map')?.dataset.figure ?? 0) > {after} \
         || document.querySelector('#failure') !== null"
    );
    // A download takes as long as it takes.
    page.browser.wait_for(Duration::from_secs(300), &there).await;
    let (found, failure) = (page.text("#model-in-use").await, page.text("#failure").await);
    assert!(found.starts_with(name) && failure.is_empty(), "{found}: {failure}");
}

/// As `relp pack` lays models out beside the page; the test's end sees that nobody else was asked.
#[tokio::test]
async fn a_model_comes_from_the_pages_own_server() {
    let server = PageServer::start();
    let list = json!({ "format": "relp-models/1", "models": [REPO] });
    server.replace("models/here.json", list.to_string());
    for file in FILES {
        let path = format!("models/hub/{REPO}/resolve/main/{file}");
        server.replace(&path, std::fs::read(primer().join(file)).unwrap());
    }
    let page = Page::open_from(server, WebGpu::Off).await;
    page.wait_for_figure(1).await;
    name(&page, REPO, "").await;
    let last = figure(&page).await;
    page.click("#load-model").await;
    in_use(&page, REPO, last).await;
    page.close().await;
}

#[tokio::test]
async fn a_model_comes_from_a_hub_with_a_cut_and_then_from_the_browser() {
    let hub = hub();
    let page = page_beside(&hub, WebGpu::Off).await;
    let before = page.text("#metric-clean").await;
    hub.break_next("model.safetensors", &[HubFault::Cut(1_500_000)]);
    let last = load(&page, REPO, &hub.url()).await;
    in_use(&page, REPO, last).await;
    page.browser.wait("document.querySelector('#app').dataset.state === 'ready'").await;
    assert_eq!(page.text("#metric-clean").await, before, "it is the same model");
    let weights = asked_for_weights(&hub);
    assert_eq!(weights.len(), 2, "{weights:?}");
    page.browser.wait("document.querySelector('#kept')?.textContent.includes('teaching')").await;
    assert!(
        page.text("#keeping").await.contains("kept as files"),
        "{}",
        page.text("#keeping").await
    );
    page.keep_picture("models").await;

    comes_again_without(hub, &page).await;
    assert_eq!(page.text("#metric-clean").await, before);
    is_removed(&page).await;
    page.close().await;
}

/// The hub is gone: the browser has all of the model.
async fn comes_again_without(hub: FaultyHub, page: &Page) {
    let url = hub.url();
    drop(hub);
    page.browser.client.refresh().await.unwrap();
    page.wait_for_figure(1).await;
    let last = load(page, REPO, &url).await;
    in_use(page, REPO, last).await;
}

/// The one model that is kept is removed.
async fn is_removed(page: &Page) {
    page.browser.wait("document.querySelector('#kept button') !== null").await;
    page.click("#kept button").await;
    page.browser.wait("document.querySelector('#kept') === null").await;
}

#[tokio::test]
async fn every_fault_of_a_hub_ends_in_a_sentence_and_the_model_in_use_stays() {
    let hub = hub();
    let page = page_beside(&hub, WebGpu::Off).await;
    for (file, fault, said) in [
        ("config.json", HubFault::Status(404), "404"),
        ("tokenizer.json", HubFault::Html, "web page"),
        ("model.safetensors", HubFault::Status(500), "500"),
    ] {
        hub.break_file(file, &[fault]);
        load(&page, REPO, &hub.url()).await;
        page.browser.wait("document.querySelector('#failure') !== null").await;
        let sentence = page.text("#failure").await.to_lowercase();
        assert!(sentence.contains(said) && sentence.contains(file), "{fault:?}: {sentence}");
        assert!(page.text("#model-in-use").await.starts_with("primer"));
        hub.mend();
    }
    // Under the name of a known model, other files are not taken.
    add_primer(&hub, "openai-community/gpt2");
    page.select("#model", "2").await;
    page.browser.wait("!document.querySelector('#load-model').disabled").await;
    page.click("#load-model").await;
    let named = "document.querySelector('#failure')?.textContent.includes('openai-community/gpt2')";
    page.browser.wait(named).await;
    let sentence = page.text("#failure").await;
    assert!(sentence.contains("config.json") && sentence.contains("bytes"), "{sentence}");

    // A model that is none for this page is refused by what it is, and not kept.
    let config = std::fs::read_to_string(primer().join("config.json")).unwrap();
    let other = "someone/other";
    add_primer(&hub, other);
    hub.add(other, "config.json", config.replace("gelu_new", "relu"));
    load(&page, other, &hub.url()).await;
    page.browser.wait("document.querySelector('#failure')?.textContent.includes('relu')").await;
    let kept = "document.querySelector('#kept')?.textContent.includes('other') !== true";
    page.browser.wait(kept).await;
    // What is no name is said beside the choice, and goes with the next one.
    let said = "document.querySelector('#model-problem').textContent";
    name(&page, "no name", &hub.url()).await;
    page.browser.wait(&format!("{said}.includes('OWNER/NAME')")).await;
    page.keep_picture("no-name").await;
    page.select("#model", "1").await;
    page.browser.wait(&format!("{said} === ''")).await;
    // The bundled model still answers.
    page.select("#metric", "prob_diff").await;
    page.browser.wait("document.querySelector('#app').dataset.state === 'ready'").await;
    page.close().await;
}

#[tokio::test]
async fn a_full_disk_is_said_and_nothing_is_lost() {
    let hub = hub();
    let page = page_beside(&hub, WebGpu::Off).await;
    let origin = page.server.url().trim_end_matches('/').to_owned();
    let quota = json!({ "origin": origin, "quotaSize": 1_000_000 });
    page.browser.command("Storage.overrideQuotaForOrigin", quota).await;
    load(&page, REPO, &hub.url()).await;
    page.browser.wait("document.querySelector('#failure') !== null").await;
    let sentence = page.text("#failure").await;
    assert!(sentence.contains("storage for this page is full"), "{sentence}");
    assert!(page.text("#model-in-use").await.starts_with("primer"));
    page.close().await;
}

/// Over an insecure connection there is neither a file system nor a cache.
#[tokio::test]
async fn where_nothing_can_be_kept_a_model_is_used_all_the_same() {
    let hub = hub();
    let server = PageServer::start();
    let insecure = server.url().replace("127.0.0.1", "insecure.test");
    let mut page = Page::open_from(server, WebGpu::Off).await;
    page.allow(&hub.url());
    page.expect_complaints();
    page.allow(&insecure);
    page.browser.client.goto(&insecure).await.unwrap();
    page.wait_for_figure(1).await;
    let last = load(&page, REPO, &hub.url()).await;
    in_use(&page, REPO, last).await;
    page.browser.wait("document.querySelector('#keeping') !== null").await;
    assert!(
        page.text("#keeping").await.contains("keeps nothing"),
        "{}",
        page.text("#keeping").await
    );
    page.close().await;
}

/// A page whose worker runs a script before it starts.
async fn page_whose_worker_begins_by(script: &str) -> Page {
    let server = PageServer::start();
    let loader = String::from_utf8(PageServer::file(&PageServer::engine())).unwrap();
    server.replace(&PageServer::engine(), format!("{script}\n{loader}"));
    let mut page = Page::open_from(server, WebGpu::Off).await;
    // The changed loader is not the one that the page would keep.
    page.expect_complaints();
    page.wait_for_figure(1).await;
    page
}

#[tokio::test]
async fn without_a_file_system_the_browsers_cache_keeps_models() {
    let script = "delete StorageManager.prototype.getDirectory;";
    let mut page = page_whose_worker_begins_by(script).await;
    let hub = hub();
    page.allow(&hub.url());
    hub.break_next("model.safetensors", &[HubFault::Cut(1_500_000)]);
    let last = load(&page, REPO, &hub.url()).await;
    in_use(&page, REPO, last).await;
    page.browser.wait("document.querySelector('#kept')?.textContent.includes('teaching')").await;
    let sentence = page.text("#keeping").await;
    assert!(sentence.contains("kept in the browser's cache"), "{sentence}");
    comes_again_without(hub, &page).await;
    is_removed(&page).await;
    page.close().await;
}

#[tokio::test]
async fn where_storage_is_refused_a_model_is_used_all_the_same() {
    let script = "const refuse = () => Promise.reject(new DOMException('no', 'SecurityError'));
        StorageManager.prototype.getDirectory = refuse;
        CacheStorage.prototype.open = refuse;";
    let mut page = page_whose_worker_begins_by(script).await;
    let hub = hub();
    page.allow(&hub.url());
    let last = load(&page, REPO, &hub.url()).await;
    in_use(&page, REPO, last).await;
    page.browser.wait("document.querySelector('#keeping') !== null").await;
    let sentence = page.text("#keeping").await;
    assert!(sentence.contains("keeps nothing"), "{sentence}");
    page.close().await;
}

#[tokio::test]
async fn files_of_ones_own_are_loaded_and_others_are_refused() {
    let mut page = Page::ready(WebGpu::Off).await;
    page.expect_complaints();
    let before = page.text("#metric-clean").await;
    page.select("#model", "7").await;
    let all = FILES.map(|file| primer().join(file).display().to_string());
    page.press("#model-files", &all[..2].join("\n")).await;
    page.browser.wait("document.querySelector('#failure') !== null").await;
    let sentence = page.text("#failure").await;
    assert!(sentence.contains("model.safetensors is not among the files"), "{sentence}");
    page.press("#model-files", &all.join("\n")).await;
    in_use(&page, "own files", 1).await;
    assert_eq!(page.text("#metric-clean").await, before);

    // A folder, dropped with all that is in it.
    page.browser.wait("document.querySelector('#app').dataset.state === 'ready'").await;
    let last = figure(&page).await;
    page.drop_onto("#model", &primer()).await;
    in_use(&page, "own files", last).await;
    assert_eq!(page.text("#metric-clean").await, before);
    page.close().await;
}

#[tokio::test]
async fn a_model_that_is_too_large_is_not_started_and_another_is_offered() {
    let page = Page::ready(WebGpu::Off).await;
    page.select("#model", "5").await;
    page.browser.wait("document.querySelector('#preflight').textContent !== ''").await;
    let words = page.text("#preflight").await;
    assert!(words.contains("GPT-2 XL does not fit here: it takes 7.2 GB of memory"), "{words}");
    assert!(page.exists("#load-model:disabled").await);
    // As halves it does, since a file may be longer than a program of 32 bits can address.
    page.select("#precision", "f16").await;
    let fits = "document.querySelector('#preflight').textContent.includes('6.4 GB to download')";
    page.browser.wait(fits).await;
    assert!(page.exists("#load-model:not(:disabled)").await);
    page.select("#precision", "f32").await;
    page.browser.wait("document.querySelector('#instead') !== null").await;
    page.click("#instead").await;
    page.browser
        .wait("document.querySelector('#preflight').textContent.includes('to download')")
        .await;
    page.close().await;
}

/// Half a gigabyte, cut in the middle.
#[tokio::test]
async fn a_model_of_gpt2_smalls_size_is_loaded_and_asked_and_loaded_again_without_a_network() {
    let hub = hub_of_small();
    hub.break_next("model.safetensors", &[HubFault::Cut(300_000_000)]);
    let page = page_beside(&hub, WebGpu::Off).await;
    watch_long_tasks(&page).await;
    let last = load(&page, SMALL, &hub.url()).await;
    in_use(&page, SMALL, last).await;
    // What had come before the cut was not fetched again.
    let weights = asked_for_weights(&hub);
    assert_eq!(weights.len(), 2, "{weights:?}");
    assert!(weights[1].from.is_some_and(|from| from > 100_000_000), "{weights:?}");
    let shown = "document.querySelectorAll('figure[data-site=mlp_out] rect[data-value]').length";
    page.browser.wait(&format!("{shown} === 12 * 15")).await;
    let metric = page.text("#metric-clean").await;
    assert_eq!(page.text("#device").await, "CPU: WebAssembly", "the server isolates no page");
    page.keep_picture("gpt2-small").await;
    let (memory, weights) = (memory(&page).await, 4.0 * 124_439_808.0);
    measured("cpu-memory", &format!("{memory} bytes of wasm memory for {weights} of weights"));
    assert!(memory <= 1.15 * weights + 64e6, "{memory} bytes for {weights} of weights");
    let longest = page.browser.eval("Math.max(0, ...window.longTasks)").await.as_f64().unwrap();
    measured("longest-task", &format!("{longest} ms, the page's longest task while loading"));

    // The hub is gone, and the page's own server too: the browser has all of both.
    page.browser.wait("document.querySelector('#kept-offline') !== null").await;
    let url = hub.url();
    drop(hub);
    page.server.leave();
    page.browser.client.refresh().await.unwrap();
    page.wait_for_figure(1).await;
    // The address names the model, which is not loaded unasked.
    page.browser.wait("document.querySelector('#notice') !== null").await;
    let last = load(&page, SMALL, &url).await;
    in_use(&page, SMALL, last).await;
    assert!(!page.exists("#notice").await, "it is loaded now");
    page.browser.wait(&format!("{shown} === 12 * 15")).await;
    assert_eq!(page.text("#metric-clean").await, metric);
    // As it is kept, the page is isolated: what comes out is the same, and faster.
    let cores = page.browser.eval("navigator.hardwareConcurrency").await.as_u64().unwrap().min(8);
    let device = if cores == 1 { String::new() } else { format!(", {cores} threads") };
    let device = format!("WebAssembly{device}");
    assert_eq!(page.text("#device").await, format!("CPU: {device}"));
    assert!(page.text("#caption").await.contains(&device), "{}", page.text("#caption").await);
    page.keep_picture("gpt2-small-threads").await;

    // A figure of a model that is not loaded any more is one of the previous input, beside which nothing is
    // computed; what the next model does not have is closed.
    let long = |last: &str| format!("{} {last}", "When John and Mary went to the shop".repeat(9));
    page.write("#clean", &long("John")).await;
    page.write("#corrupted", &long("Mary")).await;
    let wide = "document.querySelectorAll('figure[data-site=mlp_out] rect[data-value]').length";
    page.browser.wait(&format!("{wide} > 12 * 64")).await;
    page.click("figure:has(#head-readout) rect[data-layer='11']").await;
    page.browser.wait("document.querySelector('#head') !== null").await;
    page.select("#model", "0").await;
    page.click("#load-model").await;
    let bundled = "document.querySelector('#model-in-use').textContent.startsWith('primer')";
    page.browser.wait(bundled).await;
    let refused = "document.querySelector('#clean-problem').textContent.includes('at most 64')";
    page.browser.wait(refused).await;
    page.browser.wait("document.querySelector('#app').dataset.state === 'ready'").await;
    assert_eq!(page.text("#status").await, "These maps are of the previous input.");
    let agreement = page.text("#agreement").await;
    assert!(agreement.contains("a model that is not the loaded one"), "{agreement}");
    let last = figure(&page).await;
    page.select("#example", "0").await;
    in_use(&page, "primer", last).await;
    assert!(!page.exists("#head").await && !page.exists("#failure").await);
    page.close().await;
}

/// The engine waits for what a thread computes, and hears of nothing meanwhile.
#[tokio::test]
async fn a_thread_that_fails_is_told_and_nobody_waits_for_it() {
    let hub = hub_of_small();
    let server = PageServer::start();
    server.isolate();
    let script = PageServer::threaded_engine();
    let whole = String::from_utf8(PageServer::file(&script)).unwrap();
    let computes = "wasm_bindgen.lend();";
    assert_eq!(whole.matches(computes).count(), 1);
    server.replace(&script, whole.replace(computes, "throw new Error('out of threads');"));
    let mut page = Page::open_from(server, WebGpu::Off).await;
    page.allow(&hub.url());
    // The changed script is not the one that the page would keep.
    page.expect_complaints();
    page.wait_for_figure(1).await;
    let cores = page.browser.eval("navigator.hardwareConcurrency").await.as_u64();
    assert!(cores > Some(1), "with one core there are no threads to fail");
    load(&page, SMALL, &hub.url()).await;
    let said = "document.querySelector('#failure')?.textContent.includes('out of threads')";
    page.browser.wait_for(Duration::from_secs(300), said).await;
    page.server.replace(&script, whole);
    page.click("#load").await;
    page.browser.wait("document.querySelector('#failure') === null").await;
    page.browser.wait("document.querySelector('#app').dataset.state === 'ready'").await;
    page.close().await;
}

/// After a failure, every model can be chosen, not the last one alone.
#[tokio::test]
async fn any_model_can_be_chosen_after_a_failure() {
    let server = PageServer::start();
    server.break_file(&PageServer::engine(), Fault::Missing);
    // It would keep the bundled model.
    server.break_file("sw.js", Fault::Missing);
    let hub = hub();
    let mut page = Page::open_from(server, WebGpu::Off).await;
    page.allow(&hub.url());
    page.expect_complaints();
    // The engine did not start: files start it again.
    page.browser.wait("document.querySelector('#failure') !== null").await;
    page.server.mend();
    page.server.break_file("sw.js", Fault::Missing);
    page.server.break_file("models/primer/model.safetensors", Fault::Missing);
    page.select("#model", "7").await;
    let all = FILES.map(|file| primer().join(file).display().to_string());
    page.press("#model-files", &all.join("\n")).await;
    in_use(&page, "own files", 0).await;
    // The bundled model is not there: another one is.
    page.browser.client.refresh().await.unwrap();
    let failed = "document.querySelector('#failure')?.textContent.includes('404') === true";
    page.browser.wait(failed).await;
    let last = load(&page, REPO, &hub.url()).await;
    in_use(&page, REPO, last).await;
    page.close().await;
}

/// The worker ends in the middle, as when the page is closed: what had come is kept.
#[tokio::test]
async fn a_download_that_the_page_did_not_survive_is_taken_up() {
    let hub = hub();
    let page = page_beside(&hub, WebGpu::Off).await;
    hub.break_file("model.safetensors", &[HubFault::Trickle]);
    load(&page, REPO, &hub.url()).await;
    // Some of it is there, and most is not.
    let some = "/model.safetensors: ([5-9][0-9][0-9] kB|[1-9][.][0-9] MB)/\
                .test(document.querySelector('#status').textContent)";
    page.browser.wait(some).await;
    page.browser.client.refresh().await.unwrap();
    page.wait_for_figure(1).await;
    hub.mend();
    hub.asked();
    let last = load(&page, REPO, &hub.url()).await;
    in_use(&page, REPO, last).await;
    let weights = asked_for_weights(&hub);
    assert!(matches!(&weights[..], [one] if one.from.is_some_and(|from| from > 0)), "{weights:?}");
    page.close().await;
}

/// The second tab waits for the first, and then has it from the browser.
#[tokio::test]
async fn two_tabs_fetch_a_model_once_and_both_use_it() {
    let hub = hub();
    let page = page_beside(&hub, WebGpu::Off).await;
    let client = &page.browser.client;
    let first = client.window().await.unwrap();
    let second = client.new_window(true).await.unwrap().handle;
    client.switch_to_window(second.clone()).await.unwrap();
    client.goto(&page.server.url()).await.unwrap();
    page.wait_for_figure(1).await;
    hub.break_file("model.safetensors", &[HubFault::Trickle]);
    let last_of_second = load(&page, REPO, &hub.url()).await;
    let some = "document.querySelector('#status').textContent.includes('model.safetensors: ')";
    page.browser.wait(some).await;
    client.switch_to_window(first).await.unwrap();
    let last = load(&page, REPO, &hub.url()).await;
    // What the first tab has begun goes on as fast as it likes from now on.
    hub.mend();
    in_use(&page, REPO, last).await;
    client.switch_to_window(second).await.unwrap();
    in_use(&page, REPO, last_of_second).await;
    let weights = asked_for_weights(&hub);
    assert_eq!(weights.len(), 1, "{weights:?}");
    page.close().await;
}

/// On the GPU's path weights only pass through, in pieces.
#[tokio::test]
async fn with_webgpu_a_model_of_gpt2_smalls_size_takes_little_memory_of_the_worker() {
    let hub = hub_of_small();
    let page = page_beside(&hub, WebGpu::Software).await;
    page.select("#executor", "gpu").await;
    page.browser.wait("document.querySelector('#device').textContent.startsWith('GPU')").await;
    page.browser.wait("document.querySelector('#app').dataset.state === 'ready'").await;
    // The fewest tokens that make a pair, since this GPU is none.
    page.write("#clean", "John").await;
    page.write("#corrupted", "Mary").await;
    let last = load(&page, SMALL, &hub.url()).await;
    in_use(&page, SMALL, last).await;
    assert!(page.text("#device").await.starts_with("GPU"), "{}", page.text("#device").await);
    let memory = memory(&page).await;
    measured("gpu-memory", &format!("{memory} bytes of wasm memory on the GPU's path"));
    assert!(memory <= 64e6, "{memory}");
    page.close().await;
}

/// Bytes of the worker's wasm memory.
async fn memory(page: &Page) -> f64 {
    let script = "Number(document.querySelector('#device').dataset.memory)";
    page.browser.eval(script).await.as_f64().unwrap()
}

async fn watch_long_tasks(page: &Page) {
    page.browser
        .eval(
            "(() => { window.longTasks = []; new PerformanceObserver(list => \
             list.getEntries().forEach(entry => window.longTasks.push(entry.duration))) \
             .observe({ type: 'longtask' }); return true; })()",
        )
        .await;
}
