//! A drawing as PDF: vectors, text with the part of its fonts that it uses, what it is in the document's
//! information, and the figure as an attached file.
//!
//! It is written from the drawing and not converted from the SVG, since the same figure has to give the same
//! bytes everywhere.

use std::collections::BTreeMap;

use pdf_writer::types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap};
use pdf_writer::{Content, Filter, Finish, Name, Pdf, Rect, Ref, Str, TextStr};
use relp_model::Figure;
use subsetter::GlyphRemapper;
use ttf_parser::Face;

use crate::PrintError;
use crate::colour::Rgb;
use crate::drawing::{Anchor, Drawing, Item};
use crate::embedded::quoted;
use crate::fonts::Font;

fn failed(why: impl std::fmt::Display) -> PrintError {
    PrintError::Renderer { format: "PDF", why: format!("{why}") }
}

/// Numbers objects.
struct Ids(i32);

impl Ids {
    fn next(&mut self) -> Ref {
        self.0 += 1;
        Ref::new(self.0)
    }
}

/// The whole file.
pub(crate) fn write(drawing: &Drawing, source: &Figure) -> Result<Vec<u8>, PrintError> {
    let mut ids = Ids(0);
    let [catalog, pages, page, content, information, attachment, file] =
        [(); 7].map(|()| ids.next());
    let mut pdf = Pdf::new();
    let mut root = pdf.catalog(catalog);
    root.pages(pages);
    root.names().embedded_files().names().insert(Str(b"figure.json"), file);
    root.insert(Name(b"AF")).array().item(file);
    root.lang(TextStr("en"));
    root.finish();
    pdf.pages(pages).kids([page]).count(1);

    let mut used = Vec::new();
    for font in [Font::Sans, Font::Mono] {
        if let Some(subset) = Subset::of(font, drawing)? {
            let id = subset.write(&mut pdf, &mut ids)?;
            used.push((subset, id));
        }
    }
    let mut only = pdf.page(page);
    let (width, height) = (drawing.width as f32, drawing.height as f32);
    only.media_box(Rect::new(0.0, 0.0, width, height)).parent(pages).contents(content);
    let mut resources = only.resources();
    let mut fonts = resources.fonts();
    for (subset, id) in &used {
        fonts.pair(name(subset.font), *id);
    }
    fonts.finish();
    resources.finish();
    only.finish();
    let drawn = packed(&drawn(drawing, &used));
    pdf.stream(content, &drawn).filter(Filter::FlateDecode);

    let mut about = pdf.document_info(information);
    about.title(TextStr(&drawing.title)).subject(TextStr(&drawing.caption));
    about.creator(TextStr("RelP Playground")).keywords(TextStr("relp-figure/1"));
    about.finish();
    let json = quoted(source);
    pdf.embedded_file(attachment, json.as_bytes()).subtype(Name(b"application/json"));
    let mut specification = pdf.file_spec(file);
    specification.path(Str(b"figure.json")).unic_file(TextStr("figure.json"));
    specification.description(TextStr("relp-figure/1"));
    specification.insert(Name(b"AFRelationship")).primitive(Name(b"Source"));
    specification.insert(Name(b"EF")).dict().pair(Name(b"F"), attachment);
    specification.finish();
    Ok(pdf.finish())
}

fn packed(data: &[u8]) -> Vec<u8> {
    miniz_oxide::deflate::compress_to_vec_zlib(data, 9)
}

fn name(font: Font) -> Name<'static> {
    match font {
        Font::Sans => Name(b"Sans"),
        Font::Mono => Name(b"Mono"),
    }
}

/// The page's operators. PDF counts upward from the lower left corner.
fn drawn(drawing: &Drawing, fonts: &[(Subset, Ref)]) -> Vec<u8> {
    let up = |y: f64| (drawing.height - y) as f32;
    let part = |part: u8| f32::from(part) / 255.0;
    let mut page = Content::new();
    let fill = |page: &mut Content, Rgb(r, g, b): Rgb| {
        page.set_fill_rgb(part(r), part(g), part(b));
    };
    fill(&mut page, drawing.theme.paper);
    page.rect(0.0, 0.0, drawing.width as f32, drawing.height as f32).fill_nonzero();
    for item in &drawing.items {
        match item {
            Item::Rect { x, y, width, height, fill: colour } => {
                fill(&mut page, *colour);
                page.rect(*x as f32, up(y + height), *width as f32, *height as f32).fill_nonzero();
            }
            Item::Line { from, to, width, stroke: Rgb(r, g, b) } => {
                page.set_stroke_rgb(part(*r), part(*g), part(*b)).set_line_width(*width as f32);
                page.move_to(from.0 as f32, up(from.1)).line_to(to.0 as f32, up(to.1)).stroke();
            }
            Item::Text { x, y, size, anchor, upright, font, fill: colour, text } => {
                let Some((subset, _)) = fonts.iter().find(|(subset, _)| subset.font == *font)
                else {
                    continue;
                };
                let before = match anchor {
                    Anchor::Start => 0.0,
                    Anchor::Middle => font.width(text, *size) / 2.0,
                    Anchor::End => font.width(text, *size),
                };
                let place = if *upright {
                    [0.0, 1.0, -1.0, 0.0, *x as f32, up(y + before)]
                } else {
                    [1.0, 0.0, 0.0, 1.0, (x - before) as f32, up(*y)]
                };
                fill(&mut page, *colour);
                page.begin_text().set_font(name(*font), *size as f32).set_text_matrix(place);
                page.show(Str(&subset.encoded(text))).end_text();
            }
        }
    }
    page.finish()
}

