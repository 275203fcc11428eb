//! Figures in other people's pages: the element, the frame, and pages of one file.

use std::ops::Deref;
use std::path::{Path, PathBuf};

use relp_model::Figure;
use relp_print::{Format, Print, Style};
use relp_tests::hex;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::browser::{WebGpu, variable};
use crate::firefox::Firefox;
use crate::learning::take_every_lesson;
use crate::page::Page;
use crate::server::PageServer;
use crate::session::Session;
use crate::sharing::exported;

/// The elements of a page, each with what is in its shadow.
const ELEMENTS: &str = "[...document.querySelectorAll('relp-figure')]";

/// Something of the `at`th element's shadow tree.
fn inside(at: usize, selector: &str) -> String {
    format!("{ELEMENTS}[{at}].shadowRoot.querySelector({selector:?})")
}

/// A page with what is asked, that notes what the elements tell.
fn page_with(body: &str) -> String {
    format!(
        "<!doctype html><title>Author</title><link rel=\"icon\" href=\"data:,\">\
         <script>window.told = []; for (const kind of ['ready', 'cell', 'result', 'error']) \
         addEventListener(`relp-${{kind}}`, (event) => told.push([kind, event.detail]));</script>\
         <script type=\"module\" src=\"relp-figure.js\"></script>{body}"
    )
}

async fn go<B: Deref<Target = Session>>(browser: &B, url: &str) {
    browser.client.goto(url).await.unwrap();
}

async fn text(session: &Session, element: &str) -> String {
    let said = session.eval(&format!("{element}?.textContent ?? ''")).await;
    said.as_str().unwrap_or_default().to_owned()
}

/// What was fetched of this server, without its address.
async fn fetched(page: &Page, frame: &str) -> Vec<String> {
    let script = format!("{frame}.performance.getEntriesByType('resource').map(one => one.name)");
    let names = page.browser.eval(&script).await;
    let names = names.as_array().unwrap().iter().filter_map(Value::as_str);
    names.map(|name| name.replace(&page.server.url(), "")).collect()
}

/// Reads the paper, has one figure made live, and computes in it.
async fn read_paper<B: Deref<Target = Session>>(page: &Page<B>) {
    let session: &Session = &page.browser;
    go(&page.browser, &format!("{}paper/", page.server.url())).await;
    for at in [0, 1] {
        session.eval(&format!("({ELEMENTS}[{at}].scrollIntoView(), true)")).await;
        session.wait(&format!("{} !== null", inside(at, ".picture svg"))).await;
        // The words in the picture are text.
        let drawn = text(session, &inside(at, ".picture svg")).await;
        assert!(drawn.contains("resid_pre") && drawn.contains("·John"), "{drawn}");
    }
    assert_eq!(
        session.eval("document.querySelector('#figure-3 img').naturalWidth > 0").await,
        true
    );
    assert_eq!(session.eval("document.querySelectorAll('iframe').length").await, 0);

    // The third is a question: nothing of it was computed.
    let live = inside(2, ".live");
    session.eval(&format!("(window.told = [], {ELEMENTS}[2].addEventListener('relp-result', (event) => \
                           told.push(event.detail.figure)), {live}.scrollIntoView(), {live}.click(), true)"))
        .await;
    let frame = format!("{}?.contentWindow", inside(2, "iframe"));
    let asks = format!("{frame}?.document.querySelector('#embed-weights')");
    session.wait(&format!("({asks} ?? null) !== null")).await;
    let said = format!("{frame}.document.querySelector('#embed-asks')");
    assert!(
        text(session, &said).await.contains("primer")
            && text(session, &said).await.contains("3.4 MB")
    );
    let weights = format!(
        "{frame}.performance.getEntriesByType('resource').some(one => one.name.includes('model.safetensors'))"
    );
    assert_eq!(session.eval(&weights).await, false, "nobody has agreed to them");
    session.eval(&format!("({asks}.click(), true)")).await;
    session.wait("told.length > 0").await;
    let result: Figure = serde_json::from_value(session.eval("told.at(-1)").await).unwrap();
    assert_eq!(result.tokens.clean[2].text, " keys");
    assert_eq!(result.answers[0].text, " are");
    // The browser has hashed them.
    let weights = PageServer::file("models/primer/model.safetensors");
    assert_eq!(result.model.sha256, hex(&Sha256::digest(weights)));
    // It is as high as what is in it.
    session.wait(&format!("{}.height > 500", inside(2, "iframe"))).await;
    let overflows = format!(
        "{frame}.document.documentElement.scrollHeight > Number({}.height) + 1",
        inside(2, "iframe")
    );
    session.wait(&format!("!({overflows})")).await;
    session.eval(&format!("({}.click(), true)", inside(2, ".still"))).await;
    assert_eq!(session.eval(&format!("{} === null", inside(2, "iframe"))).await, true);
}

