//! Where everything stands: maps in columns, then the scale, then the caption.

use relp_model::{Figure, Grain, Site};

use crate::colour::{Rgb, Theme};
use crate::drawing::{Anchor, Drawing, Item, Place};
use crate::fonts::Font;
use crate::{Print, Style, words};

/// From this width on, in points, maps stand in two columns.
const TWO_COLUMNS: f64 = 300.0;
/// A map's cells are no higher than this, in points.
const HIGHEST: f64 = 150.0;
/// Parts of the scale's bar.
const STEPS: usize = 80;

/// The figure laid out.
pub fn layout(print: &Print<'_>, style: &Style) -> Drawing {
    let theme = if style.dark { Theme::DARK } else { Theme::LIGHT };
    let (positive, negative) = (theme.positive, theme.negative);
    let theme = if style.swapped {
        Theme { positive: negative, negative: positive, ..theme }
    } else {
        theme
    };
    let panels = panels(print.drawn);
    let limit = panels.iter().flat_map(|panel| &panel.values).fold(0.0_f32, |a, b| a.max(b.abs()));
    let sheet = Sheet {
        width: style.width(),
        size: style.font_pt,
        theme,
        limit: if limit > 0.0 { f64::from(limit) } else { 1.0 },
        items: Vec::new(),
        places: Vec::new(),
    };
    sheet.draw(print, &panels, style.caption)
}

/// A map as it is drawn: layers by columns.
struct Panel {
    site: Site,
    layers: usize,
    columns: usize,
    values: Vec<f32>,
    /// Whether columns are heads; else they are positions.
    of_heads: bool,
}

/// Every map of positions, and the first one of heads, each head summed over the positions.
fn panels(figure: &Figure) -> Vec<Panel> {
    let mut panels = Vec::new();
    for (&site, map) in figure.maps.iter().filter(|(site, _)| site.grain() == Grain::Position) {
        let (layers, columns) = (map.layers(), map.positions());
        panels.push(Panel { site, layers, columns, values: map.values.clone(), of_heads: false });
    }
    // `z` where there are several.
    let heads = figure.maps.iter().filter(|(site, _)| site.grain() == Grain::Head);
    if let Some((&site, map)) = heads.max_by_key(|(site, _)| **site == Site::Z) {
        let values = map.by_head().values;
        let (layers, columns) = (map.layers(), map.heads());
        panels.push(Panel { site, layers, columns, values, of_heads: true });
    }
    // The residual stream first, as on the page.
    panels.sort_by_key(|panel| (panel.of_heads, panel.site != Site::ResidPre));
    panels
}

/// The drawing as it grows downward.
struct Sheet {
    width: f64,
    size: f64,
    theme: Theme,
    limit: f64,
    items: Vec<Item>,
    places: Vec<Place>,
}

impl Sheet {
    fn draw(mut self, print: &Print<'_>, panels: &[Panel], with_caption: bool) -> Drawing {
        let size = self.size;
        let columns = if self.width >= TWO_COLUMNS && panels.len() > 1 { 2 } else { 1 };
        let gap = 2.0 * size;
        let each = (self.width - gap * (columns - 1) as f64) / columns as f64;
        let mut y = 0.0;
        for row in panels.chunks(columns) {
            let mut lowest = y;
            for (at, panel) in row.iter().enumerate() {
                let x = (each + gap) * at as f64;
                lowest = f64::max(lowest, self.panel(print.drawn, panel, (x, y), each));
            }
            y = lowest + 1.2 * size;
        }
        y = self.scale(print, y);
        let caption = words::caption(print);
        if with_caption {
            for line in wrapped(&caption, self.width, size) {
                y += 1.35 * size;
                self.text((0.0, y), Anchor::Start, Font::Sans, self.theme.soft, line);
            }
        }
        let prompt: String =
            print.drawn.tokens.clean.iter().map(|token| token.text.as_str()).collect();
        let title =
            format!("{}: {}", print.drawn.method.title(), prompt.replace("<|endoftext|>", ""));
        let Self { width, theme, items, places, .. } = self;
        Drawing { width, height: y + 0.5 * size, theme, items, places, title, caption }
    }

