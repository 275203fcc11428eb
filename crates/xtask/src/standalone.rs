//! Pages that are one file each, and open without any server: a figure, and the playground with its engine
//! and the bundled model. What exports a figure puts it in the place of `null`.

use std::{fs, path::Path};

use anyhow::{Context, Result, bail};

use crate::{
    assets::{Dist, filled, packed},
    boot, embed,
};

/// The one that the page does not keep for offline use, since it is everything once more.
pub(crate) const PLAYGROUND: &str = "standalone/playground.html";
const FIGURE: &str = "standalone/figure.html";

/// The programs in workers: of the engine, the one for every browser.
const WORKERS: [&str; 2] = ["worker", "printer"];

/// Writes both. `page` is the page as trunk wrote it, which says which styles there are, and in which order.
pub(crate) fn write(root: &Path, dist: Dist<'_>, page: &str) -> Result<()> {
    let read = |name: &str| {
        let path = root.join("web").join(name);
        fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))
    };
    let figure = filled(&read(FIGURE)?, "/* relp-figure.js */", &script(&embed::whole(dist)?)?)?;
    dist.write(FIGURE, figure)?;

    let mut styles = String::new();
    for name in boot::styles(page) {
        styles += &dist.text(name)?;
    }
    let mut parts = String::new();
    let mut part = |name: &str, content: &[u8]| -> Result<()> {
        parts += &format!(
            "<script type=\"text/plain\" data-part=\"{name}\">{}</script>\n",
            packed(content)?
        );
        Ok(())
    };
    part("app.wasm", &dist.bytes(&dist.one("relp-app-", "_bg.wasm")?)?)?;
    for worker in WORKERS {
        part(&format!("{worker}.wasm"), &dist.bytes(&format!("relp-{worker}_bg.wasm"))?)?;
    }
    for name in dist.names("models/primer")? {
        // Of the others only people read something.
        if ["config.json", "tokenizer.json", "model.safetensors"].contains(&name.as_str()) {
            let path = format!("models/primer/{name}");
            part(&path, &dist.bytes(&path)?)?;
        }
    }
    for worker in WORKERS {
        let glue = script(&dist.text(&format!("relp-{worker}.js"))?)?;
        parts +=
            &format!("<script type=\"text/plain\" data-part=\"{worker}.js\">\n{glue}</script>\n");
    }
    let app = script(&dist.text(&dist.one("relp-app-", ".js")?)?)?;
    let mut whole = read(PLAYGROUND)?;
    for (mark, with) in [
        ("HUBS", boot::HUBS),
        ("/* styles */", styles.as_str()),
        ("<!-- parts -->", parts.as_str()),
        ("/* parts.js */", &script(&read("standalone/parts.js")?)?),
        ("/* relp-app.js */", app.as_str()),
    ] {
        whole = filled(&whole, mark, with)?;
    }
    dist.write(PLAYGROUND, whole)
}

/// A script as it may stand in a page.
fn script(text: &str) -> Result<String> {
    let lower = text.to_ascii_lowercase();
    if lower.contains("</script") || lower.contains("<!--") {
        bail!("a script with `</script` or `<!--` in it cannot stand in a page");
    }
    Ok(text.to_owned())
}
