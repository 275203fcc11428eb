//! What each lesson consists of. Its words are in the languages' files.

use relp_model::{Method, PairText, Rules};

use crate::examples::{EXAMPLES, Example};

/// A lesson.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lesson {
    /// What patching is.
    Patching,
    /// Where gradients fail.
    Gradients,
    /// What each rule does.
    Rules,
    /// Which heads move the name.
    NameMovers,
    /// When RelP is wrong.
    WhenWrong,
}

/// A step of a lesson.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// The message that it shows.
    pub text: &'static str,
    /// What it asks for.
    pub kind: Kind,
    /// How fields and switches stand when it begins, if it changes them.
    pub begin: Option<Setting>,
}

/// What a step asks for.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// To read.
    Say,
    /// To predict before the answer is shown.
    Predict {
        /// The messages to choose from.
        options: &'static [&'static str],
        /// Whether what comes of it is told at once; else a later step tells it.
        at_once: bool,
    },
    /// To do something on the page.
    Do(Deed),
    /// To read what came of the prediction of an earlier step.
    Tell(usize),
}

/// Something that is done on the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Pin a cell at the last position that carries at least half of the difference.
    Pin,
    /// Have the maps show the errors.
    ShowErrors,
    /// Open the head that moves the name.
    OpenHead,
    /// Choose a method and its rules.
    Method(Method, Rules),
}

/// Fields and switches.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// The example's id.
    pub example: &'static str,
    /// The method.
    pub method: Method,
    /// The rules of RelP.
    pub rules: Rules,
}

const fn say(text: &'static str) -> Step {
    Step { text, kind: Kind::Say, begin: None }
}

const fn act(text: &'static str, deed: Deed) -> Step {
    Step { text, kind: Kind::Do(deed), begin: None }
}

const fn predict(text: &'static str, options: &'static [&'static str], at_once: bool) -> Step {
    Step { text, kind: Kind::Predict { options, at_once }, begin: None }
}

const fn tell(text: &'static str, of: usize) -> Step {
    Step { text, kind: Kind::Tell(of), begin: None }
}

const fn from(step: Step, example: &'static str, method: Method) -> Step {
    Step { begin: Some(Setting { example, method, rules: Rules::RELP }), ..step }
}

static PATCHING: [Step; 5] = [
    from(say("lesson-patching-1"), "ioi", Method::Ap),
    predict(
        "lesson-patching-2",
        &["lesson-patching-2-a", "lesson-patching-2-b", "lesson-patching-2-c"],
        true,
    ),
    predict(
        "lesson-patching-3",
        &["lesson-patching-3-a", "lesson-patching-3-b", "lesson-patching-3-c"],
        true,
    ),
    act("lesson-patching-4", Deed::Pin),
    say("lesson-patching-5"),
];

static GRADIENTS: [Step; 5] = [
    from(say("lesson-gradients-1"), "agreement-pilots", Method::Atp),
    predict(
        "lesson-gradients-2",
        &["lesson-gradients-2-a", "lesson-gradients-2-b", "lesson-gradients-2-c"],
        true,
    ),
    act("lesson-gradients-3", Deed::ShowErrors),
    from(
        predict(
            "lesson-gradients-4",
            &["lesson-gradients-4-a", "lesson-gradients-4-b", "lesson-gradients-4-c"],
            true,
        ),
        "agreement-pilots",
        Method::Relp,
    ),
    say("lesson-gradients-5"),
];

/// The rules of RelP without the LN-rule.
pub const WITHOUT_LN: Rules = Rules { ln: false, ..Rules::RELP };
/// The rules of RelP without the Identity-rule.
pub const WITHOUT_IDENTITY: Rules = Rules { identity: false, ..Rules::RELP };
/// The rules of RelP and the AH-rule.
pub const WITH_AH: Rules = Rules { ah: true, ..Rules::RELP };

static RULES: [Step; 6] = [
    from(say("lesson-rules-1"), "agreement-friends", Method::Relp),
    predict("lesson-rules-2", &["lesson-rules-2-a", "lesson-rules-2-b", "lesson-rules-2-c"], false),
    act("lesson-rules-3", Deed::Method(Method::Relp, WITHOUT_LN)),
    act("lesson-rules-4", Deed::Method(Method::Relp, WITHOUT_IDENTITY)),
    act("lesson-rules-5", Deed::Method(Method::Relp, WITH_AH)),
    tell("lesson-rules-6", 1),
];

static NAME_MOVERS: [Step; 5] = [
    from(say("lesson-movers-1"), "ioi", Method::Relp),
    predict(
        "lesson-movers-2",
        &["lesson-movers-2-a", "lesson-movers-2-b", "lesson-movers-2-c"],
        true,
    ),
    predict(
        "lesson-movers-3",
        &["lesson-movers-3-a", "lesson-movers-3-b", "lesson-movers-3-c"],
        false,
    ),
    act("lesson-movers-4", Deed::OpenHead),
    tell("lesson-movers-5", 2),
];

static WHEN_WRONG: [Step; 6] = [
    from(say("lesson-wrong-1"), "induction-names", Method::Relp),
    predict("lesson-wrong-2", &["lesson-wrong-2-a", "lesson-wrong-2-b"], false),
    act("lesson-wrong-3", Deed::Method(Method::Atp, Rules::RELP)),
    act("lesson-wrong-4", Deed::Method(Method::Relp, WITHOUT_LN)),
    tell("lesson-wrong-5", 1),
    say("lesson-wrong-6"),
];

impl Lesson {
    /// All lessons, in the order in which they build on each other.
    pub const ALL: [Self; 5] =
        [Self::Patching, Self::NameMovers, Self::Gradients, Self::Rules, Self::WhenWrong];

    /// Its name in addresses and tests.
    pub fn name(self) -> &'static str {
        match self {
            Self::Patching => "patching",
            Self::Gradients => "gradients",
            Self::Rules => "rules",
            Self::NameMovers => "name-movers",
            Self::WhenWrong => "when-wrong",
        }
    }

    /// The message with its title.
    pub fn title(self) -> &'static str {
        match self {
            Self::Patching => "lesson-patching",
            Self::Gradients => "lesson-gradients",
            Self::Rules => "lesson-rules",
            Self::NameMovers => "lesson-movers",
            Self::WhenWrong => "lesson-wrong",
        }
    }

    /// Its steps.
    pub fn steps(self) -> &'static [Step] {
        match self {
            Self::Patching => &PATCHING,
            Self::Gradients => &GRADIENTS,
            Self::Rules => &RULES,
            Self::NameMovers => &NAME_MOVERS,
            Self::WhenWrong => &WHEN_WRONG,
        }
    }

    /// The pair that it is about.
    pub fn pair(self) -> Option<PairText> {
        let id = self.steps().iter().find_map(|step| step.begin.as_ref())?.example;
        EXAMPLES.iter().find(|example| example.id == id).map(Example::pair)
    }
}
