//! The command line.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;

use lexopt::{Arg, Parser, ValueExt};
use relp_model::{Choice, Direction, Method, Metric, Precision, Replace, Request, Rules, Site};

use crate::failure::{Failure, Result};
use crate::figure;
use crate::models;
use crate::output::Out;
use crate::pack;
use crate::serve;

/// What the person asked for.
#[derive(Debug)]
pub(crate) enum Asked {
    /// The help, of one command or of all.
    Help(Option<Command>),
    /// The help of `relp model`.
    ModelHelp,
    Version,
    /// The help of `relp figure`.
    FigureHelp,
    /// To draw a figure.
    Figure(figure::Ask),
    /// To see to the models that are kept.
    Model(models::Ask),
    /// The help of `relp serve`.
    ServeHelp,
    /// To serve the page.
    Serve(serve::Ask),
    /// The help of `relp pack`.
    PackHelp,
    /// To make or check a folder to be taken along.
    Pack(pack::Ask),
    Do(Command, Box<Options>),
}

/// The commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Attribute,
    Compare,
    Table,
    Report,
    Predict,
    Tape,
}

impl Command {
    pub(crate) const ALL: [Self; 6] =
        [Self::Attribute, Self::Compare, Self::Table, Self::Report, Self::Predict, Self::Tape];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Attribute => "attribute",
            Self::Compare => "compare",
            Self::Table => "table",
            Self::Report => "report",
            Self::Predict => "predict",
            Self::Tape => "tape",
        }
    }

    /// The options that it takes, without their dashes.
    pub(crate) fn takes(self) -> &'static [&'static str] {
        match self {
            Self::Attribute => &[
                "model",
                "clean",
                "corrupt",
                "answer",
                "foil",
                "clean-ids",
                "corrupt-ids",
                "answer-id",
                "foil-id",
                "pairs",
                "mean",
                "method",
                "rules",
                "steps",
                "direction",
                "replace",
                "metric",
                "sites",
                "top",
                "normalise",
                "no-bos",
                "executor",
                "weights",
                "out",
            ],
            Self::Compare => &[
                "model",
                "pairs",
                "method",
                "against",
                "rules",
                "steps",
                "direction",
                "replace",
                "metric",
                "sites",
                "top",
                "no-bos",
                "executor",
                "weights",
                "out",
            ],
            Self::Table => &[
                "model",
                "generated",
                "seed",
                "method",
                "rules",
                "steps",
                "direction",
                "no-bos",
                "executor",
                "weights",
                "out",
            ],
            Self::Report => &["model", "executor", "weights", "out"],
            Self::Predict => &["model", "prompt", "top", "no-bos", "executor", "weights", "out"],
            Self::Tape => &[
                "model",
                "method",
                "rules",
                "steps",
                "replace",
                "metric",
                "sites",
                "positions",
                "out",
            ],
        }
    }
}

/// What the options say; which of them a command takes is [`Command::takes`].
#[derive(Debug, Default)]
pub(crate) struct Options {
    pub(crate) model: Option<String>,
    pub(crate) executor: Choice,
    pub(crate) weights: Precision,
    pub(crate) methods: Vec<Method>,
    /// What the methods are compared with.
    pub(crate) against: Option<Method>,
    pub(crate) rules: Option<Rules>,
    pub(crate) steps: Option<usize>,
    pub(crate) direction: Direction,
    pub(crate) replace: Replace,
    pub(crate) metric: Metric,
    pub(crate) mean: bool,
    pub(crate) sites: Vec<Site>,
    pub(crate) normalise: bool,
    pub(crate) no_bos: bool,
    pub(crate) out: Out,
    pub(crate) clean: Option<String>,
    pub(crate) corrupt: Option<String>,
    pub(crate) answers: Vec<String>,
    pub(crate) foils: Vec<String>,
    pub(crate) clean_ids: Option<Vec<u32>>,
    pub(crate) corrupt_ids: Option<Vec<u32>>,
    pub(crate) answer_ids: Vec<u32>,
    pub(crate) foil_ids: Vec<u32>,
    pub(crate) pairs: Option<PathBuf>,
    pub(crate) generated: Option<usize>,
    pub(crate) seed: Option<u64>,
    pub(crate) prompt: Option<String>,
    pub(crate) top: Option<usize>,
    pub(crate) positions: Option<usize>,
}

