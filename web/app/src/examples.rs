//! The built-in tasks and their pairs: those that the bundled model can do, and others of the field.

use std::sync::LazyLock;

use relp_model::{Metric, PairText, Survey};
use serde::Deserialize;

/// A pair that a person can choose.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(from = "Written")]
pub struct Example {
    /// Its name.
    pub id: String,
    /// The task that it is of.
    pub task: String,
    /// The clean prompt.
    pub clean: String,
    /// The corrupted prompt.
    pub corrupted: String,
    /// The answers.
    pub answers: Vec<String>,
    /// The foils.
    pub foils: Vec<String>,
    /// The metric that it is meant for.
    pub metric: Metric,
}

/// A pair as it stands in a file: with one answer and foil, or several.
#[derive(Deserialize)]
struct Written {
    id: String,
    task: String,
    clean: String,
    corrupted: String,
    answer: Option<String>,
    #[serde(default)]
    answers: Vec<String>,
    foil: Option<String>,
    #[serde(default)]
    foils: Vec<String>,
    #[serde(default)]
    metric: Metric,
}

impl From<Written> for Example {
    fn from(written: Written) -> Self {
        let Written { id, task, clean, corrupted, answer, answers, foil, foils, metric } = written;
        let answers = answer.into_iter().chain(answers).collect();
        let foils = foil.into_iter().chain(foils).collect();
        Self { id, task, clean, corrupted, answers, foils, metric }
    }
}

impl Example {
    /// The pair, with BOS.
    pub fn pair(&self) -> PairText {
        PairText {
            clean: self.clean.clone(),
            corrupted: self.corrupted.clone(),
            answers: self.answers.clone(),
            foils: self.foils.clone(),
            bos: true,
        }
    }
}

/// A task, whose words are in the languages' files under its id.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Task {
    /// Its id.
    pub id: String,
    /// Its name in the pairs' files.
    pub task: String,
    /// Where it is from.
    pub source: String,
}

impl Task {
    /// The positions of its pairs in [`EXAMPLES`].
    pub fn pairs(&self) -> Vec<usize> {
        let of = |(index, example): (usize, &Example)| (example.task == self.task).then_some(index);
        EXAMPLES.iter().enumerate().filter_map(of).collect()
    }
}

#[derive(Default, Deserialize)]
struct Tasks {
    tasks: Vec<Task>,
    pairs: Vec<Example>,
}

const BUNDLED: &str = include_str!("../../../models/primer/examples.json");
const FURTHER: &str = include_str!("../../../models/tasks.json");

/// All tasks. A test proves that they can be read.
pub static TASKS: LazyLock<Vec<Task>> =
    LazyLock::new(|| serde_json::from_str::<Tasks>(FURTHER).unwrap_or_default().tasks);

/// All pairs, those of the bundled model first. A test proves that they can be read.
pub static EXAMPLES: LazyLock<Vec<Example>> = LazyLock::new(|| {
    let mut pairs: Vec<Example> = serde_json::from_str(BUNDLED).unwrap_or_default();
    pairs.extend(serde_json::from_str::<Tasks>(FURTHER).unwrap_or_default().pairs);
    pairs
});

/// The examples of the same task and of as many tokens as `chosen`, itself first; none if there is no other.
pub fn mates(chosen: usize, lengths: &[Option<usize>]) -> Vec<usize> {
    let length = |index: usize| lengths.get(index).copied().flatten();
    let (Some(example), Some(tokens)) = (EXAMPLES.get(chosen), length(chosen)) else {
        return Vec::new();
    };
    let others = EXAMPLES.iter().enumerate().filter(|(index, other)| {
        *index != chosen
            && other.task == example.task
            && other.metric == example.metric
            && other.answers.len() == example.answers.len()
            && length(*index) == Some(tokens)
    });
    let mates: Vec<usize> = [chosen].into_iter().chain(others.map(|(index, _)| index)).collect();
    if mates.len() > 1 { mates } else { Vec::new() }
}

/// What is known of how the loaded model does on a pair.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Surveyed {
    /// Nobody has asked.
    #[default]
    Unknown,
    /// This.
    Here(Survey),
    /// It cannot be asked this pair, whose words are not in its vocabulary.
    NotAskable,
}

/// How the loaded model does on a task, from what is known of its pairs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Success {
    /// Pairs in which it prefers the answer after the clean prompt.
    pub right: usize,
    /// Pairs that are known.
    pub of: usize,
    /// Pairs that it cannot be asked.
    pub not_askable: usize,
    /// Mean of the metric over the clean prompts.
    pub clean: f64,
    /// Mean of the metric over the corrupted prompts.
    pub corrupted: f64,
}

