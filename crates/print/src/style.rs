//! What a figure looks like on paper.

use std::fmt;
use std::str::FromStr;

use relp_model::Figure;
use serde::{Deserialize, Serialize};

/// What is printed.
#[derive(Clone, Copy, Debug)]
pub struct Print<'a> {
    /// The scores that are drawn.
    pub drawn: &'a Figure,
    /// The figure that is kept inside, to be opened again: the one that is drawn, or the one that it is a
    /// difference from.
    pub source: &'a Figure,
    /// What the scores are less of, such as "the exact answer (AP)", if they are a difference.
    pub less: Option<&'a str>,
}

impl<'a> Print<'a> {
    /// A figure as it is.
    pub fn of(figure: &'a Figure) -> Self {
        Self { drawn: figure, source: figure, less: None }
    }
}

/// The format of a printed figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Scalable Vector Graphics, with real text.
    Svg,
    /// Portable Document Format, with real text and its fonts.
    Pdf,
    /// Portable Network Graphics.
    Png,
    /// Comma-separated values of all scores.
    Csv,
    /// Source for TikZ.
    Tikz,
    /// `relp-figure/1`.
    Json,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Svg, Self::Pdf, Self::Png, Self::Csv, Self::Tikz, Self::Json];

    /// Its short name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Svg => "svg",
            Self::Pdf => "pdf",
            Self::Png => "png",
            Self::Csv => "csv",
            Self::Tikz => "tikz",
            Self::Json => "json",
        }
    }

    /// How a file's name ends.
    pub fn extension(self) -> &'static str {
        if self == Self::Tikz { "tex" } else { self.name() }
    }

    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Svg => "image/svg+xml",
            Self::Pdf => "application/pdf",
            Self::Png => "image/png",
            Self::Csv => "text/csv",
            Self::Tikz => "application/x-tex",
            Self::Json => "application/json",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = Self::ALL.map(Self::name).join(", ");
        let found = Self::ALL.into_iter().find(|format| format.name() == text);
        found.ok_or_else(|| format!("there is no format {text:?}: choose one of {names}"))
    }
}

/// Size, type and colours of a printed figure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Style {
    /// Width in millimetres.
    pub width_mm: f64,
    /// Size of all text, in points.
    pub font_pt: f64,
    /// Whether the caption stands below.
    pub caption: bool,
    /// Light on dark.
    pub dark: bool,
    /// Red and blue swapped.
    pub swapped: bool,
    /// Pixels an inch of a PNG.
    pub dpi: f64,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            width_mm: Self::DOUBLE,
            font_pt: 7.0,
            caption: true,
            dark: false,
            swapped: false,
            dpi: 300.0,
        }
    }
}

impl Style {
    /// One column of two, in millimetres.
    pub const SINGLE: f64 = 85.0;
    /// Both columns.
    pub const DOUBLE: f64 = 175.0;
    /// The smallest text that journals accept, in points.
    pub const SMALLEST: f64 = 6.0;

    /// Its width in points.
    pub fn width(&self) -> f64 {
        self.width_mm * 72.0 / 25.4
    }

    /// Whether its text is large enough to be read on paper.
    pub fn is_legible(&self) -> bool {
        self.font_pt >= Self::SMALLEST
    }

    /// Whether it can be.
    ///
    /// # Errors
    /// What to change, in a sentence.
    pub fn check(&self) -> Result<(), String> {
        // A NaN is in no range.
        if !(30.0..=1000.0).contains(&self.width_mm) {
            return Err("The width has to be from 30 to 1000 mm.".to_owned());
        }
        if !(4.0..=24.0).contains(&self.font_pt) {
            return Err("The size of the text has to be from 4 to 24 pt.".to_owned());
        }
        if !(36.0..=1200.0).contains(&self.dpi) {
            return Err("The density has to be from 36 to 1200 pixels an inch.".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_called_by_name() {
        for format in Format::ALL {
            assert_eq!(format.name().parse(), Ok(format));
        }
        let refused = "docx".parse::<Format>().unwrap_err();
        assert!(refused.contains("svg, pdf, png, csv, tikz, json"), "{refused}");
    }

    #[test]
    fn what_cannot_be_is_said() {
        let style = Style::default();
        assert!(style.check().is_ok() && style.is_legible());
        assert!((style.width() - 496.06).abs() < 0.01);
        let with = |change: fn(&mut Style)| {
            let mut style = Style::default();
            change(&mut style);
            style.check()
        };
        assert!(with(|style| style.width_mm = f64::NAN).is_err());
        assert!(with(|style| style.font_pt = 0.0).is_err());
        assert!(with(|style| style.dpi = 1e9).is_err());
        assert!(!Style { font_pt: 5.0, ..Style::default() }.is_legible());
    }
}
