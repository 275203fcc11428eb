//! Colours on paper: the page's own, mixed in `OKLab`.

use std::fmt;

/// A colour, sRGB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rgb(pub u8, pub u8, pub u8);

impl fmt::Display for Rgb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}

/// The colours of a figure: those of the page, by the names that they have there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    /// Behind everything.
    pub paper: Rgb,
    /// Text.
    pub ink: Rgb,
    /// Text that matters less.
    pub soft: Rgb,
    /// Tokens that differ.
    pub accent: Rgb,
    /// The positive end of the scale.
    pub positive: Rgb,
    /// The negative end.
    pub negative: Rgb,
    /// Its middle.
    pub zero: Rgb,
    /// On strong colours.
    pub on_strong: Rgb,
}

impl Theme {
    /// Dark on white paper.
    pub const LIGHT: Self = Self {
        paper: Rgb(0xff, 0xff, 0xff),
        ink: Rgb(0x1d, 0x1c, 0x1a),
        soft: Rgb(0x5d, 0x5a, 0x54),
        accent: Rgb(0x7a, 0x4b, 0x00),
        positive: Rgb(0xa8, 0x18, 0x2c),
        negative: Rgb(0x1c, 0x5a, 0x9e),
        zero: Rgb(0xf6, 0xf4, 0xf0),
        on_strong: Rgb(0xff, 0xff, 0xff),
    };

    /// Light on dark.
    pub const DARK: Self = Self {
        paper: Rgb(0x17, 0x16, 0x14),
        ink: Rgb(0xec, 0xe9, 0xe2),
        soft: Rgb(0xaa, 0xa6, 0x9c),
        accent: Rgb(0xe2, 0xb1, 0x5f),
        positive: Rgb(0xff, 0x7d, 0x80),
        negative: Rgb(0x6f, 0xb1, 0xff),
        zero: Rgb(0x2b, 0x29, 0x25),
        on_strong: Rgb(0x17, 0x16, 0x14),
    };

    /// The colour of a position of the scale, from −1 to 1.
    pub fn at(&self, position: f64) -> Rgb {
        let end = if position < 0.0 { self.negative } else { self.positive };
        mixed(self.zero, end, position.abs().min(1.0))
    }
}

/// Of two colours, this share of the second, in `OKLab` (Ottosson 2020), as CSS's `color-mix` does.
fn mixed(from: Rgb, to: Rgb, share: f64) -> Rgb {
    let (a, b) = (oklab(from), oklab(to));
    let mix = |at: usize| a[at] + (b[at] - a[at]) * share;
    rgb([mix(0), mix(1), mix(2)])
}

fn oklab(Rgb(r, g, b): Rgb) -> [f64; 3] {
    let [r, g, b] = [r, g, b].map(|part| {
        let part = f64::from(part) / 255.0;
        if part <= 0.04045 { part / 12.92 } else { libm::pow((part + 0.055) / 1.055, 2.4) }
    });
    let l = libm::cbrt(0.412_221_470_8 * r + 0.536_332_536_3 * g + 0.051_445_992_9 * b);
    let m = libm::cbrt(0.211_903_498_2 * r + 0.680_699_545_1 * g + 0.107_396_956_6 * b);
    let s = libm::cbrt(0.088_302_461_9 * r + 0.281_718_837_6 * g + 0.629_978_700_5 * b);
    [
        0.210_454_255_3 * l + 0.793_617_785_0 * m - 0.004_072_046_8 * s,
        1.977_998_495_1 * l - 2.428_592_205_0 * m + 0.450_593_709_9 * s,
        0.025_904_037_1 * l + 0.782_771_766_2 * m - 0.808_675_766_0 * s,
    ]
}

fn rgb([l, a, b]: [f64; 3]) -> Rgb {
    let cube = |x: f64| x * x * x;
    let long = cube(l + 0.396_337_777_4 * a + 0.215_803_757_3 * b);
    let medium = cube(l - 0.105_561_345_8 * a - 0.063_854_172_8 * b);
    let short = cube(l - 0.089_484_177_5 * a - 1.291_485_548_0 * b);
    let part = |linear: f64| {
        let linear = linear.clamp(0.0, 1.0);
        let part = if linear <= 0.003_130_8 {
            12.92 * linear
        } else {
            1.055 * libm::pow(linear, 1.0 / 2.4) - 0.055
        };
        libm::round(255.0 * part) as u8
    };
    Rgb(
        part(4.076_741_662_1 * long - 3.307_711_591_3 * medium + 0.230_969_929_2 * short),
        part(-1.268_438_004_6 * long + 2.609_757_401_1 * medium - 0.341_319_396_5 * short),
        part(-0.004_196_086_3 * long - 0.703_418_614_7 * medium + 1.707_614_701_0 * short),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_and_the_middle_are_the_pages() {
        for theme in [Theme::LIGHT, Theme::DARK] {
            assert_eq!(theme.at(1.0), theme.positive);
            assert_eq!(theme.at(-1.0), theme.negative);
            assert_eq!(theme.at(0.0), theme.zero);
            assert_eq!(theme.at(-7.0), theme.negative);
        }
        assert_eq!(Theme::LIGHT.positive.to_string(), "#a8182c");
    }

    #[test]
    fn lightness_changes_evenly() {
        let light = |at: f64| oklab(Theme::LIGHT.at(at))[0];
        let middle = (light(0.0) + light(1.0)) / 2.0;
        assert!((light(0.5) - middle).abs() < 0.01);
    }
}