impl Options {
    /// The rules that RelP follows.
    pub(crate) fn rules(&self) -> Rules {
        self.rules.unwrap_or(Rules::RELP)
    }

    /// The sites, the paper's three unless others were named.
    pub(crate) fn sites(&self) -> Vec<Site> {
        if self.sites.is_empty() { Site::PAPER.to_vec() } else { self.sites.clone() }
    }

    /// The request for a method; the pair goes to the engine beside it.
    pub(crate) fn request(&self, method: Method) -> Request {
        Request {
            method,
            rules: self.rules(),
            direction: self.direction,
            replace: self.replace,
            metric: self.metric,
            sites: self.sites(),
            normalise: self.normalise,
            steps: self.steps.unwrap_or(Request::STEPS),
            top: self.top.unwrap_or(Request::TOP),
            ..Request::default()
        }
    }

    /// What was said and changes nothing for these methods.
    pub(crate) fn idle(&self, methods: &[Method]) -> Vec<&'static str> {
        let mut notes = Vec::new();
        if self.rules.is_some() && !methods.contains(&Method::Relp) {
            notes.push("--rules changes only the method relp, which was not asked for.");
        }
        if self.steps.is_some() && !methods.iter().any(|method| method.has_steps()) {
            notes.push("--steps changes only integrated gradients, which were not asked for.");
        }
        if self.top.is_some() && !self.sites.contains(&Site::Post) {
            notes.push("--top changes only the site post, which was not asked for.");
        }
        if !self.sites.is_empty() && methods.contains(&Method::GradXInput) {
            notes.push("--sites does not change grad-x-input, which is of the embeddings.");
        }
        notes
    }
}

/// Reads the arguments after the program's name.
pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Asked> {
    let mut parser = Parser::from_args(args);
    let name = match parser.next()? {
        None | Some(Arg::Long("help") | Arg::Short('h')) => return Ok(Asked::Help(None)),
        Some(Arg::Long("version") | Arg::Short('V')) => return Ok(Asked::Version),
        Some(Arg::Value(name)) => name.to_string_lossy().into_owned(),
        Some(option) => {
            let option = shown(&option);
            return Err(Failure::input(format_args!(
                "A command comes before options such as {option}: `relp --help` lists them"
            )));
        }
    };
    if name == "model" {
        return Ok(models::parse(&mut parser)?.map_or(Asked::ModelHelp, Asked::Model));
    }
    if name == "figure" {
        return Ok(figure::parse(&mut parser)?.map_or(Asked::FigureHelp, Asked::Figure));
    }
    if name == "serve" {
        return Ok(serve::parse(&mut parser)?.map_or(Asked::ServeHelp, Asked::Serve));
    }
    if name == "pack" {
        return Ok(pack::parse(&mut parser)?.map_or(Asked::PackHelp, Asked::Pack));
    }
    if name == "help" {
        return match parser.next()? {
            Some(Arg::Value(name)) if name == "model" => Ok(Asked::ModelHelp),
            Some(Arg::Value(name)) if name == "figure" => Ok(Asked::FigureHelp),
            Some(Arg::Value(name)) if name == "serve" => Ok(Asked::ServeHelp),
            Some(Arg::Value(name)) if name == "pack" => Ok(Asked::PackHelp),
            Some(Arg::Value(name)) => Ok(Asked::Help(Some(command(&name.to_string_lossy())?))),
            _ => Ok(Asked::Help(None)),
        };
    }
    let command = command(&name)?;
    let mut options = Options::default();
    let mut seen = BTreeSet::new();
    while let Some(arg) = parser.next()? {
        let option = match arg {
            Arg::Long("help") | Arg::Short('h') => return Ok(Asked::Help(Some(command))),
            Arg::Long(option) if command.takes().contains(&option) => option.to_owned(),
            other => {
                return Err(Failure::input(format_args!(
                    "`relp {name}` does not take {}: `relp {name} --help` lists what it takes",
                    shown(&other)
                )));
            }
        };
        let may_come_again = ["method", "answer", "foil"].contains(&option.as_str());
        if !seen.insert(option.clone()) && !may_come_again {
            return Err(Failure::input(format_args!("--{option} is given twice: give it once")));
        }
        set(&mut options, &option, &mut parser)?;
    }
    Ok(Asked::Do(command, Box::new(options)))
}

