//! How the built page starts: no script stands in it, what it loads is named by its content and refused if it is
//! anything else, and it says what it may ask of whom.

use anyhow::{Context, Result};

use crate::assets::{Dist, filled, short_hash};

/// The programs in workers. The second is the first for browsers with relaxed SIMD, the third the second with threads.
const WORKERS: [&str; 4] = ["worker", "relaxed-worker", THREADED, "printer"];
const THREADED: &str = "threaded-worker";

/// Chooses the engine's worker: asks whether a program of one function, which is a fused multiply-add, is valid, and
/// whether workers may have one memory, as large as a program's can be, and wait in it without blocking.
const CHOICE: &str = "\
const { dataset } = document.documentElement;
const fused = [0, 97, 115, 109, 1, 0, 0, 0, 1, 8, 1, 96, 3, 123, 123, 123, 1, 123, 3, 2, 1, 0]
  .concat([10, 13, 1, 11, 0, 32, 0, 32, 1, 32, 2, 253, 133, 2, 11]);
const isShared = () => {
  try {
    return new WebAssembly.Memory({ initial: 1, maximum: 65536, shared: true }).buffer instanceof SharedArrayBuffer;
  } catch {
    return false;
  }
};
if (WebAssembly.validate(new Uint8Array(fused))) {
  const threads = globalThis.crossOriginIsolated && typeof Atomics.waitAsync === \"function\" && isShared();
  dataset.worker = threads ? dataset.threadedWorker : dataset.relaxedWorker;
}
";

