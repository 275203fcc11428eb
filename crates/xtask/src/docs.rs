//! The documents that come with the page: Markdown of `docs/`, as plain pages in `dist/docs/`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, mem,
    path::Path,
};

use anyhow::{Context, Result, bail};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd, html};

/// The documents by their names without `.md`, with what the links at their top say.
const DOCUMENTS: [(&str, &str); 6] = [
    ("guide", "Guide"),
    ("teaching", "Teaching"),
    ("embedding", "Embedding"),
    ("methods", "Methods"),
    ("agreement", "Agreement"),
    ("design", "Design"),
];

/// What they need beside them, from the page's assets.
const ASSETS: [&str; 3] = ["theme.css", "docs.css", "icon.svg"];

/// What else comes with the page, and where it is there, seen from the documents.
const BESIDE: [(&str, &str); 1] = [("../web/paper/index.html", "../paper/")];

/// The headings' ids of each document.
type Headings<'a> = BTreeMap<&'a str, &'a BTreeSet<String>>;

/// Writes the documents of the repository at `root` into the built page.
pub(crate) fn write(root: &Path, dist: &Path) -> Result<()> {
    let pages = pages(&root.join("docs"))?;
    let folder = dist.join("docs");
    fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    for (name, page) in pages {
        let path = folder.join(format!("{name}.html"));
        fs::write(&path, page).with_context(|| format!("{} cannot be written", path.display()))?;
    }
    for asset in ASSETS {
        let from = root.join("web/app/assets").join(asset);
        fs::copy(&from, folder.join(asset))
            .with_context(|| format!("{} cannot be copied", from.display()))?;
    }
    Ok(())
}

/// The pages of the documents in a folder, by name.
fn pages(folder: &Path) -> Result<Vec<(&'static str, String)>> {
    let mut texts = Vec::new();
    for (name, _) in DOCUMENTS {
        let path = folder.join(format!("{name}.md"));
        let text = fs::read_to_string(&path)
            .with_context(|| format!("{} cannot be read", path.display()))?;
        texts.push((name, text));
    }
    render(&texts, &|path| folder.join(path).exists())
}