#[tokio::test]
async fn the_paper_has_live_figures_and_no_engine_until_it_is_asked_for() {
    let page = Page::open_from(PageServer::start(), WebGpu::Off).await;
    go(&page.browser, "about:blank").await;
    go(&page.browser, &format!("{}paper/", page.server.url())).await;
    page.browser.wait(&format!("{} !== null", inside(0, ".picture svg"))).await;
    let before = fetched(&page, "window").await;
    let is_engine = |name: &String| name.contains("-worker-") || name.contains("safetensors");
    assert!(before.iter().any(|name| name == "relp-figure.wasm"), "{before:?}");
    assert!(!before.iter().any(is_engine), "{before:?}");
    assert!(!before.iter().any(|name| name.contains("relp-app")), "{before:?}");
    for (width, scheme) in [(390, "light"), (1280, "dark")] {
        page.browser.look(width, 900, scheme).await;
        let wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth";
        page.browser.wait(&format!("!({wide})")).await;
        page.keep_picture(&format!("paper-{width}-{scheme}")).await;
    }
    page.browser.look(1280, 900, "light").await;
    read_paper(&page).await;
    page.close().await;
}

#[tokio::test]
async fn an_isolated_paper_is_read_and_has_a_live_figure() {
    let server = PageServer::start();
    server.isolate();
    let page = Page::open_from(server, WebGpu::Off).await;
    read_paper(&page).await;
    assert_eq!(page.browser.eval("crossOriginIsolated").await, true);
    page.close().await;
}

#[tokio::test]
async fn firefox_reads_the_paper_and_makes_a_figure_live() {
    let page = Page::in_firefox(PageServer::start()).await;
    read_paper(&page).await;
    page.close().await;
}