/// The glyphs of a font that a drawing uses.
struct Subset {
    font: Font,
    face: Face<'static>,
    glyphs: GlyphRemapper,
    /// Each glyph's number in the subset, its width in thousandths of an em, and what it stands for.
    characters: BTreeMap<u16, (f32, char)>,
}

impl Subset {
    fn of(font: Font, drawing: &Drawing) -> Result<Option<Self>, PrintError> {
        let face = Face::parse(font.data(), 0).map_err(failed)?;
        let mut glyphs = GlyphRemapper::new();
        let mut characters = BTreeMap::new();
        for item in &drawing.items {
            let Item::Text { font: of, text, .. } = item else { continue };
            for c in text.chars().filter(|_| *of == font) {
                let glyph = face.glyph_index(c).unwrap_or_default();
                let width = face.glyph_hor_advance(glyph).unwrap_or_default();
                let width = 1000.0 * f32::from(width) / f32::from(face.units_per_em());
                characters.entry(glyphs.remap(glyph.0)).or_insert((width, c));
            }
        }
        Ok((!characters.is_empty()).then_some(Self { font, face, glyphs, characters }))
    }

    /// A text in the subset's glyphs, two bytes each.
    fn encoded(&self, text: &str) -> Vec<u8> {
        let glyph = |c: char| self.face.glyph_index(c).unwrap_or_default().0;
        text.chars()
            .flat_map(|c| self.glyphs.get(glyph(c)).unwrap_or_default().to_be_bytes())
            .collect()
    }

    fn write(&self, pdf: &mut Pdf, ids: &mut Ids) -> Result<Ref, PrintError> {
        let [whole, inner, descriptor, map, data] = [(); 5].map(|()| ids.next());
        // Six letters tell a part of a font from the whole one.
        let called: &[u8] = match self.font {
            Font::Sans => b"RELPAA+DejaVuSans",
            Font::Mono => b"RELPAA+DejaVuSansMono",
        };
        let system =
            SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };
        pdf.type0_font(whole)
            .base_font(Name(called))
            .encoding_predefined(Name(b"Identity-H"))
            .descendant_font(inner)
            .to_unicode(map);
        let mut font = pdf.cid_font(inner);
        font.subtype(CidFontType::Type2).base_font(Name(called)).system_info(system);
        font.font_descriptor(descriptor)
            .default_width(0.0)
            .cid_to_gid_map_predefined(Name(b"Identity"));
        let mut widths = font.widths();
        for (glyph, (width, _)) in &self.characters {
            widths.consecutive(*glyph, [*width]);
        }
        widths.finish();
        font.finish();
        let em = |value: i16| 1000.0 * f32::from(value) / f32::from(self.face.units_per_em());
        let bounds = self.face.global_bounding_box();
        let flags = match self.font {
            Font::Sans => FontFlags::SYMBOLIC,
            Font::Mono => FontFlags::SYMBOLIC | FontFlags::FIXED_PITCH,
        };
        pdf.font_descriptor(descriptor)
            .name(Name(called))
            .flags(flags)
            .bbox(Rect::new(em(bounds.x_min), em(bounds.y_min), em(bounds.x_max), em(bounds.y_max)))
            .italic_angle(0.0)
            .ascent(em(self.face.ascender()))
            .descent(em(self.face.descender()))
            .cap_height(em(self.face.capital_height().unwrap_or_else(|| self.face.ascender())))
            .stem_v(80.0)
            .font_file2(data);
        let mut unicode = UnicodeCmap::new(Name(b"relp"), system);
        for (glyph, (_, c)) in &self.characters {
            unicode.pair(*glyph, *c);
        }
        pdf.cmap(map, &unicode.finish());
        let part = subsetter::subset(self.font.data(), 0, &self.glyphs).map_err(failed)?;
        let length = i32::try_from(part.len()).unwrap_or(i32::MAX);
        pdf.stream(data, &packed(&part)).filter(Filter::FlateDecode).pair(Name(b"Length1"), length);
        Ok(whole)
    }
}
