//! A drawing as source for TikZ, which needs the packages `tikz` and, for tokens beyond ASCII, a LaTeX that
//! reads UTF-8.

use std::collections::BTreeMap;
use std::fmt::Write;

use relp_model::Figure;

use crate::colour::Rgb;
use crate::drawing::{Anchor, Drawing, Item, points};
use crate::embedded::{COMMENT, quoted};
use crate::fonts::Font;

/// The whole file: a `tikzpicture` to be `\input`, its colours by name, and the figure in comments.
pub(crate) fn write(drawing: &Drawing, source: &Figure) -> String {
    let mut colours = BTreeMap::new();
    let mut body = String::new();
    for item in &drawing.items {
        // Writing to a string cannot fail.
        let _ok = write_item(&mut body, item, drawing.height, &mut colours);
    }
    let mut tikz =
        String::from("% Needs \\usepackage{tikz}. A point here is a PostScript point, 1bp.\n");
    for line in ["relp-figure/1", &drawing.caption] {
        tikz.push_str(&format!("% {}\n", line.replace(['\r', '\n'], " ")));
    }
    // In pieces, since some editors and tools do not bear endless lines.
    for piece in quoted(source).as_bytes().chunks(2000) {
        tikz.push_str(&format!("{COMMENT}{}\n", String::from_utf8_lossy(piece)));
    }
    for (name, Rgb(r, g, b)) in colours.values().map(|(name, rgb): &(String, Rgb)| (name, *rgb)) {
        tikz.push_str(&format!("\\definecolor{{{name}}}{{RGB}}{{{r},{g},{b}}}\n"));
    }
    let size = drawing.items.iter().find_map(|item| match item {
        Item::Text { size, .. } => Some(*size),
        _ => None,
    });
    let size = size.unwrap_or(7.0);
    tikz.push_str(&format!(
        "\\begin{{tikzpicture}}[x=1bp,y=1bp,every node/.style={{inner sep=0,outer sep=0,font=\\fontsize{{{}bp}}{{{}bp}}\\selectfont}}]\n",
        points(size),
        points(1.2 * size),
    ));
    tikz.push_str(&body);
    tikz.push_str("\\end{tikzpicture}\n");
    tikz
}

fn write_item(
    tikz: &mut String,
    item: &Item,
    height: f64,
    colours: &mut BTreeMap<String, (String, Rgb)>,
) -> std::fmt::Result {
    let mut name = |rgb: Rgb| {
        let count = colours.len();
        let entry = colours.entry(rgb.to_string());
        entry.or_insert_with(|| (format!("relp{}", letters(count)), rgb)).0.clone()
    };
    // TikZ counts upward.
    let up = |y: f64| points(height - y);
    match item {
        Item::Rect { x, y, width, height, fill } => writeln!(
            tikz,
            "\\fill[{}] ({},{}) rectangle ({},{});",
            name(*fill),
            points(*x),
            up(*y),
            points(x + width),
            up(y + height),
        ),
        Item::Line { from, to, width, stroke } => writeln!(
            tikz,
            "\\draw[{},line width={}bp] ({},{}) -- ({},{});",
            name(*stroke),
            points(*width),
            points(from.0),
            up(from.1),
            points(to.0),
            up(to.1),
        ),
        Item::Text { x, y, anchor, upright, font, fill, text, .. } => {
            let anchor = match anchor {
                Anchor::Start => "base west",
                Anchor::Middle => "base",
                Anchor::End => "base east",
            };
            let turned = if *upright { ",rotate=90" } else { "" };
            let font = match font {
                Font::Sans => "\\sffamily",
                Font::Mono => "\\ttfamily",
            };
            writeln!(
                tikz,
                "\\node[{},anchor={anchor}{turned}] at ({},{}) {{{font} {}}};",
                name(*fill),
                points(*x),
                up(*y),
                escaped(text),
            )
        }
    }
}

/// A number in letters, since LaTeX's names have no digits.
fn letters(mut number: usize) -> String {
    let mut text = String::new();
    loop {
        text.push(char::from(b'a' + (number % 26) as u8));
        number /= 26;
        if number == 0 {
            return text;
        }
    }
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => escaped.push_str("\\textbackslash{}"),
            '{' | '}' | '$' | '&' | '#' | '%' | '_' => escaped.extend(['\\', c]),
            '~' => escaped.push_str("\\textasciitilde{}"),
            '^' => escaped.push_str("\\textasciicircum{}"),
            '<' => escaped.push_str("\\textless{}"),
            '>' => escaped.push_str("\\textgreater{}"),
            '|' => escaped.push_str("\\textbar{}"),
            '−' => escaped.push_str("$-$"),
            '·' => escaped.push_str("\\textperiodcentered{}"),
            '…' => escaped.push_str("\\ldots{}"),
            '±' => escaped.push_str("$\\pm$"),
            '×' => escaped.push_str("$\\times$"),
            '⏎' => escaped.push_str("$\\hookleftarrow$"),
            '⇥' => escaped.push_str("$\\mapsto$"),
            '\u{fffd}' => escaped.push('?'),
            c if c.is_control() => escaped.push('?'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_no_digits_and_are_different() {
        let names: std::collections::BTreeSet<String> = (0..2000).map(letters).collect();
        assert_eq!(names.len(), 2000);
        assert!(names.iter().all(|name| name.chars().all(|c| c.is_ascii_lowercase())));
    }

    #[test]
    fn what_latex_reads_is_text() {
        assert_eq!(escaped("a_b $5 100%"), "a\\_b \\$5 100\\%");
        assert_eq!(escaped("\\x{}"), "\\textbackslash{}x\\{\\}");
        assert_eq!(escaped("−1·2"), "$-$1\\textperiodcentered{}2");
    }
}
