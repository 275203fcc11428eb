//! The element `<relp-figure>` for other people's pages: one module and its program, under names that stay.

use std::{fs, path::Path};

use anyhow::{Context, Result};

use crate::assets::{Dist, filled, packed};

/// The module, beside the page.
const MODULE: &str = "relp-figure.js";
const PROGRAM: &str = "relp-figure.wasm";
/// Where the module says where its program is.
const ADDRESS: &str = "new URL(\"relp-figure.wasm\", import.meta.url);\nconst PLAYGROUND";

/// Puts the element's own code behind what wasm-bindgen wrote, in one module.
pub(crate) fn write(root: &Path, dist: Dist<'_>) -> Result<()> {
    let glue = dist.text("relp-embed.js")?;
    let path = root.join("web/embed").join(MODULE);
    let element =
        fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    dist.write(MODULE, format!("{glue}\n{element}"))?;
    dist.write(PROGRAM, dist.bytes("relp-embed_bg.wasm")?)?;
    dist.remove("relp-embed.js")?;
    dist.remove("relp-embed_bg.wasm")
}

/// The module with its program inside, for a page that has no other files.
pub(crate) fn whole(dist: Dist<'_>) -> Result<String> {
    let program = packed(&dist.bytes(PROGRAM)?)?;
    let inflated = format!(
        "(async () => {{\n  const bytes = Uint8Array.from(atob(\"{program}\"), (c) => c.charCodeAt(0));\n  \
         const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream(\"gzip\"));\n  \
         return new Response(stream).arrayBuffer();\n}})();\nconst PLAYGROUND"
    );
    filled(&dist.text(MODULE)?, ADDRESS, &inflated)
}
