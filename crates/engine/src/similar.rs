//! Tokens that a model sees as similar: what could stand in a token's place.

use relp_model::{Field, Problem, Token, gpt2};
use relp_tape::{Feed, Outputs, Tape};

use crate::{Control, Engine, EngineError, WeightSource};

/// Candidates by their dot product, among which cosines decide: long embeddings win dot products.
const CANDIDATES: usize = 1000;

impl<S: WeightSource> Engine<S> {
    /// Up to `k` tokens that can replace the one at `position` of a prompt, so that all others stay
    /// what they are, most similar first. Similar are those whose embeddings have the largest cosine
    /// with its own; of these, such as begin alike: with a space or without, with a capital or
    /// without. If the GPU fails, the CPU takes its place, for this run and the next.
    ///
    /// # Errors
    /// If the prompt has no such position, the run fails, or `control` cancels.
    pub async fn similar(
        &mut self,
        text: &str,
        bos: bool,
        position: usize,
        k: usize,
        control: &mut impl Control,
    ) -> Result<Vec<Token>, EngineError> {
        let prompt = self.reader.tokens(text, bos);
        let Some(own) = prompt.get(position).cloned() else {
            return Err(EngineError::Pair(vec![Problem::Empty { field: Field::Clean }]));
        };
        let config = &self.reader.config;
        let n_vocab = config.n_vocab;

        let mut tape = Tape::new();
        let (ids, rows) = gpt2::embeddings(&mut tape, config, 1);
        let dots = gpt2::embedding_dots(&mut tape, config, rows.embedded);
        tape.output(rows.embedded);
        tape.output(dots);
        let mut feed = Feed::new();
        feed.ids(ids, vec![own.id]);
        rows.feed(&mut feed, config);
        let outputs = self.outputs(&tape, &feed, control).await?;
        let embedding = outputs.get(rows.embedded).to_vec();
        let candidates = largest(outputs.get(dots), CANDIDATES.min(n_vocab));

        let config = &self.reader.config;
        let mut tape = Tape::new();
        let (ids, rows) = gpt2::embeddings(&mut tape, config, candidates.len());
        tape.output(rows.embedded);
        let mut feed = Feed::new();
        feed.ids(ids, candidates.clone());
        rows.feed(&mut feed, config);
        let outputs: Outputs = self.outputs(&tape, &feed, control).await?;
        let found = outputs.get(rows.embedded);
        // What all embeddings have in common tells none from another.
        let middle = mean(found, embedding.len());
        let apart = |row: &[f32]| -> Vec<f32> {
            row.iter().zip(&middle).map(|(x, mean)| x - mean).collect()
        };
        let own_direction = apart(&embedding);
        let rows = found.chunks(embedding.len().max(1));
        let cosines = rows.map(|row| cosine(&apart(row), &own_direction));
        let mut ranked: Vec<(u32, f64)> = candidates.into_iter().zip(cosines).collect();
        ranked.sort_by(|(_, a), (_, b)| b.total_cmp(a));

        let reader = &self.reader;
        let fits = |id: u32| {
            let token = reader.token(id)?;
            let alike = token.id != own.id && begins(&token.text) == begins(&own.text);
            (alike && reader.replaced(&prompt, position, &token.text, bos).is_some())
                .then_some(token)
        };
        Ok(ranked.into_iter().filter_map(|(id, _)| fits(id)).take(k).collect())
    }
}

/// Whether there is a space before the word, and how the word begins.
fn begins(text: &str) -> (bool, Option<bool>, bool) {
    let word = text.trim_start();
    let first = word.chars().next();
    let letters = first.filter(|c| c.is_alphabetic());
    (word.len() < text.len(), letters.map(char::is_uppercase), first.is_some_and(char::is_numeric))
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
    };
    let sizes = (dot(a, a) * dot(b, b)).sqrt();
    if sizes > 0.0 { dot(a, b) / sizes } else { 0.0 }
}

/// The mean of rows of a width.
fn mean(rows: &[f32], width: usize) -> Vec<f32> {
    let count = (rows.len() / width.max(1)).max(1) as f32;
    let mut mean = vec![0.0; width];
    for row in rows.chunks(width.max(1)) {
        mean.iter_mut().zip(row).for_each(|(mean, x)| *mean += x / count);
    }
    mean
}

/// The indices of the `k` largest values.
fn largest(values: &[f32], k: usize) -> Vec<u32> {
    let mut indices: Vec<u32> = (0..values.len() as u32).collect();
    indices.sort_by(|&a, &b| values[b as usize].total_cmp(&values[a as usize]));
    indices.truncate(k);
    indices
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings_tell_spaces_capitals_and_digits_apart() {
        assert_eq!(begins(" Mary"), begins(" John"));
        assert_ne!(begins(" Mary"), begins("Mary"));
        assert_ne!(begins(" Mary"), begins(" mary"));
        assert_ne!(begins(" 17"), begins(" ,"));
        assert_eq!(begins("17"), begins("52"));
    }

    #[test]
    fn similarity_does_not_depend_on_length() {
        assert!((cosine(&[1.0, 0.0], &[5.0, 0.0]) - 1.0).abs() < 1e-12);
        assert!(cosine(&[1.0, 0.0], &[0.0, 2.0]).abs() < 1e-12);
        assert_eq!(cosine(&[0.0, 0.0], &[0.0, 2.0]), 0.0);
        assert_eq!(largest(&[0.5, -1.0, 3.0], 2), [2, 0]);
        assert_eq!(mean(&[1.0, 2.0, 3.0, 6.0], 2), [2.0, 4.0]);
        assert!(mean(&[], 0).is_empty());
    }
}