/// What a worker does that the engine's worker has started as a thread (`web/worker/src/threads.rs`): it takes over
/// program and memory, says so, and computes. Its start has run in that worker, and why it fails is told to the page, since
/// that worker waits for what it computes.
const THREAD: &str = "\
if (self.name === \"thread\") {
  self.onmessage = ({ data: { module, memory, channel } }) => {
    self.onmessage = null;
    wasm_bindgen.initSync({ module, memory });
    postMessage(null);
    try {
      wasm_bindgen.lend();
    } catch (error) {
      // Until the page listens, which then ends them all.
      const said = new BroadcastChannel(channel);
      setInterval(() => said.postMessage(`${error}`), 500);
    }
  };
} else {
";

/// Starts the engine's worker, which begins with the bundled model, beside the page's own program, which takes it over
/// (`web/app/src/worker.rs`). A page in a frame asks its reader first. On a first visit, what comes over the network
/// is for the page's program first. What a browser says that starts none, it says to the program.
const EARLY: &str = "\
const begin = () => {
  if (new URLSearchParams(location.search).has(\"embed\")) return;
  try {
    const worker = new Worker(dataset.worker, { name: \"first\" });
    const heard = [];
    worker.onmessage = (event) => heard.push(event);
    worker.onerror = (event) => {
      event.preventDefault();
      heard.push(event);
    };
    globalThis.relpEarly = { worker, heard };
  } catch {}
};
if (navigator.serviceWorker?.controller) begin();
else program.then(begin, () => {});
";

/// Fetches the bundled model while the worker's program is fetched and compiled (`web/worker/src/ahead.rs`).
const AHEAD: &str = "\
if (self.name === \"first\") {
  const ahead = (file) => {
    const abort = new AbortController();
    const answer = fetch(file, { signal: abort.signal });
    // Whoever takes it hears of what went wrong.
    answer.catch(() => {});
    return [file, { answer, abort }];
  };
  const files = [\"config.json\", \"tokenizer.json\", \"model.safetensors\"];
  self.relpAhead = Object.fromEntries(files.map((file) => ahead(`models/primer/${file}`)));
}
";

/// Where models may come from: the hub and the places that it sends its files from, a mirror, and this machine.
pub(crate) const HUBS: &str = "https://huggingface.co https://*.huggingface.co https://*.hf.co \
                               https://hf-mirror.com http://127.0.0.1:* http://localhost:*";

/// The page's policy. What is drawn has its place and colour in attributes of style, which run nothing.
fn policy() -> String {
    format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; \
         style-src-attr 'unsafe-inline'; img-src 'self' data: blob:; connect-src 'self' {HUBS}; \
         manifest-src 'self'; base-uri 'none'; form-action 'none'"
    )
}

/// The style sheets of a page, by their names, in their order.
pub(crate) fn styles(page: &str) -> Vec<&str> {
    let links = page.split("<link rel=\"stylesheet\" href=\"./").skip(1);
    links.filter_map(|rest| rest.split('"').next()).collect()
}

/// Rewrites what trunk wrote.
pub(crate) fn write(dist: Dist<'_>) -> Result<()> {
    let mut page = dist.text("index.html")?;
    // Trunk's own hints, which know no integrity.
    let hints = page.find("<link rel=\"modulepreload\"").context("the page has no hints")?;
    let head = page.find("</head>").context("the page has no head")?;
    page.replace_range(hints..head, "");
    let (app, program) = (dist.one("relp-app-", ".js")?, dist.one("relp-app-", "_bg.wasm")?);

    let boot = format!(
        "const program = fetch(\"./{program}\", {{ integrity: \"{}\" }});\n\
         {CHOICE}{EARLY}\
         const {{ default: start }} = await import(\"./{app}\");\n\
         if (document.readyState === \"loading\") {{\n  \
           await new Promise((parsed) => document.addEventListener(\"DOMContentLoaded\", parsed));\n}}\n\
         await start({{ module_or_path: program }});\n",
        dist.integrity(&program)?
    );
    let boot_name = format!("boot-{}.js", short_hash(boot.as_bytes()));
    dist.write(&boot_name, boot)?;
    let begin = page.find("<script type=\"module\">").context("the page starts by no script")?;
    let end = page.find("</script>").context("the page's script has no end")? + "</script>".len();
    page.replace_range(begin..end, "");
    // It waits for nothing else of the page.
    let scripts = format!(
        "<script type=\"module\" async src=\"./{boot_name}\" integrity=\"{}\"></script>\n    \
         <link rel=\"modulepreload\" href=\"./{app}\" integrity=\"{}\" />",
        dist.integrity(&boot_name)?,
        dist.integrity(&app)?,
    );
    for name in styles(&page.clone()) {
        let link = format!("<link rel=\"stylesheet\" href=\"./{name}\"");
        let whole = format!("{link} integrity=\"{}\"", dist.integrity(name)?);
        page = filled(&page, &link, &whole)?;
    }
    let mut workers = String::new();
    for name in WORKERS {
        workers += &format!(" data-{name}=\"{}\"", worker(dist, name)?);
    }
    page = filled(&page, "<html lang=\"en\"", &format!("<html lang=\"en\"{workers}"))?;
    let charset = "<meta charset=\"utf-8\" />";
    let with_policy = format!(
        "{charset}\n    <meta http-equiv=\"Content-Security-Policy\" content=\"{}\" />\n    {scripts}",
        policy()
    );
    // Trunk leaves the places of its own links empty.
    let page = filled(&page, charset, &with_policy)?;
    let lines: Vec<&str> = page.lines().filter(|line| !line.trim().is_empty()).collect();
    dist.write("index.html", lines.join("\n") + "\n")
}

/// Makes one script of a worker's start and what wasm-bindgen wrote, and returns its name.
fn worker(dist: Dist<'_>, name: &str) -> Result<String> {
    let glue_name = format!("relp-{name}.js");
    let program_name = format!("relp-{name}_bg.wasm");
    let (glue, program) = (dist.text(&glue_name)?, dist.bytes(&program_name)?);
    let hashed = format!("relp-{name}-{}_bg.wasm", short_hash(&program));
    dist.write(&hashed, &program)?;
    let ahead = if name == "printer" { "" } else { AHEAD };
    let (thread, end) = if name == THREADED { (THREAD, "}\n") } else { ("", "") };
    let script = format!(
        "{glue}\n{thread}const program = fetch(\"{hashed}\", {{ integrity: \"{}\" }});\n{ahead}\
         wasm_bindgen({{ module_or_path: program }}).catch((error) => {{\n  // A rejected promise is not told to the page; an error that is thrown is.\n  \
         setTimeout(() => {{\n    throw error;\n  }});\n}});\n{end}",
        dist.integrity(&hashed)?
    );
    let script_name = format!("relp-{name}-{}.js", short_hash(script.as_bytes()));
    dist.write(&script_name, script)?;
    dist.remove(&glue_name)?;
    dist.remove(&program_name)?;
    Ok(script_name)
}
