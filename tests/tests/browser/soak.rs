//! Hundreds of runs one after the other: memory stays where it was.
//!
//! The runs are asked of the page's own engine, past its fields, which rest before they are read. Each run differs
//! from those before it, and methods and lengths go round so that no plan is kept until it is wanted again:
//! every run records, plans, computes, and lets an older plan go.

use std::collections::HashMap;
use std::fs;
use std::time::{Duration, Instant};

use relp_tests::soak;
use serde_json::{Value, json};

use crate::browser::WebGpu;
use crate::page::{Page, measured};
use crate::server::PageServer;

/// Before the engine's script: tells how large its WebAssembly memory is.
const IN_WORKER: &str = "
    for (const name of ['instantiate', 'instantiateStreaming']) {
        const real = WebAssembly[name].bind(WebAssembly);
        WebAssembly[name] = async (...given) => {
            const got = await real(...given);
            self.soakMemory = (got.instance ?? got).exports.memory;
            return got;
        };
    }
    self.addEventListener('message', (event) => {
        if (event.data === 'memory') postMessage({ soak: self.soakMemory.buffer.byteLength });
    });
";

/// Before the page's scripts: keeps hold of its engine.
const IN_PAGE: &str = "
    window.Worker = class extends Worker {
        constructor(...given) {
            super(...given);
            window.soakWorker ??= this;
        }
    };
";

/// Asks one thing after the other, and keeps what the answers say: the metric, or else why there is none.
const DRIVER: &str = "
    (() => {
        const answers = [];
        const worker = window.soakWorker;
        let queue = [];
        const next = () => {
            const request = queue.shift();
            if (request) worker.postMessage({ run: { id: 4000000000 + answers.length, request } });
        };
        worker.addEventListener('message', ({ data }) => {
            if (data.soak) window.soak.memory = data.soak;
            const kind = ['figure', 'failed'].find((kind) => data[kind]?.id === 4000000000 + answers.length);
            if (!kind) return;
            const { figure, failure } = data[kind];
            answers.push(figure ? figure.metric.clean - figure.metric.corrupted : JSON.stringify(failure));
            next();
        });
        window.soak = { answers, memory: 0, ask: (requests) => { queue = requests; next(); } };
        return true;
    })()
";

/// What is in use, in bytes.
#[derive(Clone, Copy, Debug)]
struct Use {
    /// The engine's WebAssembly memory, which never shrinks.
    wasm: u64,
    /// The page's JavaScript, after everything was collected that could be.
    heap: u64,
    /// Memory of the page's process that is its own, and of the GPU's.
    page: u64,
    gpu: u64,
}

/// Memory that a browser's processes may come to use by themselves while memory holds steady: of caches, and of garbage in the engine's JavaScript that is not collected yet.
const OF_PROCESSES: u64 = 48 << 20;
/// The same of the page's JavaScript.
const OF_HEAP: u64 = 2 << 20;

/// What gaps may cost WebAssembly's memory that nothing fits in, until it has settled.
const OF_GAPS: u64 = 2 << 20;

/// The most times that memory may take to settle: what is a leak grows every time.
const TIMES: usize = 5;

/// Runs as many requests again and again until WebAssembly's memory has not grown meanwhile: what is in use after each time.
async fn soak(page: &Page, webgpu: WebGpu, runs: usize) -> Vec<Use> {
    assert_eq!(page.browser.eval(DRIVER.trim()).await, true);
    let began = Instant::now();
    let mut uses: Vec<Use> = Vec::new();
    for time in 0..TIMES {
        let these = time * runs..(time + 1) * runs;
        let requests: Vec<Value> =
            these.map(|n| json!(soak::request(n, webgpu == WebGpu::Off))).collect();
        let ask = "window.soak.ask(arguments[0])";
        page.browser.client.execute(ask, vec![json!(requests)]).await.unwrap();
        let done = format!("window.soak.answers.length === {}", (time + 1) * runs);
        page.browser.wait_for(Duration::from_secs(240), &done).await;
        uses.push(in_use(page).await);
        if let [.., before, after] = uses[..]
            && before.wasm == after.wasm
        {
            break;
        }
    }
    let answers = page.browser.eval("window.soak.answers").await;
    let answers = answers.as_array().unwrap();
    let failed: Vec<&Value> = answers.iter().filter(|answer| !answer.is_f64()).collect();
    assert!(failed.is_empty(), "{} runs failed: {:?}", failed.len(), failed.first());
    let mut different: Vec<u64> = answers.iter().map(|a| a.as_f64().unwrap().to_bits()).collect();
    different.sort_unstable();
    different.dedup();
    let asked = answers.len().min(soak::ROUND);
    assert!(different.len() > asked / 3, "only {} answers of {asked}", different.len());
    let text = format!("after each {runs} runs, {:?}: {uses:#?}\n", began.elapsed());
    measured(&format!("soak-{webgpu:?}.txt"), &text);
    uses
}

