//! A figure as a link: all that it asks and how it is looked at, in the address's fragment, which no server
//! sees.
//!
//! Version 1 is `#v=1&NAME=VALUE…`, URL-encoded. What stands as the page has it at first is left out. Names
//! that a page does not know are of a later one, and are passed over; values that it does not know are said.

use relp_model::{Direction, Method, Metric, PairText, Replace, Rules, Site};

use crate::comparison::Scores;
use crate::examples::EXAMPLES;
use crate::look::Beside;

/// The version of what is written here.
const VERSION: &str = "1";
/// No link that this page writes is longer; a prompt has at most 1024 tokens.
const LONGEST: usize = 32_000;
/// The most answers or foils.
const MOST_TARGETS: usize = 200;

/// What a link says.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// The model's name on its hub; `None` is the bundled one.
    pub model: Option<String>,
    /// The example's id, if the pair is one.
    pub example: Option<String>,
    /// The pair.
    pub pair: PairText,
    /// The method.
    pub method: Method,
    /// The rules of RelP.
    pub rules: Rules,
    /// The direction.
    pub direction: Direction,
    /// What is put in.
    pub replace: Replace,
    /// The metric.
    pub metric: Metric,
    /// Whether scores are normalised.
    pub normalise: bool,
    /// The site of the heads.
    pub head_site: Site,
    /// Whether neurons are listed.
    pub neurons: bool,
    /// Whether it is the mean over the task's pairs.
    pub batch: bool,
    /// Which scores the maps show.
    pub scores: Scores,
    /// Cells that carry so many percent are shown.
    pub percent: u32,
    /// Whether each map has its own scale.
    pub own_scales: bool,
    /// Whether red and blue are swapped.
    pub swapped: bool,
    /// The site that colours the tokens.
    pub tokens_by: Site,
    /// What stands beside the figure.
    pub beside: Option<Beside>,
    /// Whether the two are seen in turn.
    pub flicker: bool,
    /// The pinned cell: layer and position.
    pub pin: Option<(usize, usize)>,
    /// The open head: layer and head.
    pub head: Option<(usize, usize)>,
}

impl Default for Link {
    /// The page at its start.
    fn default() -> Self {
        let example = EXAMPLES.first();
        Self {
            model: None,
            example: example.map(|example| example.id.clone()),
            pair: example.map(crate::examples::Example::pair).unwrap_or_default(),
            method: Method::Relp,
            rules: Rules::RELP,
            direction: Direction::Denoise,
            replace: Replace::Source,
            metric: Metric::LogitDiff,
            normalise: false,
            head_site: Site::Z,
            neurons: false,
            batch: false,
            scores: Scores::Method,
            percent: 100,
            own_scales: false,
            swapped: false,
            tokens_by: Site::ResidPre,
            beside: None,
            flicker: false,
            pin: None,
            head: None,
        }
    }
}

/// Why a link says something else than it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broken {
    /// It is longer than any that this page writes.
    TooLong,
    /// It is of a version that this page does not know.
    Version,
    /// This part of it has a value that cannot be.
    Part(String),
}

impl Link {
    /// Whether another link asks the same, however its figure is looked at.
    pub fn asks_the_same(&self, other: &Self) -> bool {
        let look = self.clone();
        *self
            == Self {
                head_site: look.head_site,
                neurons: look.neurons,
                scores: look.scores,
                percent: look.percent,
                own_scales: look.own_scales,
                swapped: look.swapped,
                tokens_by: look.tokens_by,
                beside: look.beside,
                flicker: look.flicker,
                pin: look.pin,
                head: look.head,
                ..other.clone()
            }
    }

    /// The fragment without its `#`; empty for the page at its start.
    pub fn write(&self) -> String {
        let usual = Self::default();
        if *self == usual {
            return String::new();
        }
        let mut written = form_urlencoded::Serializer::new(String::new());
        written.append_pair("v", VERSION);
        let mut put = |name: &str, value: &str| {
            written.append_pair(name, value);
        };
        if let Some(model) = &self.model {
            put("model", model);
        }
        match &self.example {
            Some(example) => put("pair", example),
            None => {
                put("clean", &self.pair.clean);
                put("corrupted", &self.pair.corrupted);
                self.pair.answers.iter().for_each(|answer| put("answer", answer));
                self.pair.foils.iter().for_each(|foil| put("foil", foil));
            }
        }
        if !self.pair.bos {
            put("bos", "0");
        }
        if self.method != usual.method {
            put("method", self.method.name());
        }
        if self.rules != usual.rules {
            put("rules", &self.rules.to_string());
        }
        if self.direction != usual.direction {
            put("direction", self.direction.name());
        }
        if self.replace != usual.replace {
            put("replace", self.replace.name());
        }
        let of_example = self.example.as_ref().and_then(|id| of_example(id));
        if self.metric != of_example.map_or(usual.metric, |example| example.metric) {
            put("metric", self.metric.name());
        }
        if self.head_site != usual.head_site {
            put("heads", self.head_site.name());
        }
        if self.scores != usual.scores {
            put("show", self.scores.name());
        }
        if self.percent != usual.percent {
            put("carry", &self.percent.to_string());
        }
        if self.tokens_by != usual.tokens_by {
            put("tokens", self.tokens_by.name());
        }
        if let Some(beside) = self.beside {
            put("beside", beside.name());
        }
        for (name, on) in [
            ("normalise", self.normalise),
            ("neurons", self.neurons),
            ("mean", self.batch),
            ("own-scales", self.own_scales),
            ("swap-colours", self.swapped),
            ("flicker", self.flicker),
        ] {
            if on {
                put(name, "1");
            }
        }
        for (name, place) in [("pin", self.pin), ("head", self.head)] {
            if let Some((layer, at)) = place {
                put(name, &format!("{layer}.{at}"));
            }
        }
        written.finish()
    }