/// A judgement in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing is known yet.
    Unknown,
    /// It is right on every pair.
    Does,
    /// It is right on some.
    Mixed,
    /// It is wrong on every pair, so that maps explain mistakes.
    Fails,
    /// It can be asked none of them.
    NotAskable,
}

impl Success {
    /// Of these pairs.
    pub fn of<'a>(surveys: impl IntoIterator<Item = &'a Surveyed>) -> Self {
        let mut success = Self::default();
        for surveyed in surveys {
            match surveyed {
                Surveyed::Unknown => {}
                Surveyed::NotAskable => success.not_askable += 1,
                Surveyed::Here(survey) => {
                    success.of += 1;
                    success.right += usize::from(survey.is_right());
                    success.clean += survey.clean;
                    success.corrupted += survey.corrupted;
                }
            }
        }
        let of = success.of.max(1) as f64;
        Self { clean: success.clean / of, corrupted: success.corrupted / of, ..success }
    }

    /// The judgement.
    pub fn verdict(self) -> Verdict {
        match (self.right, self.of) {
            (_, 0) if self.not_askable > 0 => Verdict::NotAskable,
            (_, 0) => Verdict::Unknown,
            (0, _) => Verdict::Fails,
            (right, of) if right == of => Verdict::Does,
            _ => Verdict::Mixed,
        }
    }
}

#[cfg(test)]
mod tests {
    use relp_model::Token;

    use super::*;
    use crate::locale::{Language, speak, t};

    #[test]
    fn every_pair_has_a_task_and_every_task_a_pair() {
        assert!(EXAMPLES.len() >= 33 && TASKS.len() >= 11);
        let listed: usize = TASKS.iter().map(|task| task.pairs().len()).sum();
        assert_eq!(listed, EXAMPLES.len());
        assert!(TASKS.iter().all(|task| !task.pairs().is_empty() && !task.source.is_empty()));
        assert!(EXAMPLES.iter().all(|one| !one.answers.is_empty() && !one.foils.is_empty()));
    }

    #[test]
    fn tasks_and_pairs_have_their_words_in_every_language() {
        for language in Language::ALL {
            speak(language);
            for task in TASKS.iter() {
                assert!(!t!(&format!("task-{}", task.id)).is_empty());
                assert!(t!(&format!("task-{}-about", task.id)).ends_with('.'));
            }
            for example in EXAMPLES.iter() {
                assert!(t!(&format!("pair-{}", example.id)).ends_with('.'), "{}", example.id);
            }
        }
    }

    #[test]
    fn mates_are_of_one_task_and_length() {
        let mut lengths = vec![Some(9); EXAMPLES.len()];
        let all = mates(0, &lengths);
        assert!(all.len() > 1 && all[0] == 0);
        lengths[all[1]] = Some(8);
        assert_eq!(mates(0, &lengths).len(), all.len() - 1);
        assert!(mates(all[1], &lengths).is_empty(), "it is alone");
        assert!(mates(0, &[]).is_empty(), "nothing is known");
        let all_years = EXAMPLES.iter().position(|one| one.metric == Metric::ProbDiff);
        let lengths = vec![Some(9); EXAMPLES.len()];
        assert!(mates(all_years.unwrap(), &lengths).is_empty(), "another metric has another mean");
    }

    #[test]
    fn a_task_that_is_wrong_throughout_fails() {
        let survey = |clean, corrupted| {
            let likeliest = Token { id: 0, text: "a".to_owned() };
            Surveyed::Here(Survey { tokens: 5, clean, corrupted, rank: 0, likeliest })
        };
        let verdict = |all: &[Surveyed]| Success::of(all).verdict();
        assert_eq!(verdict(&[Surveyed::Unknown]), Verdict::Unknown);
        assert_eq!(verdict(&[Surveyed::NotAskable, Surveyed::Unknown]), Verdict::NotAskable);
        assert_eq!(verdict(&[survey(-1.0, -2.0), Surveyed::NotAskable]), Verdict::Fails);
        assert_eq!(verdict(&[survey(1.0, -2.0), survey(-1.0, 0.0)]), Verdict::Mixed);
        let success = Success::of(&[survey(1.0, -2.0), survey(3.0, 0.0)]);
        assert_eq!(success.verdict(), Verdict::Does);
        assert_eq!((success.clean, success.corrupted), (2.0, -1.0));
        assert_eq!((success.right, success.of), (2, 2));
    }
}
