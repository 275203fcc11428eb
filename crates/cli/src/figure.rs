//! `relp figure`: a figure that was computed before, on paper.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::str::FromStr;

use lexopt::{Arg, Parser, ValueExt};
use relp_print::{Format, Print, Style};

use crate::failure::{Failure, Result};
use crate::output::{self, Out};

pub(crate) const HELP: &str = "\
relp figure FILE [OPTIONS]

FILE is a figure that `relp attribute` or the page has written, as JSON, or an SVG, PNG, TikZ or HTML file
of one, which hold it too. OPTIONS are

  --format FORMAT         of svg, pdf, png, csv, tikz, json (default: what FILE of --out ends in, else svg)
  --width WIDTH           single (85 mm), double (175 mm), or millimetres (default double)
  --font POINTS           the size of all text (default 7; journals want at least 6)
  --no-caption            without the caption, which is in the file's own information all the same
  --dark                  light on dark
  --swap-colours          blue for what is positive
  --dpi N                 pixels an inch of a PNG (default 300)
  --out FILE              into a file; - is standard output

The page exports the same bytes.
";

/// What is asked of `relp figure`.
#[derive(Debug)]
pub(crate) struct Ask {
    file: PathBuf,
    format: Option<Format>,
    style: Style,
    out: Out,
}

/// Reads the arguments after `figure`; `None` is its help.
pub(crate) fn parse(parser: &mut Parser) -> Result<Option<Ask>> {
    let mut file = None;
    let mut ask =
        Ask { file: PathBuf::new(), format: None, style: Style::default(), out: Out::default() };
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Long("help") | Arg::Short('h') => return Ok(None),
            Arg::Long("no-caption") => ask.style.caption = false,
            Arg::Long("dark") => ask.style.dark = true,
            Arg::Long("swap-colours") => ask.style.swapped = true,
            Arg::Long("format") => {
                let format = text(parser, "format")?.parse();
                ask.format =
                    Some(format.map_err(|why| Failure::input(format_args!("--format: {why}")))?);
            }
            Arg::Long("width") => {
                ask.style.width_mm = match text(parser, "width")?.as_str() {
                    "single" => Style::SINGLE,
                    "double" => Style::DOUBLE,
                    other => number("width", other)?,
                };
            }
            Arg::Long("font") => ask.style.font_pt = number("font", &text(parser, "font")?)?,
            Arg::Long("dpi") => ask.style.dpi = number("dpi", &text(parser, "dpi")?)?,
            Arg::Long("out") => ask.out = Out::from_arg(value(parser, "out")?),
            Arg::Value(path) if file.is_none() => file = Some(PathBuf::from(path)),
            Arg::Value(path) => {
                return Err(Failure::input(format_args!(
                    "`relp figure` draws one figure: it was given `{}` too",
                    path.to_string_lossy()
                )));
            }
            Arg::Long(other) => {
                return Err(Failure::input(format_args!(
                    "`relp figure` does not take `--{other}`: `relp figure --help` lists what it takes"
                )));
            }
            Arg::Short(other) => {
                return Err(Failure::input(format_args!(
                    "`relp figure` does not take `-{other}`: `relp figure --help` lists what it takes"
                )));
            }
        }
    }
    ask.file = file.ok_or_else(|| {
        Failure::input(
            "`relp figure` needs a file: name one that `relp attribute --out FILE` wrote",
        )
    })?;
    Ok(Some(ask))
}

/// Draws the figure.
pub(crate) fn run(ask: &Ask) -> Result<()> {
    ask.style.check().map_err(Failure::input)?;
    ask.out.check()?;
    let format = ask.format.or_else(|| of_name(&ask.out)).unwrap_or(Format::Svg);
    let path = ask.file.display();
    let file = fs::read(&ask.file)
        .map_err(|error| Failure::input(format_args!("{path} cannot be read: {error}")))?;
    let figure = relp_print::embedded(&file).map_err(|why| {
        Failure::input(format_args!("{path} is no figure that can be drawn, because {why}"))
    })?;
    if !ask.style.is_legible() {
        output::note(
            "The text is smaller than 6 pt, which is too small to be printed: --font makes it larger.",
        );
    }
    let printed = relp_print::print(&Print::of(&figure), &ask.style, format)
        .map_err(|why| Failure::failed(format_args!("{path} cannot be drawn: {why}")))?;
    ask.out.give_bytes(&printed)
}

/// The format that a file's name asks for.
fn of_name(out: &Out) -> Option<Format> {
    let Out::File(path) = out else { return None };
    let extension = path.extension()?.to_str()?.to_lowercase();
    Format::ALL.into_iter().find(|format| format.extension() == extension)
}

fn value(parser: &mut Parser, option: &str) -> Result<OsString> {
    parser.value().map_err(|_| Failure::input(format_args!("--{option} needs a value after it")))
}

fn text(parser: &mut Parser, option: &str) -> Result<String> {
    value(parser, option)?
        .string()
        .map_err(|_| Failure::input(format_args!("The value of --{option} is not UTF-8 text")))
}

fn number(option: &str, text: &str) -> Result<f64> {
    f64::from_str(text)
        .map_err(|_| Failure::input(format_args!("--{option} takes a number, not \"{text}\"")))
}