    /// Reads a fragment, with or without its `#`, and what of it could not be read. That much stands as the
    /// page has it at first.
    pub fn read(fragment: &str) -> (Self, Vec<Broken>) {
        let fragment = fragment.strip_prefix('#').unwrap_or(fragment);
        let mut link = Self::default();
        if fragment.len() > LONGEST {
            return (link, vec![Broken::TooLong]);
        }
        let mut broken = Vec::new();
        let mut own_pair = PairText { bos: true, ..PairText::default() };
        let (mut is_own, mut has_metric) = (false, false);
        let mut bos = true;
        for (name, value) in form_urlencoded::parse(fragment.as_bytes()) {
            let is_read = match name.as_ref() {
                "v" => {
                    if value != VERSION {
                        broken.push(Broken::Version);
                    }
                    true
                }
                "model" => set_model(&mut link, &value),
                "pair" => of_example(&value).is_some_and(|example| {
                    link.example = Some(example.id.clone());
                    link.pair = example.pair();
                    if !has_metric {
                        link.metric = example.metric;
                    }
                    true
                }),
                "clean" => {
                    (is_own, own_pair.clean) = (true, value.clone().into_owned());
                    true
                }
                "corrupted" => {
                    (is_own, own_pair.corrupted) = (true, value.clone().into_owned());
                    true
                }
                "answer" => add(&mut own_pair.answers, &value),
                "foil" => add(&mut own_pair.foils, &value),
                "bos" => flag(&value).map(|on| bos = on).is_some(),
                "method" => value.parse().map(|method| link.method = method).is_ok(),
                "rules" => value.parse().map(|rules| link.rules = rules).is_ok(),
                "direction" => value.parse().map(|direction| link.direction = direction).is_ok(),
                "replace" => value.parse().map(|replace| link.replace = replace).is_ok(),
                "metric" => {
                    has_metric = true;
                    value.parse().map(|metric| link.metric = metric).is_ok()
                }
                "heads" => site(&value, &Site::HEADS).map(|site| link.head_site = site).is_some(),
                "tokens" => site(&value, &Site::PAPER).map(|site| link.tokens_by = site).is_some(),
                "show" => {
                    let scores = Scores::ALL.into_iter().find(|scores| scores.name() == value);
                    scores.map(|scores| link.scores = scores).is_some()
                }
                "beside" => {
                    let beside = Beside::of_name(&value);
                    beside.map(|beside| link.beside = Some(beside)).is_some()
                }
                "carry" => {
                    let percent = value.parse().ok().filter(|percent| (1..=100).contains(percent));
                    percent.map(|percent| link.percent = percent).is_some()
                }
                "normalise" => flag(&value).map(|on| link.normalise = on).is_some(),
                "neurons" => flag(&value).map(|on| link.neurons = on).is_some(),
                "mean" => flag(&value).map(|on| link.batch = on).is_some(),
                "own-scales" => flag(&value).map(|on| link.own_scales = on).is_some(),
                "swap-colours" => flag(&value).map(|on| link.swapped = on).is_some(),
                "flicker" => flag(&value).map(|on| link.flicker = on).is_some(),
                "pin" => place(&value).map(|place| link.pin = Some(place)).is_some(),
                "head" => place(&value).map(|place| link.head = Some(place)).is_some(),
                // Of a later page.
                _ => true,
            };
            if !is_read {
                broken.push(Broken::Part(name.chars().take(20).collect()));
            }
        }
        if is_own {
            link.example = None;
            link.pair = own_pair;
        }
        link.pair.bos = bos;
        (link, broken)
    }
}

fn of_example(id: &str) -> Option<&'static crate::examples::Example> {
    EXAMPLES.iter().find(|example| example.id == id)
}

/// A model's name goes into a field that a person sees and decides on; it is no address.
fn set_model(link: &mut Link, name: &str) -> bool {
    let part = |part: &str| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        !part.is_empty() && part.len() <= 96 && !part.starts_with('.') && part.chars().all(allowed)
    };
    let is_name = name.split_once('/').is_some_and(|(owner, name)| part(owner) && part(name));
    if is_name {
        link.model = Some(name.to_owned());
    }
    is_name
}

