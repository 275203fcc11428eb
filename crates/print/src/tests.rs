//! Whole files of a figure: what is in them, and that it comes back.

use relp_model::{
    Config, Direction, Executor, FIGURE_SCHEMA, Figure, Kind, Map, Method, Metric, MetricValues,
    ModelInfo, Precision, Predictions, Replace, Rules, Site, Token, Tokens, Unusable,
};

use crate::{Format, NotThere, Print, Style, embedded, print};

const WORDS: [&str; 4] = ["<|endoftext|>", " Mary", " <b>&\"x\"_$%", " naïve"];

fn map(shape: &[usize], values: Vec<f32>) -> Map {
    let axes = ["layer", "position", "head"].into_iter().take(shape.len());
    let axes = axes.map(str::to_owned).collect();
    Map { shape: shape.to_vec(), axes, values, deviation: None, neurons: None }
}

fn figure() -> Figure {
    let token = |(id, text): (usize, &&str)| Token { id: id as u32, text: (*text).to_owned() };
    let clean: Vec<Token> = WORDS.iter().enumerate().map(token).collect();
    let mut corrupted = clean.clone();
    corrupted[1] = Token { id: 9, text: " John".to_owned() };
    let values = (0..8).map(|at| (at as f32 - 4.0) / 2.0).collect::<Vec<_>>();
    let heads = (0..24).map(|at| at as f32 / 100.0).collect();
    let maps = [
        (Site::ResidPre, map(&[2, 4], values.clone())),
        (Site::MlpOut, map(&[2, 4], values)),
        (Site::Z, map(&[2, 4, 3], heads)),
    ];
    Figure {
        schema: FIGURE_SCHEMA.to_owned(),
        model: ModelInfo {
            name: "m".to_owned(),
            sha256: "0".repeat(64),
            weights: Precision::F32,
            config: Config {
                n_layer: 2,
                n_head: 3,
                d_model: 6,
                d_mlp: 8,
                n_vocab: 100,
                n_ctx: 64,
                eps: 1e-5,
                tied: true,
            },
        },
        answers: vec![clean[1].clone()],
        foils: vec![corrupted[1].clone()],
        tokens: Tokens { clean, corrupted },
        metric: MetricValues { name: Metric::LogitDiff, clean: 3.0, corrupted: -1.0 },
        predictions: Predictions { clean: Vec::new(), corrupted: Vec::new() },
        method: Method::Relp,
        steps: None,
        convergence_error: None,
        rules: Rules::RELP,
        direction: Direction::Denoise,
        replace: Some(Replace::Source),
        normalised: false,
        executor: Executor { kind: Kind::Cpu, device: "a device".to_owned() },
        version: "0".to_owned(),
        maps: maps.into(),
        pairs: Vec::new(),
    }
}

fn printed(style: &Style, format: Format) -> Vec<u8> {
    print(&Print::of(&figure()), style, format).expect("it can be printed")
}

fn text(format: Format) -> String {
    String::from_utf8(printed(&Style::default(), format)).expect("text")
}

#[test]
fn the_figure_comes_back_out_of_every_file_that_holds_it() {
    for format in [Format::Json, Format::Svg, Format::Png, Format::Tikz] {
        assert_eq!(embedded(&printed(&Style::default(), format)), Ok(figure()), "{format}");
    }
    assert_eq!(embedded(b"<svg xmlns='x'></svg>"), Err(NotThere::Nothing));
    assert_eq!(embedded(b"\x89PNG\r\n\x1a\n"), Err(NotThere::Nothing));
    assert_eq!(embedded(b"\xff\xfe"), Err(NotThere::Nothing));
    assert_eq!(embedded(b"% a comment\n\\relax"), Err(NotThere::Nothing));
    assert!(matches!(embedded(b""), Err(NotThere::Unusable(Unusable::NoFigure { .. }))));
    let mut cut = printed(&Style::default(), Format::Png);
    cut.truncate(60);
    assert_eq!(embedded(&cut), Err(NotThere::Nothing));
}

#[test]
fn an_svg_is_text_that_any_program_reads() {
    let svg = text(Format::Svg);
    let tree = crate::raster::tree(&svg).expect("it is an SVG");
    // 175 mm in CSS pixels.
    assert!((f64::from(tree.size().width()) - 175.0 / 25.4 * 96.0).abs() < 0.1);
    assert!(svg.contains(">·Mary</text>") && svg.contains(">BOS</text>"), "tokens are text");
    assert!(svg.contains(">·&lt;b&gt;&amp;\"x\"_$%</text>"), "and nothing else");
    for foreign in ["<style", "class=", "<script", "href", "url(", "http://www.w3.org/1999"] {
        assert!(!svg.contains(foreign), "{foreign}");
    }
    assert!(svg.contains("<title>RelP:") && svg.contains("<desc>RelP with the rules LN"));
    // Negative cells carry a minus, and the ends of the scale are the page's colours.
    assert!(svg.contains("<line ") && svg.contains("#1c5a9e"));
}