/// The pages of some documents. `is_there` tells of a path from their folder whether the repository
/// has it.
fn render(
    texts: &[(&'static str, String)],
    is_there: &dyn Fn(&str) -> bool,
) -> Result<Vec<(&'static str, String)>> {
    let mut documents = Vec::new();
    for (name, markdown) in texts {
        documents.push(Document::read(name, markdown)?);
    }
    let all: Headings<'_> =
        documents.iter().map(|document| (document.name, &document.headings)).collect();
    let mut pages = Vec::new();
    for ((name, _), document) in texts.iter().zip(&documents) {
        pages.push((*name, page(document, &document.body(&all, is_there)?)));
    }
    Ok(pages)
}

/// A document whose headings have their ids.
struct Document<'a> {
    name: &'a str,
    title: String,
    events: Vec<Event<'a>>,
    headings: BTreeSet<String>,
}

impl<'a> Document<'a> {
    fn read(name: &'a str, markdown: &'a str) -> Result<Self> {
        let options = Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES;
        let mut events: Vec<Event<'a>> =
            Parser::new_ext(markdown, options).map(without_html).collect();
        let mut title = None;
        let mut headings = BTreeSet::new();
        let found: Vec<(usize, String)> =
            (0..events.len()).filter_map(|at| Some((at, heading(&events[at..])?))).collect();
        for (at, text) in found {
            if let Event::Start(Tag::Heading { id, .. }) = &mut events[at] {
                *id = Some(add_id(&text, &mut headings).into());
            }
            title.get_or_insert(text);
        }
        let title = title.with_context(|| format!("docs/{name}.md has no heading"))?;
        Ok(Self { name, title, events, headings })
    }

    /// What stands on its page.
    fn body(&self, all: &Headings<'_>, is_there: &dyn Fn(&str) -> bool) -> Result<String> {
        let mut events = Vec::with_capacity(self.events.len());
        let mut section = String::new();
        let mut is_dropped = false;
        for (at, event) in self.events.iter().enumerate() {
            section = heading(&self.events[at..]).unwrap_or(section);
            let mut event = event.clone();
            match &mut event {
                Event::Start(Tag::Link { dest_url, .. }) => {
                    match follow(self.name, dest_url, all, is_there)? {
                        Some(address) => *dest_url = address.into(),
                        None => {
                            is_dropped = true;
                            continue;
                        }
                    }
                }
                Event::End(TagEnd::Link) if mem::take(&mut is_dropped) => continue,
                Event::Start(Tag::Image { dest_url, .. }) => bail!(
                    "docs/{}.md shows the picture {dest_url}, but pictures do not come with the page",
                    self.name
                ),
                // A wide table scrolls by itself, for the keyboard too, and the text stays where it is.
                Event::Start(Tag::Table(_)) => {
                    let label = escaped(&section);
                    let scroll = format!(
                        "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Table: {label}\">"
                    );
                    events.push(Event::Html(scroll.into()));
                }
                _ => {}
            }
            let ends_table = event == Event::End(TagEnd::Table);
            events.push(event);
            if ends_table {
                events.push(Event::Html("</div>\n".into()));
            }
        }
        let mut body = String::new();
        html::push_html(&mut body, events.into_iter());
        Ok(body)
    }
}

/// HTML in Markdown as the text that it is.
fn without_html(event: Event<'_>) -> Event<'_> {
    match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        Event::Start(Tag::HtmlBlock) => Event::Start(Tag::Paragraph),
        Event::End(TagEnd::HtmlBlock) => Event::End(TagEnd::Paragraph),
        event => event,
    }
}

/// The text of the heading that begins here, if one does.
fn heading(events: &[Event<'_>]) -> Option<String> {
    let (first, rest) = events.split_first()?;
    if !matches!(first, Event::Start(Tag::Heading { .. })) {
        return None;
    }
    let is_inside = |event: &&Event<'_>| !matches!(event, Event::End(TagEnd::Heading(_)));
    let mut text = String::new();
    for event in rest.iter().take_while(is_inside) {
        match event {
            Event::Text(part) | Event::Code(part) => text.push_str(part),
            Event::SoftBreak | Event::HardBreak => text.push(' '),
            _ => {}
        }
    }
    Some(text)
}

/// Adds the id of a heading with this text to a document's: GitHub's, so that a link leads to the same
/// place there and here.
fn add_id(text: &str, ids: &mut BTreeSet<String>) -> String {
    let slug = slug(text);
    let mut id = slug.clone();
    let mut count = 0;
    while !ids.insert(id.clone()) {
        count += 1;
        id = format!("{slug}-{count}");
    }
    id
}

fn slug(text: &str) -> String {
    let lower = text.trim().to_lowercase();
    let kept = lower.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// Where a link of the document `from` leads on the page; `None` if that is a file of the repository
/// which does not come with the page.
fn follow(
    from: &str,
    to: &str,
    all: &Headings<'_>,
    is_there: &dyn Fn(&str) -> bool,
) -> Result<Option<String>> {
    if to.starts_with("https://") || to.starts_with("http://") {
        return Ok(Some(to.to_owned()));
    }
    let (path, heading) = match to.split_once('#') {
        Some((path, heading)) => (path, Some(heading)),
        None => (to, None),
    };
    let name = if path.is_empty() { Some(from) } else { path.strip_suffix(".md") };
    let Some((name, headings)) = name.and_then(|name| Some((name, all.get(name)?))) else {
        if is_there(path) {
            let beside = BESIDE.iter().find(|(there, _)| *there == path);
            return Ok(beside.map(|(_, here)| (*here).to_owned()));
        }
        bail!("docs/{from}.md links to {to}, but there is no such file");
    };
    match heading {
        None => Ok(Some(format!("{name}.html"))),
        Some(heading) if headings.contains(heading) => Ok(Some(format!("{name}.html#{heading}"))),
        Some(heading) => {
            bail!("docs/{from}.md links to {to}, but docs/{name}.md has no heading #{heading}")
        }
    }
}

/// A whole page around its text.
fn page(document: &Document<'_>, body: &str) -> String {
    let link = |&(name, title): &(&str, &str)| {
        let here = if name == document.name { " aria-current=\"page\"" } else { "" };
        format!("        <a href=\"{name}.html\"{here}>{title}</a>\n")
    };
    let links: String = DOCUMENTS.iter().map(link).collect();
    let title = escaped(&document.title);
    format!(
        r#"<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <title>{title} · RelP Playground</title>
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <meta name="referrer" content="no-referrer" />
    <link rel="icon" href="icon.svg" />
    <link rel="stylesheet" href="theme.css" />
    <link rel="stylesheet" href="docs.css" />
  </head>
  <body>
    <header>
      <nav aria-label="Documents">
        <a class="home" href="../">RelP Playground</a>
{links}      </nav>
    </header>
    <main>
{body}    </main>
  </body>
</html>
"#
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The page of a document `a` beside a document `b` with the heading "Two words", in a repository
    /// that has a README.
    fn of(markdown: &str) -> Result<String> {
        let texts = [("a", markdown.to_owned()), ("b", "# B\n\n## Two words\n".to_owned())];
        let mut pages = render(&texts, &|path| path == "../README.md")?;
        Ok(pages.swap_remove(0).1)
    }

    fn refusal(markdown: &str) -> String {
        of(markdown).err().map(|error| format!("{error:#}")).unwrap_or_default()
    }

    fn repository() -> &'static Path {
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
    }

    #[test]
    fn ids_are_those_that_github_makes() -> Result<()> {
        assert_eq!(slug("Pair, run, direction"), "pair-run-direction");
        assert_eq!(slug("What is put in its place"), "what-is-put-in-its-place");
        assert_eq!(slug("AtP*: a `resid_pre` – and Σ-terms?"), "atp-a-resid_pre--and-σ-terms");
        let page = of("# A\n\n## Maps\n\n## *Maps*\n\n## The `z` of\n\n### Maps\n")?;
        for heading in [
            "<h1 id=\"a\">A</h1>",
            "<h2 id=\"maps\">Maps</h2>",
            "<h2 id=\"maps-1\"><em>Maps</em></h2>",
            "<h2 id=\"the-z-of\">The <code>z</code> of</h2>",
            "<h3 id=\"maps-2\">Maps</h3>",
        ] {
            assert!(page.contains(heading), "{heading}\n{page}");
        }
        assert!(page.contains("<title>A · RelP Playground</title>"), "{page}");
        Ok(())
    }

    #[test]
    fn links_lead_to_pages_and_to_other_servers_and_are_text_otherwise() -> Result<()> {
        let page =
            of("# A\n\n[one](b.md) [two](b.md#two-words) [three](#a) [*four*](../README.md#x) \
                       [five](https://arxiv.org/abs/2508.21258) <https://example.org/?a&b>\n")?;
        for link in [
            "<a href=\"b.html\">one</a>",
            "<a href=\"b.html#two-words\">two</a>",
            "<a href=\"a.html#a\">three</a> <em>four</em> <a",
            "<a href=\"https://arxiv.org/abs/2508.21258\">five</a>",
            "<a href=\"https://example.org/?a&amp;b\">https://example.org/?a&amp;b</a>",
        ] {
            assert!(page.contains(link), "{link}\n{page}");
        }
        Ok(())
    }

    #[test]
    fn what_leads_nowhere_is_refused() {
        assert_eq!(
            refusal("# A\n\n[x](b.md#two)\n"),
            "docs/a.md links to b.md#two, but docs/b.md has no heading #two"
        );
        assert!(refusal("# A\n\n[x](#b)\n").contains("docs/a.md has no heading #b"));
        assert!(refusal("# A\n\n[x](c.md)\n").contains("links to c.md, but there is no such file"));
        assert!(refusal("# A\n\n[x](../gone.rs)\n").contains("there is no such file"));
        assert!(refusal("# A\n\n![x](x.png)\n").contains("shows the picture x.png"));
        assert!(refusal("words\n").contains("docs/a.md has no heading"));
        assert_eq!(refusal("# A\n"), "");
    }

    #[test]
    fn html_is_text_and_a_table_has_its_own_box() -> Result<()> {
        let page =
            of("# A < \"B\"\n\na <b>word</b>\n\n<script>\nx\n</script>\n\n| t | u |\n|---|--:|\n\
                       | 1 | 2 |\n")?;
        assert!(page.contains("<title>A &lt; &quot;B&quot; · RelP"), "{page}");
        assert!(page.contains("<p>a &lt;b&gt;word&lt;/b&gt;</p>"), "{page}");
        assert!(page.contains("&lt;script&gt;") && !page.contains("<script"), "{page}");
        let scroll = "<div class=\"scroll\" tabindex=\"0\" role=\"group\" \
                      aria-label=\"Table: A &lt; &quot;B&quot;\"><table>";
        assert!(page.contains(scroll), "{page}");
        assert!(page.contains("</table>\n</div>"), "{page}");
        Ok(())
    }

    #[test]
    fn every_document_is_rendered_and_the_guide_has_what_the_page_links_to() -> Result<()> {
        let pages = pages(&repository().join("docs"))?;
        let guide = pages.iter().find(|(name, _)| *name == "guide").context("the guide")?;
        let panels = "question tasks tokens metric direction method rules maps heads head neurons \
                      agreement predictions pinned legend history models doctor lessons keyboard";
        for panel in panels.split_whitespace() {
            assert!(guide.1.contains(&format!("<h2 id=\"{panel}\">")), "{panel}");
        }
        for (name, page) in &pages {
            assert!(!page.contains(".md\"") && !page.contains(".md#"), "{name}");
            assert!(page.contains(&format!("<a href=\"{name}.html\" aria-current=\"page\">")));
        }
        Ok(())
    }

    #[test]
    fn the_documents_have_the_pages_colours_and_type() -> Result<()> {
        let css = fs::read_to_string(repository().join("web/app/assets/docs.css"))?;
        // Everything that it uses is the theme's.
        let theme = fs::read_to_string(repository().join("web/app/assets/theme.css"))?;
        for used in css.split("var(").skip(1).filter_map(|rest| rest.split(')').next()) {
            assert!(theme.contains(&format!("  {used}: ")), "{used}");
        }
        assert!(!css.lines().any(|line| line.trim().starts_with("--")), "no colours of its own");
        assert!(!css.contains('#'), "no colours of its own");
        Ok(())
    }

    #[test]
    fn pages_and_what_they_need_are_written() -> Result<()> {
        let dist = std::env::temp_dir().join(format!("relp-docs-{}", std::process::id()));
        write(repository(), &dist)?;
        for (name, _) in DOCUMENTS {
            assert!(dist.join(format!("docs/{name}.html")).is_file());
        }
        assert!(ASSETS.iter().all(|asset| dist.join("docs").join(asset).is_file()));
        fs::remove_dir_all(dist)?;
        Ok(())
    }
}