fn command(name: &str) -> Result<Command> {
    Command::ALL.into_iter().find(|command| command.name() == name).ok_or_else(|| {
        let known = Command::ALL.map(Command::name).join(", ");
        Failure::input(format_args!(
            "There is no command `{name}`; there are {known}, figure, model, pack, serve and help"
        ))
    })
}

/// Reads the value of an option.
fn set(options: &mut Options, option: &str, parser: &mut Parser) -> Result<()> {
    match option {
        "normalise" => options.normalise = true,
        "no-bos" => options.no_bos = true,
        "mean" => options.mean = true,
        "pairs" => options.pairs = Some(raw(parser, option)?.into()),
        "out" => options.out = Out::from_arg(raw(parser, option)?),
        _ => {
            let value = raw(parser, option)?.string().map_err(|_| {
                Failure::input(format_args!("The value of --{option} is not UTF-8 text"))
            })?;
            set_text(options, option, value)?;
        }
    }
    Ok(())
}

fn set_text(options: &mut Options, option: &str, value: String) -> Result<()> {
    match option {
        "model" => options.model = Some(value),
        "executor" => options.executor = executor(&value)?,
        "weights" => options.weights = named(option, &value)?,
        "method" => {
            let method = named(option, &value)?;
            if !options.methods.contains(&method) {
                options.methods.push(method);
            }
        }
        "against" => options.against = Some(named(option, &value)?),
        "rules" => options.rules = Some(named(option, &value)?),
        "direction" => options.direction = named(option, &value)?,
        "replace" => options.replace = named(option, &value)?,
        "metric" => options.metric = named(option, &value)?,
        "sites" => {
            for name in value.split(',') {
                let site = named(option, name.trim())?;
                if !options.sites.contains(&site) {
                    options.sites.push(site);
                }
            }
        }
        "steps" => options.steps = Some(count(option, &value, 1000)?),
        "clean" => options.clean = Some(value),
        "corrupt" => options.corrupt = Some(value),
        "answer" => options.answers.push(value),
        "foil" => options.foils.push(value),
        "clean-ids" => options.clean_ids = Some(ids(option, &value)?),
        "corrupt-ids" => options.corrupt_ids = Some(ids(option, &value)?),
        "answer-id" => options.answer_ids = ids(option, &value)?,
        "foil-id" => options.foil_ids = ids(option, &value)?,
        "generated" => options.generated = Some(count(option, &value, 1_000_000)?),
        "seed" => options.seed = Some(seed(option, &value)?),
        "prompt" => options.prompt = Some(value),
        "top" => options.top = Some(count(option, &value, 1_000_000)?),
        "positions" => options.positions = Some(count(option, &value, 1_000_000)?),
        _ => unreachable!("every option that a command takes is read here"),
    }
    Ok(())
}

fn raw(parser: &mut Parser, option: &str) -> Result<OsString> {
    parser.value().map_err(|_| Failure::input(format_args!("--{option} needs a value after it")))
}

/// A value that knows its own names.
fn named<T: FromStr<Err: std::fmt::Display>>(option: &str, value: &str) -> Result<T> {
    value.parse().map_err(|error| Failure::input(format_args!("--{option}: {error}")))
}

