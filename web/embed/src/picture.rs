//! A figure as a picture whose cells can be looked at.

use relp_model::Figure;
use relp_print::{Drawing, Place, Print, Style, layout, svg, words};
use serde::Serialize;
use wasm_bindgen::prelude::*;

/// Pixels of a style sheet in a millimetre.
const PIXELS_A_MM: f64 = 96.0 / 25.4;
/// The size of its text, in points: 11 pixels.
const FONT: f64 = 8.25;
/// What is longer is no figure that this program writes.
const MOST_BYTES: usize = 64 << 20;

/// A figure that is drawn as wide as it is told.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Picture {
    figure: Figure,
    drawing: Drawing,
}

/// What there is to say of a cell.
#[derive(Debug, PartialEq, Serialize)]
struct Cell {
    map: usize,
    layer: usize,
    column: usize,
    site: &'static str,
    /// Left, top, width and height in the picture's own unit, points.
    frame: [f64; 4],
    score: f32,
    /// In a sentence.
    says: String,
}

#[wasm_bindgen]
impl Picture {
    /// Reads a figure's JSON (`relp-figure/1`).
    ///
    /// # Errors
    /// If it is none that can be used, in a sentence.
    #[wasm_bindgen(constructor)]
    pub fn new(json: &str) -> Result<Self, String> {
        if json.len() > MOST_BYTES {
            return Err("This is no figure: it is far too long.".to_owned());
        }
        let read = Figure::read(json).map_err(|why| format!("This is no figure: {why}."));
        let figure = read?;
        let drawing = layout(&Print::of(&figure), &Style::default());
        Ok(Self { figure, drawing })
    }

    /// The picture as SVG, for so many pixels.
    pub fn draw(&mut self, pixels: f64, dark: bool, swapped: bool, caption: bool) -> String {
        let width_mm = (pixels / PIXELS_A_MM).clamp(50.0, 400.0);
        let style = Style { width_mm, font_pt: FONT, caption, dark, swapped, ..Style::default() };
        self.drawing = layout(&Print::of(&self.figure), &style);
        svg(&self.drawing, &self.figure)
    }

    /// Width and height of the picture, in points.
    pub fn size(&self) -> Vec<f64> {
        vec![self.drawing.width, self.drawing.height]
    }

    /// The cell at a place of the picture, in points, as JSON; empty if there is none.
    pub fn at(&self, x: f64, y: f64) -> String {
        let inside = |(map, place): (usize, &Place)| {
            let column = ((x - place.x) / place.cell.0).floor();
            let layer = ((place.floor - y) / place.cell.1).floor();
            let is_inside = column >= 0.0
                && layer >= 0.0
                && (column as usize) < place.columns
                && (layer as usize) < place.layers;
            is_inside.then_some((map, layer as usize, column as usize))
        };
        let found = self.drawing.places.iter().enumerate().find_map(inside);
        found.map_or_else(String::new, |(map, layer, column)| self.cell(map, layer, column))
    }

    /// A cell as JSON; of places outside a map the nearest one. Empty if there is no map.
    pub fn cell(&self, map: usize, layer: usize, column: usize) -> String {
        let last = self.drawing.places.len().saturating_sub(1);
        let map = map.min(last);
        let Some(place) = self.drawing.places.get(map) else { return String::new() };
        let layer = layer.min(place.layers.saturating_sub(1));
        let column = column.min(place.columns.saturating_sub(1));
        let (wide, high) = place.cell;
        let left = place.x + wide * column as f64;
        let top = place.floor - high * (layer + 1) as f64;
        let score = place.values.get(layer * place.columns + column).copied().unwrap_or_default();
        let cell = Cell {
            map,
            layer,
            column,
            site: place.site.name(),
            frame: [left, top, wide, high],
            score,
            says: self.says(place, layer, column, score),
        };
        serde_json::to_string(&cell).unwrap_or_default()
    }

    /// What the picture is, in a line.
    pub fn title(&self) -> String {
        self.drawing.title.clone()
    }

    /// All that is needed to make the figure again.
    pub fn caption(&self) -> String {
        self.drawing.caption.clone()
    }

    /// What the figure's model is called.
    pub fn model(&self) -> String {
        self.figure.model.name.clone()
    }

    fn says(&self, place: &Place, layer: usize, column: usize, score: f32) -> String {
        let site = place.site.name();
        let score = words::score(f64::from(score));
        if place.of_heads {
            return format!("{site}, layer {layer}, head {column}: {score}");
        }
        let tokens = &self.figure.tokens;
        let text = |tokens: &[relp_model::Token]| {
            tokens.get(column).map(|token| words::token(&token.text)).unwrap_or_default()
        };
        let (clean, corrupted) = (text(&tokens.clean), text(&tokens.corrupted));
        let tokens =
            if clean == corrupted { clean } else { format!("{clean} (corrupted: {corrupted})") };
        format!("{site}, layer {layer}, position {column}, {tokens}: {score}")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    const FIRST: &str = include_str!("../../../models/primer/first.json");

    fn picture() -> Picture {
        Picture::new(FIRST).expect("a figure")
    }

    fn read(cell: &str) -> Value {
        serde_json::from_str(cell).expect("a cell")
    }

    #[test]
    fn a_cell_is_found_where_it_is_drawn_at_every_width() {
        let mut picture = picture();
        for pixels in [200.0, 390.0, 1280.0] {
            let drawn = picture.draw(pixels, false, false, true);
            assert!(drawn.starts_with("<svg") && drawn.contains("resid_pre"), "{pixels}");
            let maps = picture.drawing.places.len();
            assert!(maps >= 4, "three sites and the heads");
            for map in 0..maps {
                let (layers, columns) =
                    (picture.drawing.places[map].layers, picture.drawing.places[map].columns);
                for (layer, column) in [(0, 0), (layers - 1, columns - 1), (1, 2)] {
                    let cell = picture.cell(map, layer, column);
                    let frame = &read(&cell)["frame"];
                    let [x, y, wide, high] = [0, 1, 2, 3].map(|at| frame[at].as_f64().unwrap());
                    assert_eq!(picture.at(x + wide / 2.0, y + high / 2.0), cell);
                }
            }
            assert_eq!(picture.at(-1.0, -1.0), "");
            assert_eq!(picture.at(f64::NAN, 0.0), "");
        }
    }

    #[test]
    fn a_cell_says_its_site_place_tokens_and_score() {
        let picture = picture();
        let cell = read(&picture.cell(0, 1, 10));
        let says = cell["says"].as_str().unwrap();
        let place = &picture.drawing.places[0];
        let score = place.values[place.columns + 10];
        assert!(says.starts_with("resid_pre, layer 1, position 10, "), "{says}");
        assert!(says.ends_with(&words::score(f64::from(score))), "{says}");
        assert!(says.contains("John (corrupted: ·Mary)"), "{says}");
        // What is outside is the nearest there is.
        assert_eq!(read(&picture.cell(99, 99, 99))["map"], picture.drawing.places.len() - 1);
    }

    #[test]
    fn what_is_no_figure_is_said_in_a_sentence() {
        for bad in ["", "{}", "null", "<svg/>", "{\"schema\":\"relp-figure/2\"}"] {
            let why = Picture::new(bad).expect_err(bad);
            assert!(why.starts_with("This is no figure: ") && why.ends_with('.'), "{why}");
        }
    }
}
