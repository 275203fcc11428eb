//! A figure laid out: what stands where, in points from the upper left corner.

use relp_model::Site;

use crate::colour::{Rgb, Theme};
use crate::fonts::Font;

/// A drawing that every format draws.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawing {
    /// Width in points.
    pub width: f64,
    /// Height in points.
    pub height: f64,
    /// Its colours.
    pub theme: Theme,
    /// What is drawn, one over the other.
    pub items: Vec<Item>,
    /// Where the maps are.
    pub places: Vec<Place>,
    /// What it is, in a line.
    pub title: String,
    /// What it is, in full.
    pub caption: String,
}

/// Where a map's cells are: layer 0 stands at the bottom.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// Of which site.
    pub site: Site,
    /// Left edge of the first column.
    pub x: f64,
    /// Lower edge of layer 0.
    pub floor: f64,
    /// Width and height of a cell.
    pub cell: (f64, f64),
    /// Layers.
    pub layers: usize,
    /// Columns: heads, or positions.
    pub columns: usize,
    /// Whether columns are heads.
    pub of_heads: bool,
    /// The scores, \[layer, column\].
    pub values: Vec<f32>,
}

/// Something that is drawn.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// A filled rectangle.
    Rect {
        /// Left edge.
        x: f64,
        /// Upper edge.
        y: f64,
        /// Width.
        width: f64,
        /// Height.
        height: f64,
        /// Its colour.
        fill: Rgb,
    },
    /// A line.
    Line {
        /// Where it begins.
        from: (f64, f64),
        /// Where it ends.
        to: (f64, f64),
        /// How wide it is.
        width: f64,
        /// Its colour.
        stroke: Rgb,
    },
    /// A line of text.
    Text {
        /// Where it is anchored.
        x: f64,
        /// Its base line.
        y: f64,
        /// Size in points.
        size: f64,
        /// Which part of it is at `x`.
        anchor: Anchor,
        /// Whether it runs upward. At any other angle, programs that read a PDF's text take it apart.
        upright: bool,
        /// Its font.
        font: Font,
        /// Its colour.
        fill: Rgb,
        /// The text.
        text: String,
    },
}

/// Which part of a text is where it is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// Its beginning.
    Start,
    /// Its middle.
    Middle,
    /// Its end.
    End,
}

/// A number of points with two decimals at most.
pub(crate) fn points(value: f64) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::points;

    #[test]
    fn points_are_short() {
        assert_eq!(
            (points(1.0), points(2.5), points(-0.001)),
            ("1".into(), "2.5".into(), "0".into())
        );
        assert_eq!(points(10.126), "10.13");
    }
}
