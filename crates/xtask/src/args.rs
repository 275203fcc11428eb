//! The command line.

use std::{collections::BTreeSet, ffi::OsString, path::PathBuf, str::FromStr, time::Duration};

use anyhow::{Context, Result, bail};
use lexopt::{Arg, Parser, ValueExt};

use crate::checks::Check;

pub(crate) const HELP: &str = "\
cargo xtask COMMAND

  setup                  installs whatever the other commands need and is missing
  serve                  builds the page and serves it on this machine
      --port N           on this port, or the next free one (default 8080)
      --open             and shows it in a browser
  build                  builds the release page into dist/
  dist                   builds it and writes a folder for any static host
      --out DIR          there (default target/site)
  check                  formatting, spelling, dependencies, lints and documentation
  test                   everything in `check`, and all tests, the browser's too
      --without gpu      but not the tests that need a Vulkan driver
      --without browser  but not the tests in Chromium and Firefox
      --without instructions
                         but not the counts of instructions, which take x86-64 Linux and valgrind
      --only NAME        this one alone, with what it needs; may be given again:
                         fmt typos deny clippy clippy-wasm doc tests doctests gpu instructions
                         page browser
      -- FILTER...       only tests whose names hold FILTER, or other arguments of nextest
  bench [-- FILTER...]   the benchmarks
      --peers            the same work in PyTorch and, in Chromium, in ONNX Runtime Web and transformers.js,
                         as tables; installs them first
      --record           and the table into benches/README.md
      --instructions     records the instructions that the CPU's kernels take, which `test` compares
  fuzz                   damages what is read from outside at random, to see whether it is refused
      --seconds N        for so long (default 60)
  help                   this text

Whatever is missing is installed first. Tools go to target/tools, which `cargo clean` removes;
Chromium, Firefox, a Vulkan driver and valgrind come from the system's packages, and
RELP_CHROMIUM, RELP_CHROMEDRIVER and RELP_FIREFOX name others. RUSTFLAGS is left out of account where the page is compiled.
";

/// What the person asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Help,
    Setup,
    Serve(Serve),
    Build,
    Dist(Option<PathBuf>),
    Check,
    Test(Test),
    Bench(Vec<OsString>),
    /// Beside the peers; whether it is recorded.
    Peers(bool),
    /// Counts instructions and records them.
    Instructions,
    Fuzz(Duration),
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Serve {
    pub(crate) port: u16,
    pub(crate) open: bool,
}

/// Which checks to run, and which tests in them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Test {
    pub(crate) without: BTreeSet<Check>,
    /// Nothing means everything.
    pub(crate) only: BTreeSet<Check>,
    pub(crate) filters: Vec<OsString>,
}

/// Reads the arguments after `cargo xtask`.
pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Command> {
    let mut own: Vec<OsString> = args.into_iter().collect();
    let dashes = own.iter().position(|arg| arg == "--");
    let rest = dashes.map(|at| own.split_off(at).split_off(1));
    let mut parser = Parser::from_args(own);
    let name = match parser.next()? {
        None | Some(Arg::Long("help") | Arg::Short('h')) => "help".to_owned(),
        Some(Arg::Value(name)) => name.to_string_lossy().into_owned(),
        Some(option) => bail!("a command comes before options: {}", unexpected(&option)),
    };
    if rest.is_some() && !matches!(name.as_str(), "test" | "bench") {
        bail!("only `test` and `bench` take arguments after `--`");
    }
    let rest = rest.unwrap_or_default();
    let mut serve = Serve { port: 8080, open: false };
    let mut out = None;
    let (mut peers, mut record, mut instructions) = (false, false, false);
    let mut seconds = 60;
    let mut test = Test { filters: rest.clone(), ..Test::default() };
    while let Some(arg) = parser.next()? {
        match (name.as_str(), arg) {
            (_, Arg::Long("help") | Arg::Short('h')) => return Ok(Command::Help),
            ("serve", Arg::Long("port")) => serve.port = port(&value(&mut parser, "--port")?)?,
            ("serve", Arg::Long("open")) => serve.open = true,
            ("bench", Arg::Long("peers")) => peers = true,
            ("bench", Arg::Long("record")) => record = true,
            ("bench", Arg::Long("instructions")) => instructions = true,
            ("dist", Arg::Long("out")) => out = Some(parser.value()?.into()),
            ("fuzz", Arg::Long("seconds")) => {
                seconds = number(&value(&mut parser, "--seconds")?)?;
            }
            ("test", Arg::Long("without")) => {
                test.without.insert(optional(&value(&mut parser, "--without")?)?);
            }
            ("test", Arg::Long("only")) => {
                test.only.insert(Check::from_str(&value(&mut parser, "--only")?)?);
            }
            (name, arg) => bail!("`cargo xtask {name}` does not take {}", unexpected(&arg)),
        }
    }
    if let Some(both) = test.without.intersection(&test.only).next() {
        bail!("{both} is asked for by --only and left out by --without");
    }
    Ok(match name.as_str() {
        "help" => Command::Help,
        "setup" => Command::Setup,
        "serve" => Command::Serve(serve),
        "build" => Command::Build,
        "dist" => Command::Dist(out),
        "check" => Command::Check,
        "test" => Command::Test(test),
        "bench" if instructions && !peers && !record && rest.is_empty() => Command::Instructions,
        "bench" if instructions => bail!("--instructions goes with nothing else"),
        "bench" if peers && rest.is_empty() => Command::Peers(record),
        "bench" if peers || record => {
            bail!("--record goes with --peers, and --peers without a filter")
        }
        "bench" => Command::Bench(rest),
        "fuzz" => Command::Fuzz(Duration::from_secs(seconds)),
        other => bail!("there is no command `{other}`"),
    })
}

