//! A drawing as SVG: real text, no style sheet, and the figure in its metadata.

use std::fmt::Write;

use relp_model::Figure;

use crate::drawing::{Anchor, Drawing, Item, points};
use crate::embedded::{KEY, quoted};

/// The whole file.
pub(crate) fn write(drawing: &Drawing, source: &Figure) -> String {
    let Drawing { width, height, theme, items, title, caption, .. } = drawing;
    let (w, h) = (points(*width), points(*height));
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}pt\" height=\"{h}pt\" viewBox=\"0 0 {w} {h}\" \
         role=\"img\">\n<title>{}</title>\n<desc>{}</desc>\n<metadata id=\"{KEY}\">{}</metadata>\n\
         <rect width=\"{w}\" height=\"{h}\" fill=\"{}\"/>\n",
        escaped(title),
        escaped(caption),
        quoted(source),
        theme.paper,
    );
    for item in items {
        // Writing to a string cannot fail.
        let _ok = write_item(&mut svg, item);
    }
    svg.push_str("</svg>\n");
    svg
}

fn write_item(svg: &mut String, item: &Item) -> std::fmt::Result {
    match item {
        Item::Rect { x, y, width, height, fill } => {
            let [x, y, width, height] = [x, y, width, height].map(|value| points(*value));
            writeln!(
                svg,
                "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"{fill}\"/>"
            )
        }
        Item::Line { from, to, width, stroke } => {
            let [x1, y1, x2, y2, width] = [from.0, from.1, to.0, to.1, *width].map(points);
            writeln!(
                svg,
                "<line x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\" stroke=\"{stroke}\" stroke-width=\"{width}\"/>"
            )
        }
        Item::Text { x, y, size, anchor, upright, font, fill, text } => {
            let [x, y, size] = [x, y, size].map(|value| points(*value));
            let place = if *upright {
                format!("transform=\"matrix(0 -1 1 0 {x} {y})\"")
            } else {
                format!("x=\"{x}\" y=\"{y}\"")
            };
            let anchor = match anchor {
                Anchor::Start => "",
                Anchor::Middle => " text-anchor=\"middle\"",
                Anchor::End => " text-anchor=\"end\"",
            };
            writeln!(
                svg,
                "<text {place}{anchor} font-family=\"{}\" font-size=\"{size}\" fill=\"{fill}\" \
                 xml:space=\"preserve\">{}</text>",
                font.stack(),
                escaped(text),
            )
        }
    }
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            // XML has no way to write these.
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}
