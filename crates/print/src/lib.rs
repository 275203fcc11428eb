//! Figures on paper: as SVG, PDF, PNG, CSV and TikZ, with the figure itself inside.
//!
//! A figure is laid out once ([`Drawing`], in points), and every format draws that. The page and the
//! command line call the same code, and get the same bytes.

mod embedded;
mod style;

#[cfg(feature = "draw")]
mod colour;
#[cfg(feature = "render")]
mod csv;
#[cfg(feature = "draw")]
mod drawing;
#[cfg(feature = "draw")]
mod fonts;
#[cfg(feature = "draw")]
mod layout;
#[cfg(feature = "render")]
mod pdf;
#[cfg(feature = "render")]
mod raster;
#[cfg(feature = "draw")]
mod svg;
#[cfg(feature = "render")]
mod tikz;
#[cfg(feature = "draw")]
pub mod words;

#[cfg(all(test, feature = "render"))]
mod tests;

pub use embedded::{NotThere, embedded, quoted};
pub use style::{Format, Print, Style};

#[cfg(feature = "draw")]
pub use colour::{Rgb, Theme};
#[cfg(feature = "draw")]
pub use drawing::{Drawing, Item, Place};
#[cfg(feature = "draw")]
pub use layout::layout;

/// Why a figure cannot be printed.
#[cfg(feature = "render")]
#[derive(Debug, thiserror::Error)]
pub enum PrintError {
    /// The style asks for what cannot be.
    #[error("{0}")]
    Style(String),
    /// A renderer of PDF or PNG gave up.
    #[error("the {format} cannot be made ({why}): choose another width, or SVG")]
    Renderer {
        /// Of what.
        format: &'static str,
        /// Why, in the renderer's words.
        why: String,
    },
}

/// A drawing as SVG, with the figure inside that is to be opened again.
#[cfg(feature = "draw")]
pub fn svg(drawing: &Drawing, source: &relp_model::Figure) -> String {
    svg::write(drawing, source)
}

/// A figure in a format.
///
/// # Errors
/// If the style cannot be, or a renderer gives up.
#[cfg(feature = "render")]
pub fn print(print: &Print<'_>, style: &Style, format: Format) -> Result<Vec<u8>, PrintError> {
    style.check().map_err(PrintError::Style)?;
    let drawing = || layout(print, style);
    Ok(match format {
        Format::Svg => svg(&drawing(), print.source).into_bytes(),
        Format::Pdf => pdf::write(&drawing(), print.source)?,
        Format::Png => raster::write(&drawing(), print.source, style.dpi)?,
        Format::Csv => csv::write(print).into_bytes(),
        Format::Tikz => tikz::write(&drawing(), print.source).into_bytes(),
        Format::Json => embedded::json(print.source).into_bytes(),
    })
}
