//! The diverging colour scale: symmetric about 0, shared by all maps of a figure.

use relp_model::Map;

/// Maps a score to a colour.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// The largest magnitude of any score, which gets the full colour. Never 0.
    pub limit: f32,
}

impl Scale {
    /// The scale that `maps` share.
    pub fn shared<'a>(maps: impl IntoIterator<Item = &'a Map>) -> Self {
        Self::of(maps.into_iter().flat_map(|map| &map.values))
    }

    /// The scale of some scores.
    pub fn of<'a>(scores: impl IntoIterator<Item = &'a f32>) -> Self {
        let limit = scores.into_iter().fold(0.0_f32, |limit, score| limit.max(score.abs()));
        Self { limit: if limit > 0.0 { limit } else { 1.0 } }
    }

    /// Where a score lies between −1 and 1.
    pub fn position(self, value: f32) -> f32 {
        (value / self.limit).clamp(-1.0, 1.0)
    }

    /// The colour as CSS. The ends and the middle are custom properties, so that light, dark and
    /// high-contrast themes have their own; between them lightness changes evenly (OKLab).
    pub fn css(self, value: f32) -> String {
        self.css_of(value, ["var(--positive)", "var(--negative)", "var(--zero)"])
    }

    /// The same of colours that are not custom properties, for what cannot read these.
    pub fn css_of(self, value: f32, [positive, negative, zero]: [&str; 3]) -> String {
        let position = self.position(value);
        let end = if position < 0.0 { negative } else { positive };
        let percent = 100.0 * position.abs();
        format!("color-mix(in oklab, {end} {percent:.1}%, {zero})")
    }

    /// Whether a cell carries the sign as a glyph too, so that it does not hang on colour alone.
    pub fn shows_minus(self, value: f32) -> bool {
        self.position(value) < -0.06
    }

    /// The values that the legend names.
    pub fn ticks(self) -> [f32; 5] {
        [-1.0, -0.5, 0.0, 0.5, 1.0].map(|at| at * self.limit)
    }

    /// The values that the legend names of scores that have no sign.
    pub fn ticks_of_sizes(self) -> [f32; 3] {
        [0.0, 0.5, 1.0].map(|at| at * self.limit)
    }
}

#[cfg(test)]
mod vision;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn map(values: &[f32]) -> Map {
        testing::map(&[1, values.len()], values.to_vec())
    }

    #[test]
    fn it_is_symmetric_and_shared() {
        let scale = Scale::shared([&map(&[1.0, -4.0]), &map(&[2.0, 0.0])]);
        assert_eq!(scale.limit, 4.0);
        assert_eq!((scale.position(2.0), scale.position(-2.0)), (0.5, -0.5));
        assert_eq!((scale.position(9.0), scale.position(-9.0)), (1.0, -1.0));
        assert_eq!(scale.ticks(), [-4.0, -2.0, 0.0, 2.0, 4.0]);
        assert_eq!(scale.ticks_of_sizes(), [0.0, 2.0, 4.0]);
    }

    #[test]
    fn zero_everywhere_is_no_division() {
        let scale = Scale::shared([&map(&[0.0, 0.0])]);
        assert_eq!(scale.css(0.0), "color-mix(in oklab, var(--positive) 0.0%, var(--zero))");
    }

    #[test]
    fn sign_is_in_the_colour_and_in_the_glyph() {
        let scale = Scale { limit: 1.0 };
        assert!(scale.css(0.3).contains("--positive) 30.0%"));
        assert!(scale.css(-0.3).contains("--negative) 30.0%"));
        assert!(scale.shows_minus(-0.3) && !scale.shows_minus(0.3) && !scale.shows_minus(-0.01));
    }
}
