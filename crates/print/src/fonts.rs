//! The fonts that come along: DejaVu Sans and DejaVu Sans Mono, cut to Latin, Greek, Cyrillic and the signs
//! that figures use. Their licence is in `fonts/LICENSE`.

#[cfg(feature = "render")]
use std::sync::Arc;
use std::sync::LazyLock;

#[cfg(feature = "render")]
use resvg::usvg::fontdb::Database;
use ttf_parser::Face;

/// Of names and numbers.
pub(crate) const SANS: &[u8] = include_bytes!("../fonts/DejaVuSans.ttf");
/// Of tokens and sites.
pub(crate) const MONO: &[u8] = include_bytes!("../fonts/DejaVuSansMono.ttf");

/// A font of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Font {
    /// DejaVu Sans.
    Sans,
    /// DejaVu Sans Mono.
    Mono,
}

static FACES: LazyLock<[Option<Face<'static>>; 2]> =
    LazyLock::new(|| [SANS, MONO].map(|data| Face::parse(data, 0).ok()));

impl Font {
    /// Where a program looks that does not have it.
    pub(crate) fn stack(self) -> &'static str {
        match self {
            Self::Sans => "DejaVu Sans, Verdana, sans-serif",
            Self::Mono => "DejaVu Sans Mono, Menlo, Consolas, monospace",
        }
    }

    /// Its file.
    #[cfg(feature = "render")]
    pub(crate) fn data(self) -> &'static [u8] {
        match self {
            Self::Sans => SANS,
            Self::Mono => MONO,
        }
    }

    /// The width of a text at a size, in the size's unit.
    pub(crate) fn width(self, text: &str, size: f64) -> f64 {
        let face = FACES[usize::from(self == Self::Mono)].as_ref();
        let Some(face) = face else { return 0.6 * size * text.chars().count() as f64 };
        let em = f64::from(face.units_per_em());
        let advance = |c: char| {
            let glyph = face.glyph_index(c).unwrap_or_default();
            f64::from(face.glyph_hor_advance(glyph).unwrap_or_default())
        };
        text.chars().map(advance).sum::<f64>() / em * size
    }
}

/// These fonts and no other, so that every machine draws the same.
#[cfg(feature = "render")]
pub(crate) fn database() -> Arc<Database> {
    let mut database = Database::new();
    database.load_font_data(SANS.to_vec());
    database.load_font_data(MONO.to_vec());
    database.set_sans_serif_family("DejaVu Sans");
    database.set_monospace_family("DejaVu Sans Mono");
    Arc::new(database)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fonts_have_what_figures_use() {
        for (font, data) in [(Font::Sans, SANS), (Font::Mono, MONO)] {
            let face = Face::parse(data, 0).expect("a font");
            for c in "aZ09·−±…⏎⇥×éßñяλ|“”\u{fffd}".chars() {
                assert!(face.glyph_index(c).is_some(), "{font:?} lacks {c}");
            }
        }
        assert!(Font::Mono.width("ab", 10.0) > 11.0 && Font::Mono.width("ab", 10.0) < 13.0);
        assert!(Font::Sans.width("iii", 10.0) < Font::Sans.width("mmm", 10.0));
    }
}