    /// Draws a map with its axes, and says where it ends.
    fn panel(&mut self, figure: &Figure, panel: &Panel, (x, y): (f64, f64), width: f64) -> f64 {
        let (size, theme) = (self.size, self.theme);
        let top = y + 1.6 * size;
        let name = panel.site.name();
        self.text((x, y + size), Anchor::Start, Font::Mono, theme.ink, name.to_owned());
        let after = Font::Mono.width(name, size) + 0.8 * size;
        let about = words::site(panel.site).to_owned();
        if after + Font::Sans.width(&about, size) <= width {
            self.text((x + after, y + size), Anchor::Start, Font::Sans, theme.soft, about);
        }
        let last = panel.layers.saturating_sub(1).to_string();
        let left = x + Font::Mono.width(&last, size) + 0.6 * size;
        let cell = (x + width - left) / panel.columns.max(1) as f64;
        let high = f64::min(f64::min(1.5 * cell, 1.6 * size), HIGHEST / panel.layers.max(1) as f64);
        let floor = top + high * panel.layers as f64;
        self.places.push(Place {
            site: panel.site,
            x: left,
            floor,
            cell: (cell, high),
            layers: panel.layers,
            columns: panel.columns,
            of_heads: panel.of_heads,
            values: panel.values.clone(),
        });
        let row = |layer: usize| floor - high * (layer + 1) as f64;
        for layer in 0..panel.layers {
            for column in 0..panel.columns {
                let value = panel.values.get(layer * panel.columns + column).copied();
                let position = f64::from(value.unwrap_or_default()) / self.limit;
                let (x, y) = (left + cell * column as f64, row(layer));
                // A hair of paper between the cells.
                let (inner_x, inner_y) = (cell - 0.3, high - 0.3);
                let fill = theme.at(position);
                self.items.push(Item::Rect { x, y, width: inner_x, height: inner_y, fill });
                if position < -0.06 {
                    let (middle, centre) = (y + inner_y / 2.0, x + inner_x / 2.0);
                    let half = f64::min(cell, high) / 5.0;
                    let stroke = if position < -0.55 { theme.on_strong } else { theme.ink };
                    let (from, to) = ((centre - half, middle), (centre + half, middle));
                    self.items.push(Item::Line { from, to, width: 0.6, stroke });
                }
            }
        }
        for layer in (0..panel.layers).step_by(step(high, 1.1 * size)) {
            let at = (left - 0.3 * size, row(layer) + high / 2.0 + 0.36 * size);
            self.text(at, Anchor::End, Font::Mono, theme.soft, layer.to_string());
        }
        if panel.of_heads {
            let widest = Font::Mono.width(&panel.columns.to_string(), size);
            for head in (0..panel.columns).step_by(step(cell, widest + 0.5 * size)) {
                let at = (left + cell * (head as f64 + 0.5), floor + 1.1 * size);
                self.text(at, Anchor::Middle, Font::Mono, theme.soft, head.to_string());
            }
            return floor + 1.3 * size;
        }
        let mut lowest = floor + size;
        for position in (0..panel.columns).step_by(step(cell, 1.15 * size)) {
            let Some(token) = figure.tokens.clean.get(position) else { continue };
            let differs = figure.tokens.corrupted.get(position) != Some(token);
            let fill = if differs { theme.accent } else { theme.soft };
            let text = words::token(&token.text);
            let (x, y) = (left + cell * (position as f64 + 0.5) + 0.33 * size, floor + 0.4 * size);
            lowest = f64::max(lowest, y + Font::Mono.width(&text, size));
            let font = Font::Mono;
            let anchor = Anchor::End;
            self.items.push(Item::Text { x, y, size, anchor, upright: true, font, fill, text });
        }
        lowest
    }

    /// Draws the scale, and says where it ends.
    fn scale(&mut self, print: &Print<'_>, y: f64) -> f64 {
        let (size, theme) = (self.size, self.theme);
        let unsigned = print.less.is_none() && print.drawn.method.is_unsigned();
        let width = f64::min(self.width, 34.0 * size);
        let first = if unsigned { 0.0 } else { -1.0 };
        let at = |share: f64| first + (1.0 - first) * share;
        for step in 0..STEPS {
            let share = (step as f64 + 0.5) / STEPS as f64;
            let x = width * step as f64 / STEPS as f64;
            // They overlap, so that no line stays between them; the last one does not stick out.
            let wide = if step + 1 == STEPS { 1.0 } else { 1.2 } * width / STEPS as f64;
            let fill = theme.at(at(share));
            self.items.push(Item::Rect { x, y, width: wide, height: size, fill });
        }
        let ticks = if unsigned { 2 } else { 4 };
        for tick in 0..=ticks {
            let share = f64::from(tick) / f64::from(ticks);
            let anchor = match tick {
                0 => Anchor::Start,
                last if last == ticks => Anchor::End,
                _ => Anchor::Middle,
            };
            let text = words::score(at(share) * self.limit);
            self.text((width * share, y + 2.1 * size), anchor, Font::Sans, theme.ink, text);
        }
        let mut y = y + 2.1 * size;
        for line in wrapped(&words::legend(print), self.width, size) {
            y += 1.35 * size;
            self.text((0.0, y), Anchor::Start, Font::Sans, theme.ink, line);
        }
        y + 0.3 * size
    }

    fn text(&mut self, (x, y): (f64, f64), anchor: Anchor, font: Font, fill: Rgb, text: String) {
        let size = self.size;
        self.items.push(Item::Text { x, y, size, anchor, upright: false, font, fill, text });
    }
}

/// Every how many places there is a label, so that none overlaps.
fn step(place: f64, label: f64) -> usize {
    ((label / place.max(1e-6)).ceil() as usize).max(1)
}

/// A text in lines of sans at most so wide.
fn wrapped(text: &str, width: f64, size: f64) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
        if Font::Sans.width(&longer, size) > width && !line.is_empty() {
            lines.push(std::mem::replace(&mut line, word.to_owned()));
        } else {
            line = longer;
        }
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_thin_out_before_they_overlap() {
        assert_eq!((step(10.0, 8.0), step(4.0, 8.0), step(3.0, 8.0)), (1, 2, 3));
        assert!(step(0.0, 8.0) > 1);
    }

    #[test]
    fn lines_are_as_wide_as_the_page_and_lose_no_word() {
        let text = "all that is needed to make the figure again, in two sentences";
        let lines = wrapped(text, 100.0, 7.0);
        assert!(lines.len() > 1);
        assert!(lines.iter().all(|line| Font::Sans.width(line, 7.0) <= 100.0), "{lines:?}");
        assert_eq!(lines.join(" "), text);
        assert_eq!(wrapped("antidisestablishmentarianism", 10.0, 7.0).len(), 1);
    }
}