fn executor(value: &str) -> Result<Choice> {
    Ok(match value {
        "auto" => Choice::Auto,
        "reference" => Choice::Reference,
        "cpu" => Choice::Cpu,
        "gpu" => Choice::Gpu,
        other => {
            return Err(Failure::input(format_args!(
                "--executor: \"{other}\" is not an executor; known are auto, reference, cpu, gpu"
            )));
        }
    })
}

fn count(option: &str, value: &str, most: usize) -> Result<usize> {
    let number = value.parse().ok().filter(|number| (1..=most).contains(number));
    number.ok_or_else(|| {
        Failure::input(format_args!("--{option} takes a number from 1 to {most}, not \"{value}\""))
    })
}

fn seed(option: &str, value: &str) -> Result<u64> {
    value.parse().map_err(|_| {
        Failure::input(format_args!("--{option} takes a number from 0 on, not \"{value}\""))
    })
}

fn id(option: &str, value: &str) -> Result<u32> {
    value.trim().parse().map_err(|_| {
        Failure::input(format_args!(
            "--{option} takes token ids, numbers from 0 on, not \"{value}\""
        ))
    })
}

fn ids(option: &str, value: &str) -> Result<Vec<u32>> {
    value.split(',').map(|value| id(option, value)).collect()
}

fn shown(arg: &Arg<'_>) -> String {
    match arg {
        Arg::Short(letter) => format!("`-{letter}`"),
        Arg::Long(name) => format!("`--{name}`"),
        Arg::Value(value) => format!("`{}`", value.to_string_lossy()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Asked> {
        parse(line.split_whitespace().map(OsString::from))
    }

    /// A value that each option accepts.
    fn value(option: &str) -> &'static str {
        match option {
            "method" | "against" => " relp",
            "rules" => " ln",
            "sites" => " resid_pre",
            "direction" => " noise",
            "executor" => " cpu",
            "weights" => " f16",
            "replace" => " zero",
            "metric" => " kl",
            "normalise" | "no-bos" | "mean" => "",
            _ => " 1",
        }
    }

    #[test]
    fn every_command_takes_what_it_says_and_nothing_else() {
        let every: BTreeSet<&str> = Command::ALL.iter().flat_map(|c| c.takes()).copied().collect();
        for command in Command::ALL {
            for option in &every {
                let line = format!("{} --{option}{}", command.name(), value(option));
                let read = read(&line);
                assert_eq!(read.is_ok(), command.takes().contains(option), "{line}: {read:?}");
            }
        }
    }

    #[test]
    fn the_request_says_what_the_options_say() {
        let Ok(Asked::Do(Command::Attribute, options)) = read(
            "attribute --method atp --method relp --method atp --rules ah --sites z,mlp_out \
                  --direction noise --normalise --steps 7 --metric log_prob --replace mean --top 3 \
                  --answer a --answer b",
        ) else {
            panic!("not read");
        };
        assert_eq!(options.methods, [Method::Atp, Method::Relp]);
        let request = options.request(Method::Relp);
        assert_eq!(request.rules, Rules { ah: true, ..Rules::NONE });
        assert_eq!(request.sites, [Site::Z, Site::MlpOut]);
        assert_eq!((request.direction, request.steps), (Direction::Noise, 7));
        assert!(request.normalise);
        assert_eq!((request.metric, request.replace), (Metric::LogProb, Replace::Mean));
        assert_eq!((request.top, options.answers), (3, vec!["a".to_owned(), "b".to_owned()]));
        let request = Options::default().request(Method::Atp);
        assert_eq!((request.rules, request.sites), (Rules::RELP, Site::PAPER.to_vec()));
    }

    #[test]
    fn options_without_effect_are_named() {
        let Ok(Asked::Do(_, options)) = read("attribute --rules ln --steps 3") else {
            panic!("not read");
        };
        assert_eq!(options.idle(&[Method::Atp]).len(), 2);
        assert_eq!(options.idle(&[Method::Relp, Method::IgInputs]).len(), 0);
    }
}