async fn in_use(page: &Page) -> Use {
    page.browser.eval("window.soak.memory = 0, window.soakWorker.postMessage('memory')").await;
    page.browser.wait("window.soak.memory > 0").await;
    let wasm = page.browser.eval("window.soak.memory").await.as_u64().unwrap();
    page.browser.command("HeapProfiler.collectGarbage", json!({})).await;
    let heap = page.browser.command("Runtime.getHeapUsage", json!({})).await;
    let heap = heap["usedSize"].as_f64().unwrap() as u64;
    // Only what the tests themselves have started.
    let own = descendants(std::process::id());
    let of = |kind: &str| own.iter().filter_map(|&id| memory_of(id, kind)).max().unwrap_or(0);
    Use { wasm, heap, page: of("--type=renderer"), gpu: of("--type=gpu-process") }
}

/// The processes that a process has started, and those that they have.
fn descendants(ancestor: u32) -> Vec<u32> {
    let parent = |id: u32| {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        // The name before it, in brackets, may hold anything.
        stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
    };
    let all = fs::read_dir("/proc").unwrap().flatten();
    let all = all.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let parents: HashMap<u32, u32> = all.filter_map(|id| Some((id, parent(id)?))).collect();
    let comes_from = |mut id: u32| {
        while let Some(&parent) = parents.get(&id) {
            if parent == ancestor {
                return true;
            }
            id = parent;
        }
        false
    };
    parents.keys().copied().filter(|&id| comes_from(id)).collect()
}

/// Bytes that a process has to itself, if it is of this kind.
fn memory_of(id: u32, kind: &str) -> Option<u64> {
    let arguments = fs::read(format!("/proc/{id}/cmdline")).ok()?;
    String::from_utf8_lossy(&arguments).contains(kind).then_some(())?;
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kilobytes << 10)
}

/// WebAssembly's memory has settled, and nothing else has grown.
fn assert_steady(uses: &[Use]) {
    let (first, [.., before, last]) = (uses[0], uses) else { unreachable!("there are two") };
    let wasm = last.wasm - before.wasm;
    assert_eq!(wasm, 0, "the engine keeps {wasm} bytes more every time; {uses:?}");
    let grown = |of: fn(&Use) -> u64| of(last).saturating_sub(of(&first));
    let gaps = grown(|used| used.wasm);
    assert!(gaps <= OF_GAPS, "the engine has grown by {gaps} bytes before it settled; {uses:?}");
    let heap = grown(|used| used.heap);
    assert!(heap <= OF_HEAP, "the page's JavaScript keeps {heap} bytes; {uses:?}");
    let page = grown(|used| used.page);
    assert!(page <= OF_PROCESSES, "the page's process keeps {page} bytes; {uses:?}");
    let gpu = grown(|used| used.gpu);
    assert!(gpu <= OF_PROCESSES, "the GPU's process keeps {gpu} bytes: plans stay; {uses:?}");
}

/// The page with its engine in hand.
async fn open(webgpu: WebGpu) -> Page {
    let server = PageServer::start();
    let script = PageServer::engine();
    let engine = String::from_utf8(PageServer::file(&script)).unwrap();
    server.replace(&script, format!("{IN_WORKER}{engine}"));
    let page = Page::open_from(server, webgpu).await;
    let source = json!({ "source": IN_PAGE });
    page.browser.command("Page.addScriptToEvaluateOnNewDocument", source).await;
    page.browser.client.refresh().await.unwrap();
    page.wait_for_figure(1).await;
    page
}

/// Of runs nothing stays (`engine::memory` counts the bytes natively), but blocks of all lengths come and go, and
/// WebAssembly's memory grows when there is no gap of the length that is wanted: from run 100 to 4,000 by 1.6 MB, two
/// thirds of it in the first 300, and after 500 by 0.2 MB at a time, twice.
#[tokio::test]
async fn on_the_cpu_500_runs_hold_memory_steady() {
    let page = open(WebGpu::Off).await;
    assert_steady(&soak(&page, WebGpu::Off, 500).await);
    page.close().await;
}

/// 60 and not 500: the GPU is emulated here, where 100 runs take about a minute.
#[tokio::test]
async fn on_a_gpu_60_runs_hold_memory_steady() {
    let page = open(WebGpu::Software).await;
    page.move_to_gpu(2).await;
    assert_steady(&soak(&page, WebGpu::Software, 60).await);
    page.close().await;
}
