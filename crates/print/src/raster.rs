//! A drawing as PNG, with the figure in a text chunk and its density in another.

use png::text_metadata::ITXtChunk;
use relp_model::Figure;
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg;

use crate::drawing::Drawing;
use crate::embedded::{KEY, quoted};
use crate::{PrintError, fonts, svg};

/// More pixels than this would not fit into the memory of a page.
const MOST_PIXELS: f64 = 100e6;

fn failed(why: impl std::fmt::Display) -> PrintError {
    PrintError::Renderer { format: "PNG", why: format!("{why}") }
}

/// The whole file.
pub(crate) fn write(drawing: &Drawing, source: &Figure, dpi: f64) -> Result<Vec<u8>, PrintError> {
    let scale = dpi / 72.0;
    let (width, height) = ((drawing.width * scale).ceil(), (drawing.height * scale).ceil());
    if width * height > MOST_PIXELS {
        return Err(failed("it would have more than 100 million pixels"));
    }
    let tree = tree(&svg::write(drawing, source)).map_err(failed)?;
    let pixels = Pixmap::new(width as u32, height as u32);
    let mut pixels = pixels.ok_or_else(|| failed("it would have no pixels"))?;
    // The paper reaches to the last pixel, of which the drawing may fill a part.
    let paper = drawing.theme.paper;
    pixels.fill(resvg::tiny_skia::Color::from_rgba8(paper.0, paper.1, paper.2, 0xff));
    // The tree is in CSS pixels, of which 96 are an inch.
    let scale = (dpi / 96.0) as f32;
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixels.as_mut());
    encode(&pixels, drawing, source, dpi).map_err(failed)
}

/// What the renderer makes of an SVG.
pub(crate) fn tree(svg: &str) -> Result<usvg::Tree, usvg::Error> {
    let options = usvg::Options {
        fontdb: fonts::database(),
        font_family: "DejaVu Sans".to_owned(),
        ..usvg::Options::default()
    };
    usvg::Tree::from_str(svg, &options)
}

fn encode(
    pixels: &Pixmap,
    drawing: &Drawing,
    source: &Figure,
    dpi: f64,
) -> Result<Vec<u8>, png::EncodingError> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, pixels.width(), pixels.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let a_metre = (dpi / 0.0254).round() as u32;
    encoder.set_pixel_dims(Some(png::PixelDimensions {
        xppu: a_metre,
        yppu: a_metre,
        unit: png::Unit::Meter,
    }));
    let mut writer = encoder.write_header()?;
    for (keyword, text) in [("Description", drawing.caption.clone()), (KEY, quoted(source))] {
        writer.write_text_chunk(&ITXtChunk::new(keyword, text))?;
    }
    // The paper is opaque, so that nothing shines through.
    let rgb: Vec<u8> =
        pixels.pixels().iter().flat_map(|p| [p.red(), p.green(), p.blue()]).collect();
    writer.write_image_data(&rgb)?;
    writer.finish()?;
    Ok(file)
}
