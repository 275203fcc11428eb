//! What is wrong or odd about a pair or a device, in the page's language. `relp-model` says the same in
//! English, to programs and at the command line; a test holds the two together.

use relp_model::{FIGURE_SCHEMA, Fallback, Field, Note, Problem, Replace, Unusable};

use crate::locale::{number, t};

fn field(field: Field) -> String {
    match field {
        Field::Clean => t!("field-clean"),
        Field::Corrupted => t!("field-corrupted"),
        Field::Answer => t!("field-answer"),
        Field::Foil => t!("field-foil"),
        Field::Normalise => t!("field-normalise"),
        Field::Metric => t!("field-metric"),
        Field::Replace => t!("field-replace"),
    }
}

/// Why a pair cannot be compared, in a sentence with a suggestion.
pub fn problem(problem: &Problem) -> String {
    match problem {
        Problem::Empty { field: at @ (Field::Answer | Field::Foil) } => {
            t!("problem-empty-answer", field = field(*at))
        }
        Problem::Empty { field: at } => t!("problem-empty-prompt", field = field(*at)),
        Problem::TooLong { field: at, tokens, most } => {
            t!("problem-too-long", field = field(*at), tokens = *tokens, most = *most)
        }
        Problem::UnequalLength { clean, corrupted } => {
            t!("problem-unequal-length", clean = *clean, corrupted = *corrupted)
        }
        Problem::Identical => t!("problem-identical"),
        Problem::NotOneToken { field: at, pieces, suggestion } => {
            let quoted: Vec<String> = pieces.iter().map(|piece| format!("{piece:?}")).collect();
            let (count, quoted) = (pieces.len(), quoted.join(" + "));
            match suggestion {
                Some(suggestion) => t!(
                    "problem-not-one-token-but",
                    field = field(*at),
                    count = count,
                    pieces = quoted,
                    suggestion = format!("{suggestion:?}"),
                ),
                None => {
                    t!("problem-not-one-token", field = field(*at), count = count, pieces = quoted)
                }
            }
        }
        Problem::SameAnswer { text } => t!("problem-same-answer", text = format!("{text:?}")),
        Problem::FlatMetric => t!("problem-flat-metric"),
        Problem::NoSuchAblation { what, replace } => {
            let what = what.as_str();
            match replace {
                Replace::Source => t!("problem-no-such-replacement", what = what),
                Replace::Zero => t!("problem-no-such-zero-ablation", what = what),
                Replace::Mean => t!("problem-no-such-mean-ablation", what = what),
            }
        }
        Problem::TooCloseToNormalise { clean, corrupted } => t!(
            "problem-too-close",
            clean = number(&format!("{clean:.3}")),
            corrupted = number(&format!("{corrupted:.3}")),
        ),
    }
}

/// What is allowed but seldom meant.
pub fn note(note: &Note) -> String {
    match note {
        Note::TrailingSpace { field: at } => t!("note-trailing-space", field = field(*at)),
        Note::NoLeadingSpace { field: at, with_space } => {
            t!("note-no-leading-space", field = field(*at), text = format!("{with_space:?}"))
        }
        Note::Joined { field: at, text, after, tokens } => {
            let tokens: Vec<String> = tokens.iter().map(|token| format!("{token:?}")).collect();
            t!(
                "note-joined",
                after = field(*after),
                field = field(*at),
                text = format!("{text:?}"),
                tokens = tokens.join(" "),
            )
        }
    }
}

/// Why the CPU computes.
pub fn fallback(fallback: &Fallback) -> String {
    match fallback {
        Fallback::None => t!("fallback-none"),
        Fallback::Software(name) => t!("fallback-software", name = name.as_str()),
        Fallback::Failed(why) => t!("fallback-failed", why = why.as_str()),
    }
}

/// Why a text is no figure, as a clause.
pub fn unusable(why: &Unusable) -> String {
    match why {
        Unusable::NoFigure { error } => t!("refused-no-figure", error = error.as_str()),
        Unusable::Format => t!("refused-format", format = FIGURE_SCHEMA),
        Unusable::Sizes => t!("refused-sizes"),
        Unusable::Names => t!("refused-names"),
        Unusable::NotFinite => t!("refused-not-finite"),
        Unusable::TooManyPairs => t!("refused-pairs"),
        Unusable::PairsDiffer => t!("refused-pairs-differ"),
        Unusable::Lengths => t!("refused-lengths"),
        Unusable::NoMap => t!("refused-no-map"),
        Unusable::Neurons { site } => t!("refused-neurons", site = site.name()),
        Unusable::Extents { site } => t!("refused-extents", site = site.name()),
        Unusable::Values { site } => t!("refused-values", site = site.name()),
        Unusable::MapNotFinite { site } => t!("refused-map-not-finite", site = site.name()),
        Unusable::NoSuchNeurons { site } => t!("refused-no-such-neurons", site = site.name()),
    }
}

#[cfg(test)]
mod tests {
    use relp_model::Site;

    use super::*;

    #[test]
    fn english_is_what_the_command_line_says() {
        let text = || " Mary".to_owned();
        let not_one = |suggestion| Problem::NotOneToken {
            field: Field::Answer,
            pieces: vec![text(), text()],
            suggestion,
        };
        let ablation =
            |replace| Problem::NoSuchAblation { what: "the pattern".to_owned(), replace };
        for one in [
            Problem::Empty { field: Field::Foil },
            Problem::Empty { field: Field::Clean },
            Problem::TooLong { field: Field::Corrupted, tokens: 2000, most: 1024 },
            Problem::UnequalLength { clean: 5, corrupted: 6 },
            Problem::Identical,
            not_one(None),
            not_one(Some(text())),
            Problem::SameAnswer { text: text() },
            Problem::FlatMetric,
            ablation(Replace::Zero),
            ablation(Replace::Mean),
            Problem::TooCloseToNormalise { clean: 1.0, corrupted: 1.001 },
        ] {
            assert_eq!(problem(&one), one.to_string());
        }
        for one in [
            Note::TrailingSpace { field: Field::Clean },
            Note::NoLeadingSpace { field: Field::Answer, with_space: text() },
            Note::Joined {
                field: Field::Answer,
                text: text(),
                after: Field::Clean,
                tokens: vec![text(), text()],
            },
        ] {
            assert_eq!(note(&one), one.to_string());
        }
        let site = Site::ResidPre;
        for one in [
            Unusable::NoFigure { error: "x".to_owned() },
            Unusable::Format,
            Unusable::Sizes,
            Unusable::Names,
            Unusable::NotFinite,
            Unusable::TooManyPairs,
            Unusable::PairsDiffer,
            Unusable::Lengths,
            Unusable::NoMap,
            Unusable::Neurons { site },
            Unusable::Extents { site },
            Unusable::Values { site },
            Unusable::MapNotFinite { site },
            Unusable::NoSuchNeurons { site },
        ] {
            assert_eq!(unusable(&one), one.to_string());
        }
        let name = || "SwiftShader".to_owned();
        for one in [Fallback::None, Fallback::Software(name()), Fallback::Failed(name())] {
            assert_eq!(fallback(&one), one.to_string());
        }
    }
}
