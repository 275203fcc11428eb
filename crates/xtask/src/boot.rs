//! How the built page starts: no script stands in it, what it loads is named by its content and refused if it is
//! anything else, and it says what it may ask of whom.

use anyhow::{Context, Result};

use crate::assets::{Dist, filled, short_hash};

/// The programs in workers.
pub(crate) const WORKERS: [&str; 2] = ["worker", "printer"];

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

    // The program is on its way before the script that starts it has come.
    let boot = format!(
        "const program = fetch(\"./{program}\", {{ integrity: \"{}\" }});\n\
         const {{ default: start }} = await import(\"./{app}\");\n\
         await start({{ module_or_path: program }});\n",
        dist.integrity(&program)?
    );
    let boot_name = format!("boot-{}.js", short_hash(boot.as_bytes()));
    dist.write(&boot_name, boot)?;
    let begin = page.find("<script type=\"module\">").context("the page starts by no script")?;
    let end = page.find("</script>").context("the page's script has no end")? + "</script>".len();
    let scripts = format!(
        "<link rel=\"modulepreload\" href=\"./{app}\" integrity=\"{}\" />\n    \
         <script type=\"module\" src=\"./{boot_name}\" integrity=\"{}\"></script>",
        dist.integrity(&app)?,
        dist.integrity(&boot_name)?,
    );
    page.replace_range(begin..end, &scripts);
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
        "{charset}\n    <meta http-equiv=\"Content-Security-Policy\" content=\"{}\" />",
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
    let script = format!(
        "{glue}\nwasm_bindgen({{ module_or_path: fetch(\"{hashed}\", {{ integrity: \"{}\" }}) }}).catch((error) => \
         {{\n  // A rejected promise is not told to the page; an error that is thrown is.\n  \
         setTimeout(() => {{\n    throw error;\n  }});\n}});\n",
        dist.integrity(&hashed)?
    );
    let script_name = format!("relp-{name}-{}.js", short_hash(script.as_bytes()));
    dist.write(&script_name, script)?;
    dist.remove(&glue_name)?;
    dist.remove(&program_name)?;
    Ok(script_name)
}