#[tokio::test]
async fn elements_are_read_by_pointer_and_keys_and_leave_the_page_as_it_is() {
    let server = PageServer::start();
    let loud = "<style>* { color: rgb(1, 2, 3) !important; } svg { display: none; } \
                .picture { display: none; }</style><p class=\"bar\" id=\"own\">own</p>";
    let many = "<relp-figure src=\"models/primer/first.json\"></relp-figure>".repeat(3);
    server.replace("author.html", page_with(&format!("{loud}{many}")));
    let page = Page::open_from(server, WebGpu::Off).await;
    go(&page.browser, &format!("{}author.html", page.server.url())).await;
    page.browser.wait("told.filter(([kind]) => kind === 'ready').length === 3").await;
    let programs = fetched(&page, "window").await;
    let programs = programs.iter().filter(|name| *name == "relp-figure.wasm").count();
    assert_eq!(programs, 1, "they share a program");

    // The page's styles stay outside, and the element's inside.
    let shown = format!("getComputedStyle({}).display", inside(0, ".picture svg"));
    assert_eq!(page.browser.eval(&shown).await, "block");
    let bar = "getComputedStyle(document.querySelector('#own')).display";
    assert_eq!(page.browser.eval(bar).await, "block", "a class of the element's is the page's own");

    // A cell under the pointer is the cell of the figure.
    let figure: Figure =
        serde_json::from_slice(&PageServer::file("models/primer/first.json")).unwrap();
    let view = inside(0, ".picture");
    let point = format!(
        "(() => {{ const at = {view}.getBoundingClientRect(); {view}.dispatchEvent(new PointerEvent('pointermove', \
         {{ clientX: at.x + 0.42 * at.width, clientY: at.y + 0.03 * at.height + 20, bubbles: true }})); return true; }})()"
    );
    page.browser.eval(&point).await;
    page.browser.wait("told.at(-1)[0] === 'cell'").await;
    let cell = page.browser.eval("told.at(-1)[1]").await;
    let (layer, column) = (cell["layer"].as_u64().unwrap(), cell["column"].as_u64().unwrap());
    assert_eq!(cell["site"], "resid_pre");
    let map = figure.maps.iter().find(|(site, _)| site.name() == "resid_pre").unwrap().1;
    let score = f64::from(map.get(layer as usize, column as usize).unwrap());
    assert!((cell["score"].as_f64().unwrap() - score).abs() < 1e-6);
    let said = text(&page.browser, &inside(0, ".reading")).await;
    assert!(said.starts_with(&format!("resid_pre, layer {layer}, position {column}, ")), "{said}");
    // By keys, as far as there are cells.
    let press = |key: &str| {
        format!(
            "({view}.dispatchEvent(new KeyboardEvent('keydown', {{ key: {key:?}, bubbles: true }})), true)"
        )
    };
    for key in ["Home", "PageDown", "PageDown", "PageDown", "PageDown", "ArrowLeft"] {
        page.browser.eval(&press(key)).await;
    }
    let said = text(&page.browser, &inside(0, ".reading")).await;
    assert!(said.starts_with(&format!("z, layer {layer}, head 0: ")), "{said}");

    // As wide as its place: one column of maps, and larger again.
    let width = |px: u32| format!("({ELEMENTS}[0].style.width = '{px}px', true)");
    let shape = format!("{}.viewBox.baseVal.width", inside(0, ".picture svg"));
    page.browser.eval(&width(330)).await;
    page.browser.wait(&format!("Math.abs({shape} - 330 * 0.75) < 1")).await;
    page.browser.eval(&width(900)).await;
    page.browser.wait(&format!("Math.abs({shape} - 900 * 0.75) < 1")).await;

    // It gives the same file as the printer of the same size.
    page.browser
        .eval(&format!("({ELEMENTS}[0].toSVG().then(svg => {{ window.svg = svg; }}), true)"))
        .await;
    page.browser.wait("'svg' in window").await;
    let svg = page.browser.eval("svg").await;
    let style = Style { width_mm: 900.0 * 25.4 / 96.0, font_pt: 8.25, ..Style::default() };
    let expected = relp_print::print(&Print::of(&figure), &style, Format::Svg).unwrap();
    assert!(svg.as_str().unwrap().as_bytes() == expected);
    page.close().await;
}

#[tokio::test]
async fn what_cannot_be_drawn_is_said_and_the_next_figure_is_drawn() {
    let server = PageServer::start();
    server.replace("bad.json", "{\"schema\": \"relp-figure/1\"}");
    server.replace("author.html", page_with("<relp-figure src=\"bad.json\"></relp-figure>"));
    let mut page = Page::open_from(server, WebGpu::Off).await;
    // Chromium itself complains of a file that is not there.
    page.expect_complaints();
    go(&page.browser, &format!("{}author.html", page.server.url())).await;
    let message = inside(0, ".message");
    page.browser.wait(&format!("{message} !== null")).await;
    assert!(text(&page.browser, &message).await.starts_with("This is no figure: "));
    assert_eq!(page.browser.eval("told.at(-1)[0]").await, "error");
    page.browser.eval(&format!("({ELEMENTS}[0].src = 'gone.json', true)")).await;
    page.browser.wait(&format!("{message}?.textContent.includes('gone.json')")).await;
    assert!(text(&page.browser, &message).await.contains("the server says 404"));
    // By its property, with hostile text in it.
    let mut figure: Value =
        serde_json::from_slice(&PageServer::file("models/primer/first.json")).unwrap();
    let hostile = "<img src=x onerror=\"document.title='owned'\">";
    figure["tokens"]["clean"][1]["text"] = json!(hostile);
    figure["model"]["name"] = json!(hostile);
    page.browser.eval(&format!("({ELEMENTS}[0].figure = {figure}, true)")).await;
    page.browser.wait(&format!("{} !== null", inside(0, ".picture svg"))).await;
    assert_eq!(page.browser.eval(&format!("{} === null", inside(0, "img"))).await, true);
    assert_eq!(page.browser.eval("document.title").await, "Author");
    assert_eq!(page.browser.eval(&format!("{ELEMENTS}[0].figure.model.name")).await, hostile);
    page.close().await;
}

