//! The pairs that come with the bundled model.

use std::sync::LazyLock;

use relp_model::PairText;
use serde::Deserialize;

/// A pair that a person can choose.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Example {
    /// Its name.
    pub id: String,
    /// What kind of task it is.
    pub task: String,
    /// The clean prompt.
    pub clean: String,
    /// The corrupted prompt.
    pub corrupted: String,
    /// The answer.
    pub answer: String,
    /// The foil.
    pub foil: String,
    /// What it tests, in a sentence.
    pub about: String,
}

impl Example {
    /// The pair, with BOS.
    pub fn pair(&self) -> PairText {
        PairText {
            clean: self.clean.clone(),
            corrupted: self.corrupted.clone(),
            answers: vec![self.answer.clone()],
            foils: vec![self.foil.clone()],
            bos: true,
        }
    }
}

/// All examples, in the order of the model's file. The test below proves that they can be read.
pub static EXAMPLES: LazyLock<Vec<Example>> = LazyLock::new(|| {
    let file = include_str!("../../../models/primer/examples.json");
    serde_json::from_str(file).unwrap_or_default()
});

/// The tasks, each with the positions of its examples in [`EXAMPLES`].
pub fn by_task() -> Vec<(&'static str, Vec<usize>)> {
    let mut tasks: Vec<(&str, Vec<usize>)> = Vec::new();
    for (index, example) in EXAMPLES.iter().enumerate() {
        match tasks.iter_mut().find(|(task, _)| *task == example.task) {
            Some((_, indices)) => indices.push(index),
            None => tasks.push((&example.task, vec![index])),
        }
    }
    tasks
}

/// The examples of the same task and of as many tokens as `chosen`, itself first; none if there is no other.
pub fn mates(chosen: usize, lengths: &[Option<usize>]) -> Vec<usize> {
    let length = |index: usize| lengths.get(index).copied().flatten();
    let (Some(example), Some(tokens)) = (EXAMPLES.get(chosen), length(chosen)) else {
        return Vec::new();
    };
    let others = EXAMPLES.iter().enumerate().filter(|(index, other)| {
        *index != chosen && other.task == example.task && length(*index) == Some(tokens)
    });
    let mates: Vec<usize> = [chosen].into_iter().chain(others.map(|(index, _)| index)).collect();
    if mates.len() > 1 { mates } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_at_least_eight_and_each_has_a_task() {
        assert!(EXAMPLES.len() >= 8);
        let listed: usize = by_task().iter().map(|(_, indices)| indices.len()).sum();
        assert_eq!(listed, EXAMPLES.len());
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
    }
}
