//! The first page that a person opens: how to begin, without a script or another file.

use std::env;
use std::fmt::Write as _;

use relp_hub::preflight::Bytes;

const PAGE: &str = include_str!("start.html");

/// What is in a pack, for its first page.
pub(crate) struct Contents<'a> {
    /// Title, folder from the page on, and bytes.
    pub(crate) models: Vec<(&'a str, String, u64)>,
    /// Whether the page of one file is there.
    pub(crate) playground: bool,
    /// Whether the page for teachers is there.
    pub(crate) teaching: bool,
}

pub(crate) fn page(contents: &Contents<'_>) -> String {
    let double_click = if contents.playground {
        "<p>Double-click <a href=\"app/standalone/playground.html\">app/standalone/playground.html</a>. It is \
         one file that holds the page, the engine and the bundled model, and opens in any current browser, without \
         an installation and without a network.</p>"
    } else {
        "<p>This folder has no page of one file, so nothing opens by a double click: start the program, as \
         below.</p>"
    };
    let mut models = String::new();
    for (title, folder, bytes) in &contents.models {
        let _infallible = write!(
            models,
            "\n<li><b>{}</b>, {}, in <code>app/{}</code></li>",
            escaped(title),
            Bytes(*bytes),
            escaped(folder)
        );
    }
    let models = if models.is_empty() {
        "<p>No model but the small one that is part of the page.</p>".to_owned()
    } else {
        format!(
            "<ul>{models}\n</ul>\n<p>The small model that is part of the page is there as well. When the page comes from \
             <code>relp serve</code>, its list of models says of these that they are on this server: choose one and press \
             “Load”. They can also be used without the program: choose “files of your own” in the list of models, and then \
             the model's folder.</p>"
        )
    };
    let teaching = if contents.teaching {
        "<p>How to share it with a class: <a href=\"app/docs/teaching.html\">for teachers</a>.</p>"
    } else {
        ""
    };
    let own = match env::consts::OS {
        "windows" => "Windows",
        "macos" => "macOS",
        "linux" => "Linux",
        other => other,
    };
    PAGE.replace("{DOUBLE_CLICK}", double_click)
        .replace("{SYSTEM}", &format!("{own} ({})", env::consts::ARCH))
        .replace("{MODELS}", &models)
        .replace("{TEACHING}", teaching)
        .replace("{VERSION}", env!("CARGO_PKG_VERSION"))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_links_to_what_is_there_and_needs_nothing_else() {
        let models = vec![("GPT-2 <small>", "models/hub/a/b/resolve/c".to_owned(), 548_000_000)];
        let full = page(&Contents { models, playground: true, teaching: true });
        for part in
            ["GPT-2 &lt;small&gt;</b>, 548 MB", "app/models/hub/a/b/resolve/c", "./relp serve"]
        {
            assert!(full.contains(part), "{part} in {full}");
        }
        assert!(full.contains("href=\"app/standalone/playground.html\""));
        assert!(full.contains("href=\"app/docs/teaching.html\""));
        let bare = page(&Contents { models: Vec::new(), playground: false, teaching: false });
        assert!(!bare.contains("href="), "{bare}");
        for page in [full, bare] {
            // The style has the only braces that are left.
            let body = page.split("</style>").nth(1).unwrap();
            let needs = ["{", "<script", "src=", "<link", "http://", "https://"];
            assert!(needs.iter().all(|needed| !body.contains(needed)), "{body}");
        }
    }
}
