//! The figure inside a printed one: as JSON in an SVG's metadata, in a text chunk of a PNG, in the comments of
//! TikZ source, in a script of an HTML page, or as the file itself.

use std::io::Cursor;

use relp_model::{Figure, Unusable};

/// The keyword of a PNG's text chunk, and the id of an SVG's metadata.
pub(crate) const KEY: &str = "relp-figure";

/// Why no figure is in a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotThere {
    /// It holds none: it was not printed by this program, or something has removed it.
    #[error(
        "there is no figure in it: it was not written by this program, or something has removed it"
    )]
    Nothing,
    /// It holds something that is not usable as one.
    #[error("{0}")]
    Unusable(Unusable),
}

/// How a line of TikZ source begins that holds a piece of the figure.
pub(crate) const COMMENT: &str = "%j ";

/// The figure in a JSON, SVG, PNG, TikZ or HTML file.
///
/// # Errors
/// If there is none that can be used.
pub fn embedded(file: &[u8]) -> Result<Figure, NotThere> {
    let text = if file.starts_with(b"\x89PNG\r\n\x1a\n") {
        of_png(file).ok_or(NotThere::Nothing)?
    } else {
        let text = str::from_utf8(file).map_err(|_| NotThere::Nothing)?;
        let text = text.trim_start_matches('\u{feff}').trim_start();
        match text.chars().next() {
            Some('<') => of_svg(text).or_else(|| of_html(text)).ok_or(NotThere::Nothing)?,
            Some('%') => of_tikz(text).ok_or(NotThere::Nothing)?,
            _ => text.to_owned(),
        }
    };
    Figure::read(&text).map_err(NotThere::Unusable)
}

/// The text between the tags of the metadata. What is written there has no character that XML escapes.
fn of_svg(text: &str) -> Option<String> {
    let (_, rest) = text.split_once(&format!("<metadata id=\"{KEY}\">"))?;
    let (json, _) = rest.split_once("</metadata>")?;
    Some(json.to_owned())
}

/// The text of the script that a page of one file shows.
fn of_html(text: &str) -> Option<String> {
    let start = format!("<script type=\"application/json\" id=\"{KEY}\">");
    let (_, rest) = text.split_once(&start)?;
    let (json, _) = rest.split_once("</script>")?;
    Some(json.to_owned())
}

fn of_tikz(text: &str) -> Option<String> {
    let pieces = text.lines().filter_map(|line| line.strip_prefix(COMMENT));
    Some(pieces.collect::<String>()).filter(|json| !json.is_empty())
}

fn of_png(file: &[u8]) -> Option<String> {
    // Its picture is not looked at, and no more is read than there is.
    let limits = png::Limits { bytes: 64 << 20 };
    let decoder = png::Decoder::new_with_limits(Cursor::new(file), limits);
    let reader = decoder.read_info().ok()?;
    let chunks = &reader.info().utf8_text;
    chunks.iter().find(|chunk| chunk.keyword == KEY)?.get_text().ok()
}

/// The figure as JSON, as a file of its own.
#[cfg(feature = "render")]
pub(crate) fn json(figure: &Figure) -> String {
    // Nothing in a figure can fail to be written.
    serde_json::to_string_pretty(figure).unwrap_or_default()
}

/// The figure as JSON without any character that XML, HTML or LaTeX would read.
pub fn quoted(figure: &Figure) -> String {
    let text = serde_json::to_string(figure).unwrap_or_default();
    let mut quoted = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            // They stand in strings only, where JSON has another way to write them.
            '<' | '>' | '&' => quoted.push_str(&format!("\\u{:04x}", c as u32)),
            c if c as u32 > 0x7e => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    quoted.push_str(&format!("\\u{unit:04x}"));
                }
            }
            c => quoted.push(c),
        }
    }
    quoted
}