#[test]
fn the_style_is_followed() {
    let svg = |style: &Style| String::from_utf8(printed(style, Format::Svg)).expect("text");
    let usual = svg(&Style::default());
    let single = svg(&Style { width_mm: Style::SINGLE, ..Style::default() });
    assert!(single.contains("width=\"240.94pt\""), "{}", &single[..120]);
    let bare = svg(&Style { caption: false, ..Style::default() });
    assert_eq!(usual.matches("computed by the cpu").count(), 2, "in the text and the description");
    assert_eq!(bare.matches("computed by the cpu").count(), 1);
    assert!(svg(&Style { font_pt: 9.5, ..Style::default() }).contains("font-size=\"9.5\""));
    assert!(svg(&Style { dark: true, ..Style::default() }).contains("fill=\"#171614\""));
    let swapped = svg(&Style { swapped: true, ..Style::default() });
    assert_ne!(swapped, usual);
    let wide = Style { width_mm: 5000.0, ..Style::default() };
    assert!(print(&Print::of(&figure()), &wide, Format::Svg).is_err());
}

#[test]
fn a_png_has_its_pixels_and_its_density() {
    for (dpi, width) in [(300.0, 1004), (96.0, 322)] {
        let style = Style { width_mm: Style::SINGLE, dpi, ..Style::default() };
        let file = printed(&style, Format::Png);
        let mut reader = png::Decoder::new(file.as_slice()).read_info().expect("a PNG");
        let mut pixels = vec![0; reader.output_buffer_size()];
        reader.next_frame(&mut pixels).expect("a picture");
        let info = reader.info();
        assert_eq!(info.width, width);
        let density = info.pixel_dims.expect("a density");
        assert!((f64::from(density.xppu) * 0.0254 - dpi).abs() < 0.1);
        let dark = pixels.iter().filter(|part| **part < 100).count();
        assert!(dark * 500 > pixels.len(), "there is text on it: {dark} of {}", pixels.len());
    }
    let huge = Style { width_mm: 1000.0, dpi: 1200.0, ..Style::default() };
    let refused = print(&Print::of(&figure()), &huge, Format::Png).map_err(|why| why.to_string());
    assert!(refused.is_err_and(|why| why.contains("choose another width")));
}

#[test]
fn a_pdf_has_its_fonts_and_the_figure() {
    let file = printed(&Style::default(), Format::Pdf);
    assert!(file.starts_with(b"%PDF-") && file.ends_with(b"%%EOF"));
    let has = |part: &[u8]| file.windows(part.len()).any(|window| window == part);
    for part in ["/EmbeddedFiles", "/FontFile2", "/ToUnicode", "/AFRelationship"] {
        assert!(has(part.as_bytes()), "{part}");
    }
    assert!(has(b"relp-figure/1") && has(b"\"schema\":\"relp-figure/1\""));
}

#[test]
fn a_table_has_every_score() {
    let csv = text(Format::Csv);
    let mut lines = csv.lines();
    assert!(lines.next().is_some_and(|line| line.starts_with("# RelP with the rules")));
    assert!(lines.next().is_some_and(|line| line.starts_with("site,layer,position,head")));
    assert_eq!(lines.clone().count(), 8 + 8 + 24);
    assert!(csv.contains("resid_pre,0,1,,,\" Mary\",\" John\",-1.5,"), "{csv}");
    assert!(csv.contains("z,1,3,2,,"), "{csv}");
    assert!(csv.contains("\" <b>&\"\"x\"\"_$%\""), "{csv}");
}

#[test]
fn tikz_is_balanced_and_escaped() {
    let tikz = text(Format::Tikz);
    let code: Vec<&str> = tikz.lines().filter(|line| !line.starts_with('%')).collect();
    let code = code.join("\n").replace("\\{", "").replace("\\}", "");
    assert_eq!(code.matches('{').count(), code.matches('}').count());
    assert!(code.contains("\\textless{}b\\textgreater{}\\&"), "{code}");
    assert!(code.contains("\\begin{tikzpicture}") && code.ends_with("\\end{tikzpicture}"));
    assert!(tikz.lines().all(|line| line.len() < 2100));
}

#[test]
fn a_difference_says_what_it_is_less_of_and_keeps_its_source() {
    let (drawn, source) = (figure(), Figure { normalised: true, ..figure() });
    let less = Some("the exact answer (AP)");
    let file =
        print(&Print { drawn: &drawn, source: &source, less }, &Style::default(), Format::Svg);
    let file = file.expect("it can be printed");
    assert_eq!(embedded(&file), Ok(source));
    assert!(String::from_utf8_lossy(&file).contains("less the exact answer (AP)"));
}