fn add(targets: &mut Vec<String>, value: &str) -> bool {
    let fits = targets.len() < MOST_TARGETS;
    if fits {
        targets.push(value.to_owned());
    }
    fits
}

fn flag(value: &str) -> Option<bool> {
    match value {
        "0" => Some(false),
        "1" => Some(true),
        _ => None,
    }
}

fn site(value: &str, of: &[Site]) -> Option<Site> {
    of.iter().copied().find(|site| site.name() == value)
}

fn place(value: &str) -> Option<(usize, usize)> {
    let (layer, at) = value.split_once('.')?;
    let number = |text: &str| text.parse().ok().filter(|number| *number < 10_000);
    Some((number(layer)?, number(at)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(fragment: &str) -> Link {
        let (link, broken) = Link::read(fragment);
        assert_eq!(broken, Vec::new(), "{fragment}");
        link
    }

    #[test]
    fn the_page_at_its_start_needs_no_fragment() {
        assert_eq!(Link::default().write(), "");
        assert_eq!(read(""), Link::default());
        assert_eq!(read("#"), Link::default());
    }

    #[test]
    fn a_link_is_short_and_readable() {
        let link = Link {
            example: Some("kinds".to_owned()),
            pair: of_example("kinds").unwrap().pair(),
            method: Method::Atp,
            pin: Some((5, 14)),
            scores: Scores::Error,
            ..Link::default()
        };
        assert_eq!(link.write(), "v=1&pair=kinds&method=atp&show=error&pin=5.14");
        assert_eq!(read("#v=1&pair=kinds&method=atp&show=error&pin=5.14"), link);
    }

    #[test]
    fn another_look_is_no_other_question() {
        let usual = Link::default();
        let look = Link { percent: 50, pin: Some((1, 2)), neurons: true, ..usual.clone() };
        assert!(usual.asks_the_same(&look) && look.asks_the_same(&usual));
        assert!(!usual.asks_the_same(&Link { method: Method::Ap, ..look }));
    }

    #[test]
    fn everything_comes_back() {
        let pair = PairText {
            clean: "5 % & #1 =\n“naïve” ".to_owned(),
            corrupted: "+a+ b".to_owned(),
            answers: vec![" Mary".to_owned(), " |".to_owned()],
            foils: vec![" John".to_owned()],
            bos: false,
        };
        let link = Link {
            model: Some("openai-community/gpt2".to_owned()),
            example: None,
            pair,
            method: Method::IgInputs,
            rules: "ln,ah".parse().unwrap(),
            direction: Direction::Noise,
            replace: Replace::Mean,
            metric: Metric::Kl,
            normalise: true,
            head_site: Site::Pattern,
            neurons: true,
            batch: true,
            scores: Scores::Change,
            percent: 80,
            own_scales: true,
            swapped: true,
            tokens_by: Site::MlpOut,
            beside: Some(Beside::Before),
            flicker: true,
            pin: Some((0, 3)),
            head: Some((11, 10)),
        };
        assert_eq!(read(&link.write()), link);
        let none = Link { rules: Rules::NONE, ..Link::default() };
        assert_eq!(read(&none.write()), none);
        let years = of_example("years-all").unwrap();
        let of_years = Link {
            example: Some(years.id.clone()),
            pair: years.pair(),
            metric: years.metric,
            ..Link::default()
        };
        assert_eq!(of_years.write(), "v=1&pair=years-all");
        assert_eq!(read(&of_years.write()), of_years);
    }

    #[test]
    fn what_cannot_be_is_said_and_left_out() {
        let broken = |fragment: &str| Link::read(fragment).1;
        let part = |name: &str| vec![Broken::Part(name.to_owned())];
        assert_eq!(broken("v=2"), [Broken::Version]);
        assert_eq!(broken("v=1&later=1"), [], "a later page knows it");
        for (fragment, name) in [
            ("method=%3Cscript%3E", "method"),
            ("pair=../../etc", "pair"),
            ("model=https://evil.example/x", "model"),
            ("model=../..", "model"),
            ("model=a/b/c", "model"),
            ("carry=0", "carry"),
            ("carry=101", "carry"),
            ("pin=1", "pin"),
            ("pin=99999999999999999999.1", "pin"),
            ("head=-1.2", "head"),
            ("heads=resid_pre", "heads"),
            ("mean=yes", "mean"),
        ] {
            assert_eq!(broken(fragment), part(name), "{fragment}");
            assert_eq!(Link::read(fragment).0, Link::default(), "{fragment}");
        }
        assert_eq!(broken(&"x".repeat(LONGEST + 1)), [Broken::TooLong]);
    }

    proptest! {
        #[test]
        fn nothing_panics_and_what_is_read_is_written_the_same(fragment in "\\PC{0,200}") {
            let (link, _) = Link::read(&fragment);
            let again = Link::read(&link.write());
            prop_assert_eq!(again, (link, Vec::new()));
        }
    }
}