/// A frame shows what the page that it names sends, and hears nobody else.
#[tokio::test]
async fn a_frame_hears_only_the_page_that_it_names() {
    let server = PageServer::start();
    let author = "<!doctype html><title>Author</title><link rel=\"icon\" href=\"data:,\"><script>window.heard = []; \
                  addEventListener('message', (event) => heard.push([event.origin, event.data]));</script>";
    server.replace("author.html", author);
    let page = Page::open_from(server, WebGpu::Off).await;
    let own = page.server.url();
    let own = own.trim_end_matches('/');
    go(&page.browser, &format!("{own}/author.html")).await;
    let kinds = "[...new Set(heard.map(([, message]) => message.kind))].sort().join()";
    let open = |query: &str| {
        format!(
            "(() => {{ window.heard = []; document.querySelector('iframe')?.remove(); \
             const frame = document.createElement('iframe'); frame.src = './{query}'; frame.width = 900; \
             document.body.append(frame); return true; }})()"
        )
    };
    let send = |message: &str| {
        format!(
            "(document.querySelector('iframe').contentWindow.postMessage({message}, '*'), true)"
        )
    };
    let figure = String::from_utf8(PageServer::file("models/primer/first-exact.json")).unwrap();
    let show = json!({ "format": "relp-embed/1", "kind": "show", "figure": figure }).to_string();
    let frame = "document.querySelector('iframe').contentDocument";
    let opened = format!("{frame}.querySelector('#opened') !== null");

    // Not named: only heights are told, and nothing is heard.
    page.browser.eval(&open("?embed")).await;
    page.browser.wait("heard.some(([, message]) => message.kind === 'height')").await;
    page.browser.eval(&send(&show)).await;
    // Another is named.
    page.browser.wait(&format!("{frame}.querySelector('#embed-engine') !== null")).await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(page.browser.eval(&opened).await, false);
    assert_eq!(page.browser.eval(kinds).await, "height,ready");
    page.browser.eval(&open("?embed=https://other.test")).await;
    page.browser.wait(&format!("{frame}?.querySelector('#embed-engine') != null")).await;
    page.browser.eval(&send(&show)).await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(page.browser.eval(&opened).await, false);

    // Named: it shows what it is sent, if that is a figure and comes as it should.
    page.browser.eval(&open(&format!("?embed={own}"))).await;
    page.browser.wait("heard.some(([, message]) => message.kind === 'ready')").await;
    for shapeless in [
        "null",
        "'show'",
        "{ kind: 'show' }",
        "{ format: 'relp-embed/1', kind: 'show', figure: 7 }",
    ] {
        page.browser.eval(&send(shapeless)).await;
    }
    page.browser.eval(&send("{ format: 'relp-embed/1', kind: 'show', figure: '<script>' }")).await;
    page.browser.wait("heard.some(([, message]) => message.kind === 'error')").await;
    assert_eq!(page.browser.eval(&opened).await, false);
    page.browser.eval(&send(&show)).await;
    page.browser.wait(&opened).await;
    assert_eq!(
        page.browser.eval(&format!("{frame}.querySelector('#method-ap').checked")).await,
        true
    );
    assert_eq!(page.browser.eval("history.length <= 3").await, true, "the history is the author's");
    // Chromium says of the message to a page that is not there what it is.
    let complaints = page.browser.complaints().await;
    assert!(
        complaints.iter().all(|said| said.contains("postMessage") || said.contains("other.test")),
        "{complaints:?}"
    );
    page.close().await;
}