fn value(parser: &mut Parser, option: &str) -> Result<String> {
    let value = parser.value().with_context(|| format!("{option} needs a value"))?;
    value.string().with_context(|| format!("{option} needs plain text"))
}

fn port(text: &str) -> Result<u16> {
    text.parse()
        .ok()
        .with_context(|| format!("--port needs a number from 0 to 65535, not `{text}`"))
}

fn number(text: &str) -> Result<u64> {
    text.parse().ok().with_context(|| format!("--seconds needs a number, not `{text}`"))
}

/// The checks that a machine may be unable to run, and a person may leave out.
fn optional(text: &str) -> Result<Check> {
    match text {
        "gpu" => Ok(Check::Gpu),
        "browser" => Ok(Check::Browser),
        "instructions" => Ok(Check::Instructions),
        other => bail!("--without takes gpu, browser or instructions, not `{other}`"),
    }
}

fn unexpected(arg: &Arg<'_>) -> String {
    match arg {
        Arg::Short(letter) => format!("`-{letter}`"),
        Arg::Long(name) => format!("`--{name}`"),
        Arg::Value(value) => format!("`{}`", value.to_string_lossy()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Command> {
        parse(line.split_whitespace().map(OsString::from))
    }

    fn refused(line: &str) -> String {
        read(line).err().map(|error| format!("{error:#}")).unwrap_or_default()
    }

    #[test]
    fn commands_without_options() -> Result<()> {
        assert_eq!(read("setup")?, Command::Setup);
        assert_eq!(read("build")?, Command::Build);
        assert_eq!(read("check")?, Command::Check);
        assert_eq!(read("test")?, Command::Test(Test::default()));
        assert_eq!(read("bench")?, Command::Bench(Vec::new()));
        assert_eq!(read("bench --instructions")?, Command::Instructions);
        for help in ["", "help", "--help", "-h", "serve --help", "test -h"] {
            assert_eq!(read(help)?, Command::Help, "{help}");
        }
        Ok(())
    }

    #[test]
    fn serve_has_a_port_and_may_open_a_browser() -> Result<()> {
        let serve = |port, open| Command::Serve(Serve { port, open });
        assert_eq!(read("serve")?, serve(8080, false));
        assert_eq!(read("serve --port 9000 --open")?, serve(9000, true));
        assert_eq!(read("serve --port=0")?, serve(0, false));
        Ok(())
    }

    #[test]
    fn fuzz_has_its_time() -> Result<()> {
        assert_eq!(read("fuzz")?, Command::Fuzz(Duration::from_secs(60)));
        assert_eq!(read("fuzz --seconds 5")?, Command::Fuzz(Duration::from_secs(5)));
        Ok(())
    }

    #[test]
    fn test_takes_parts_away_picks_some_and_hands_filters_on() -> Result<()> {
        let Command::Test(test) =
            read("test --without gpu --without browser -- parity --no-capture")?
        else {
            bail!("another command was read");
        };
        assert_eq!(test.without, BTreeSet::from([Check::Gpu, Check::Browser]));
        assert_eq!(test.filters, ["parity", "--no-capture"]);
        let Command::Test(test) = read("test --only clippy-wasm --only page")? else {
            bail!("another command was read");
        };
        assert_eq!(test.only, BTreeSet::from([Check::ClippyWasm, Check::Page]));
        Ok(())
    }

    #[test]
    fn what_is_not_understood_is_named() {
        let cases = [
            ("sreve", "no command `sreve`"),
            ("--port 1", "a command comes before options: `--port`"),
            ("serve --port", "--port needs a value"),
            ("serve --port http", "not `http`"),
            ("serve --port 65536", "not `65536`"),
            ("serve now", "`cargo xtask serve` does not take `now`"),
            ("serve -- x", "only `test` and `bench`"),
            ("fuzz --seconds long", "not `long`"),
            ("bench --instructions --record", "goes with nothing else"),
            ("build --open", "`cargo xtask build` does not take `--open`"),
            ("test --without lints", "--without takes gpu, browser or instructions, not `lints`"),
            ("test --only nothing", "no check `nothing`"),
            ("test --only gpu --without gpu", "asked for by --only and left out"),
            ("test parity", "`cargo xtask test` does not take `parity`"),
        ];
        for (line, part) in cases {
            let said = refused(line);
            assert!(said.contains(part), "{line}: {said}");
        }
    }

    #[test]
    fn the_help_names_every_check() {
        for check in Check::ALL {
            assert!(HELP.contains(check.name()), "{check}");
        }
    }
}
