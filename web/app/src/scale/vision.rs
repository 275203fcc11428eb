//! The colours of the maps for eyes of every kind, by simulation.

/// The page's colours, as they are written.
const THEME: &str = include_str!("../../assets/theme.css");

type Colour = [f64; 3];

/// Red, blue and the middle, in linear RGB: of the light theme and of the dark one.
fn scales() -> [[Colour; 3]; 2] {
    let of = |theme: usize| {
        ["--red: #", "--blue: #", "--zero: #"].map(|name| {
            let hex = THEME.split(name).nth(theme + 1).and_then(|rest| rest.get(..6));
            let number = hex.and_then(|hex| u32::from_str_radix(hex, 16).ok()).expect("a colour");
            [16, 8, 0].map(|shift| linear(f64::from(number >> shift & 0xff) / 255.0))
        })
    };
    [of(0), of(1)]
}

/// Undoes the sRGB transfer function (IEC 61966-2-1).
fn linear(value: f64) -> f64 {
    if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
}

fn times(matrix: &[[f64; 3]; 3], colour: Colour) -> Colour {
    matrix.map(|row| row.iter().zip(colour).map(|(a, b)| a * b).sum())
}

/// OKLab (Ottosson 2020).
fn oklab(colour: Colour) -> Colour {
    let cones = times(
        &[
            [0.412_221_470_8, 0.536_332_536_3, 0.051_445_992_9],
            [0.211_903_498_2, 0.680_699_545_1, 0.107_396_956_6],
            [0.088_302_461_9, 0.281_718_837_6, 0.629_978_700_5],
        ],
        colour,
    );
    times(
        &[
            [0.210_454_255_3, 0.793_617_785_0, -0.004_072_046_8],
            [1.977_998_495_1, -2.428_592_205_0, 0.450_593_709_9],
            [0.025_904_037_1, 0.782_771_766_2, -0.808_675_766_0],
        ],
        cones.map(f64::cbrt),
    )
}

/// How different two colours look: 0.02 is just noticed.
fn distance(a: Colour, b: Colour) -> f64 {
    let (a, b) = (oklab(a), oklab(b));
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
}

/// What eyes see that lack one kind of cones (Machado, Oliveira and Fernandes 2009, severity 1), and
/// those that lack none.
const EYES: [(&str, [[f64; 3]; 3]); 4] = [
    ("usual", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
    (
        "protanopia",
        [
            [0.152_286, 1.052_583, -0.204_868],
            [0.114_503, 0.786_281, 0.099_216],
            [-0.003_882, -0.048_116, 1.051_998],
        ],
    ),
    (
        "deuteranopia",
        [
            [0.367_322, 0.860_646, -0.227_968],
            [0.280_085, 0.672_501, 0.047_413],
            [-0.011_820, 0.042_940, 0.968_881],
        ],
    ),
    (
        "tritanopia",
        [
            [1.255_528, -0.076_749, -0.178_779],
            [-0.078_411, 0.930_809, 0.147_602],
            [0.004_733, 0.691_367, 0.303_900],
        ],
    ),
];

#[test]
fn signs_are_told_apart_by_eyes_of_every_kind() {
    for [red, blue, zero] in scales() {
        for (eyes, matrix) in EYES {
            let seen = |colour| times(&matrix, colour).map(|value| value.clamp(0.0, 1.0));
            let (red, blue, zero) = (seen(red), seen(blue), seen(zero));
            for (what, a, b, least) in
                [("the ends", red, blue, 0.12), ("red", red, zero, 0.3), ("blue", blue, zero, 0.3)]
            {
                let found = distance(a, b);
                assert!(found > least, "{what} by {eyes}: {found}");
            }
        }
    }
}

#[test]
fn both_signs_are_as_strong_as_each_other() {
    for [red, blue, zero] in scales() {
        let lightness = [red, blue, zero].map(|colour| oklab(colour)[0]);
        // The page mixes in OKLab, so that between the ends and the middle it changes evenly.
        assert!((lightness[0] - lightness[1]).abs() < 0.05, "{lightness:?}");
        assert!((lightness[0] - lightness[2]).abs() > 0.4, "{lightness:?}");
    }
    // By their definitions: white is as light as can be, and grey has no colour.
    let white = oklab([1.0; 3]);
    assert!((white[0] - 1.0).abs() < 1e-6 && white[1].abs() < 1e-6 && white[2].abs() < 1e-6);
}

/// Figures on paper have the page's colours, but for the paper of the light theme, which is white.
#[test]
fn printed_figures_have_the_pages_colours() {
    use relp_print::Theme;
    for (at, theme) in [Theme::LIGHT, Theme::DARK].iter().enumerate() {
        for (name, colour) in [
            ("--ink: ", theme.ink),
            ("--soft: ", theme.soft),
            ("--accent: ", theme.accent),
            ("--red: ", theme.positive),
            ("--blue: ", theme.negative),
            ("--zero: ", theme.zero),
            ("--on-strong: ", theme.on_strong),
        ] {
            // The first one that is a colour, and the second one of the dark theme.
            let hexes = THEME.split(name).skip(1).filter(|rest| rest.starts_with('#'));
            let hex = hexes.filter_map(|rest| rest.get(..7)).nth(at);
            assert_eq!(hex, Some(colour.to_string().as_str()), "{name}{at}");
        }
    }
}