/// The address of a file on this machine.
fn file(path: &Path) -> String {
    format!("file://{}", path.display())
}

fn built(name: &str) -> PathBuf {
    PathBuf::from(variable("RELP_DIST")).join(name)
}

async fn look_at_file<B: Deref<Target = Session>>(browser: &B, path: &Path) {
    go(browser, &file(path)).await;
    browser.wait(&format!("{} !== null", inside(0, ".picture svg"))).await;
    let view = inside(0, ".picture");
    let walk = format!(
        "({view}.dispatchEvent(new KeyboardEvent('keydown', {{ key: 'ArrowUp' }})), \
         {view}.dispatchEvent(new KeyboardEvent('keydown', {{ key: 'End' }})), true)"
    );
    browser.eval(&walk).await;
    assert!(
        text(browser, &inside(0, ".reading"))
            .await
            .starts_with("resid_pre, layer 0, position 14, ·to: ")
    );
    let title = browser.eval("document.title").await;
    assert!(title.as_str().unwrap().starts_with("RelP: When John and Mary"), "{title}");
    // What would need a server is not offered.
    assert_eq!(browser.eval(&format!("{} === null", inside(0, ".live"))).await, true);
}

#[tokio::test]
async fn a_figure_in_one_file_opens_without_a_server_in_both_browsers() {
    let mut page = Page::ready(WebGpu::Off).await;
    page.browser.wait("document.querySelector('#agreement table') !== null").await;
    page.click("#export").await;
    page.browser.wait("document.querySelector('#export-preview')?.complete === true").await;
    let html = exported(&page, "html").await;
    assert!(html.len() <= 400_000, "{} bytes", html.len());
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("figure.html");
    std::fs::write(&path, &html).unwrap();
    // It opens again where it came from.
    let figure = relp_print::embedded(&html).unwrap();
    assert_eq!(figure.tokens.clean[2].text, " John");
    page.click("#export-dialog-close").await;
    page.drop_onto("#app", &path).await;
    page.browser.wait("document.querySelector('#opened') !== null").await;
    look_at_file(&page.browser, &path).await;
    page.allow("file:///");
    page.close().await;
    let firefox = Firefox::start().await;
    look_at_file(&firefox, &path).await;
    assert_eq!(firefox.complaints().await, Vec::<String>::new());
    assert!(firefox.asked().is_empty());
}

/// The playground in one file, from the file system: everything computes, and every lesson can be taken.
async fn use_file(page: &Page<impl Deref<Target = Session>>) {
    go(&page.browser, &file(&built("standalone/playground.html"))).await;
    page.wait_for_figure(1).await;
    assert!(page.text("#device").await.starts_with("CPU"));
    take_every_lesson(page).await;
}

#[tokio::test]
async fn the_playground_in_one_file_runs_every_lesson_without_a_server() {
    // A server that has nothing, and then is gone.
    let server = PageServer::start();
    server.replace(
        "index.html",
        "<!doctype html><title>Empty</title><link rel=\"icon\" href=\"data:,\">",
    );
    let mut page = Page::open_from(server, WebGpu::Off).await;
    page.server.leave();
    use_file(&page).await;
    assert_eq!(page.browser.complaints().await, Vec::<String>::new());
    // A figure that was put into it is the first that it shows.
    let template = std::fs::read_to_string(built("standalone/playground.html")).unwrap();
    let exact = String::from_utf8(PageServer::file("models/primer/first-exact.json")).unwrap();
    let place = "id=\"relp-figure\">null</script>";
    assert_eq!(template.matches(place).count(), 1);
    let filled = template.replace(place, &place.replace("null", &exact));
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("playground.html");
    std::fs::write(&path, filled).unwrap();
    go(&page.browser, &file(&path)).await;
    page.browser.wait("document.querySelector('#opened') !== null").await;
    assert!(page.text("#opened").await.contains("playground.html"));
    assert_eq!(page.browser.eval("document.querySelector('#method-ap').checked").await, true);
    page.allow("file:///");
    page.close().await;
}

#[tokio::test]
async fn firefox_runs_every_lesson_from_one_file() {
    let page = Page::in_firefox(PageServer::start()).await;
    page.server.leave();
    use_file(&page).await;
    page.close().await;
}

