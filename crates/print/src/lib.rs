//! Figures on paper: as SVG, PDF, PNG, CSV and TikZ, with the figure itself inside.
//!
//! A figure is laid out once ([`Drawing`], in points), and every format draws that. The page and the
//! command line call the same code, and get the same bytes.

mod embedded;
mod style;

#[cfg(feature = "render")]
mod colour;
#[cfg(feature = "render")]
mod csv;
#[cfg(feature = "render")]
mod drawing;
#[cfg(feature = "render")]
mod fonts;
#[cfg(feature = "render")]
mod layout;
#[cfg(feature = "render")]
mod pdf;
#[cfg(feature = "render")]
mod raster;
#[cfg(feature = "render")]
mod svg;
#[cfg(feature = "render")]
mod tikz;
#[cfg(feature = "render")]
pub mod words;

#[cfg(all(test, feature = "render"))]
mod tests;

pub use embedded::{NotThere, embedded};
pub use style::{Format, Print, Style};

#[cfg(feature = "render")]
pub use colour::{Rgb, Theme};
#[cfg(feature = "render")]
pub use drawing::{Drawing, Item};
#[cfg(feature = "render")]
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

/// A figure in a format.
///
/// # Errors
/// If the style cannot be, or a renderer gives up.
#[cfg(feature = "render")]
pub fn print(print: &Print<'_>, style: &Style, format: Format) -> Result<Vec<u8>, PrintError> {
    style.check().map_err(PrintError::Style)?;
    let drawing = || layout(print, style);
    Ok(match format {
        Format::Svg => svg::write(&drawing(), print.source).into_bytes(),
        Format::Pdf => pdf::write(&drawing(), print.source)?,
        Format::Png => raster::write(&drawing(), print.source, style.dpi)?,
        Format::Csv => csv::write(print).into_bytes(),
        Format::Tikz => tikz::write(&drawing(), print.source).into_bytes(),
        Format::Json => embedded::json(print.source).into_bytes(),
    })
}