/// The share dialog's pieces of HTML do what they say in a page of another origin.
#[tokio::test]
async fn shared_pieces_work_in_a_page_of_another_origin() {
    let page = Page::ready(WebGpu::Off).await;
    page.browser.wait("document.querySelector('#agreement table') !== null").await;
    page.click("#share").await;
    let value = async |id: &str| {
        let value = page.browser.eval(&format!("document.querySelector({id:?}).value")).await;
        value.as_str().unwrap().to_owned()
    };
    let (element, frame) = (value("#share-element").await, value("#share-frame").await);
    let name = element.split("<relp-figure src=\"").nth(1).unwrap().split('"').next().unwrap();
    let mut page = page;
    // Neither is isolated, the Playground alone is, both are.
    for isolated in 0..3 {
        let other = PageServer::start();
        other.replace(name, PageServer::file("models/primer/first.json"));
        other.replace("author.html", page_with(&format!("{element}{frame}")));
        if isolated > 0 {
            page.server.isolate();
        }
        if isolated > 1 {
            other.isolate();
        }
        go(&page.browser, &format!("{}author.html", other.url())).await;
        page.allow(&other.url());
        assert_eq!(page.browser.eval("crossOriginIsolated").await, isolated > 1);
        page.browser.wait("told.some(([kind]) => kind === 'ready')").await;
        page.browser.client.enter_frame(0).await.unwrap();
        page.browser.wait("document.querySelector('#embed-engine') !== null").await;
        page.click("#embed-engine").await;
        page.browser.wait("document.querySelector('#embed-weights') !== null").await;
        page.click("#embed-weights").await;
        page.wait_for_figure(1).await;
        page.browser.client.clone().enter_parent_frame().await.unwrap();
    }
    page.close().await;
}

/// The cell of the notebook in `docs/embedding.md`, run by Python with no more of Jupyter than a class.
#[tokio::test]
async fn the_notebook_recipe_shows_a_figure() {
    let document = include_str!("../../../docs/embedding.md");
    let recipe = document.split("```python\n").nth(1).unwrap().split("```").next().unwrap();
    let page = Page::ready(WebGpu::Off).await;
    let url = page.server.url();
    assert_eq!(recipe.matches("https://PLAYGROUND/").count(), 1);
    assert!(recipe.trim_end().ends_with("relp_figure(\"figure.json\")"));
    let script = format!(
        "import sys, types\nmodule = types.ModuleType('IPython.display')\nmodule.HTML = str\n\
         sys.modules['IPython'] = types.ModuleType('IPython')\nsys.modules['IPython.display'] = module\n\
         {}",
        recipe
            .replace("https://PLAYGROUND/", &url)
            .replace("\nrelp_figure(\"figure.json\")", "\nprint(relp_figure(sys.argv[1]))")
    );
    let figure = built("models/primer/first.json");
    let ran = std::process::Command::new("python3").args(["-c", &script]).arg(figure).output();
    let Ok(ran) = ran else {
        let skipped = "SKIPPED: there is no python3, so the notebook's cell was not run\n";
        std::io::Write::write_all(&mut std::io::stderr(), skipped.as_bytes()).unwrap();
        return page.close().await;
    };
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let cell = String::from_utf8(ran.stdout).unwrap();
    page.server.replace(
        "notebook.html",
        format!("<!doctype html><title>Notebook</title><link rel=\"icon\" href=\"data:,\">{cell}"),
    );
    go(&page.browser, &format!("{url}notebook.html")).await;
    page.browser.client.enter_frame(0).await.unwrap();
    page.browser.wait(&format!("{} !== null", inside(0, ".picture svg"))).await;
    // Made live, it has the notebook's figure.
    page.browser.eval(&format!("({}.click(), true)", inside(0, ".live"))).await;
    let frame = format!("{}?.contentWindow?.document", inside(0, "iframe"));
    page.browser.wait(&format!("({frame}?.querySelector('#opened') ?? null) !== null")).await;
    page.close().await;
}
