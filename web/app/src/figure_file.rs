//! Figures as files: what is written, and what is checked before a file is shown.

use relp_model::{Figure, PairText, Request, Rules, Token, Tokens};
use relp_print::NotThere;

use crate::locale::t;
use crate::words;

/// No figure that this program writes is larger.
pub const MOST_BYTES: usize = 64 << 20;

/// A name that tells figures apart.
pub fn name(figure: &Figure, extension: &str) -> String {
    format!("relp-{}-{}-{}.{extension}", figure.model.name, figure.method, figure.direction)
        .replace(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '.', "_")
}

/// Reads a figure out of a JSON, SVG, PNG, TikZ or HTML file.
///
/// # Errors
/// If it is no figure that can be shown, in a sentence.
pub fn read(file: &[u8]) -> Result<Figure, String> {
    relp_print::embedded(file).map_err(|why| match why {
        NotThere::Nothing => t!("refused", why = t!("refused-nothing")),
        NotThere::Unusable(why) => t!("refused", why = words::unusable(&why)),
    })
}

/// What the figure answers.
pub fn request(figure: &Figure) -> Request {
    let text = |tokens: &Tokens, answers: &[Token], foils: &[Token]| {
        let bos = |tokens: &[Token]| tokens.first().is_some_and(|token| token.text == BOS);
        let bos = bos(&tokens.clean) && bos(&tokens.corrupted);
        let prompt = |tokens: &[Token]| {
            tokens.iter().skip(usize::from(bos)).map(|token| token.text.as_str()).collect()
        };
        let texts = |tokens: &[Token]| tokens.iter().map(|token| token.text.clone()).collect();
        PairText {
            clean: prompt(&tokens.clean),
            corrupted: prompt(&tokens.corrupted),
            answers: texts(answers),
            foils: texts(foils),
            bos,
        }
    };
    let pairs = figure.pairs.iter();
    Request {
        pair: text(&figure.tokens, &figure.answers, &figure.foils),
        batch: pairs.map(|pair| text(&pair.tokens, &pair.answers, &pair.foils)).collect(),
        method: figure.method,
        rules: if figure.method == relp_model::Method::Relp { figure.rules } else { Rules::RELP },
        direction: figure.direction,
        replace: figure.replace.unwrap_or_default(),
        metric: figure.metric.name,
        sites: figure.maps.keys().copied().collect(),
        normalise: figure.normalised,
        steps: figure.steps.unwrap_or(Request::STEPS),
        ..Request::default()
    }
}

const BOS: &str = "<|endoftext|>";

#[cfg(test)]
mod tests {
    use relp_model::{Map, Method, Neuron};

    use super::*;
    use crate::testing;

    fn write(figure: &Figure) -> String {
        serde_json::to_string(figure).expect("it can be written")
    }

    /// What is said of a figure that was changed.
    fn said(change: impl Fn(&mut Figure)) -> String {
        let mut figure = testing::figure(2, 3);
        change(&mut figure);
        read(write(&figure).as_bytes()).unwrap_err()
    }

    #[test]
    fn what_is_written_is_read() {
        let figure = testing::figure(2, 3);
        assert_eq!(read(write(&figure).as_bytes()), Ok(figure.clone()));
        assert_eq!(name(&figure, "json"), "relp-m-relp-denoise.json");
        let asked = request(&figure);
        assert_eq!((asked.pair.clean.as_str(), asked.pair.bos), (" t0 t1 t2", false));
        assert_eq!((asked.pair.answers, asked.method), (vec![" t1".to_owned()], Method::Relp));
    }

    #[test]
    fn hostile_files_end_in_one_sentence() {
        let map = |figure: &mut Figure, change: &dyn Fn(&mut Map)| {
            figure.maps.values_mut().for_each(change);
        };
        let cases = [
            said(|figure| figure.schema = "relp-figure/2".to_owned()),
            said(|figure| figure.tokens.corrupted.truncate(2)),
            said(|figure| map(figure, &|map| map.values.truncate(1))),
            said(|figure| map(figure, &|map| map.shape = vec![usize::MAX, usize::MAX])),
            said(|figure| map(figure, &|map| map.shape = Vec::new())),
            said(|figure| map(figure, &|map| map.deviation = Some(Vec::new()))),
            said(|figure| {
                map(figure, &|map| {
                    map.neurons = Some(vec![Neuron { layer: 9, position: 0, neuron: 0 }]);
                });
            }),
            said(|figure| figure.model.config.n_layer = 0),
            said(|figure| figure.maps.clear()),
            said(|figure| figure.model.name = "x".repeat(10_000)),
            read(b"").unwrap_err(),
            read(b"[[[[").unwrap_err(),
            read("[".repeat(100_000).as_bytes()).unwrap_err(),
            read(write(&testing::figure(2, 3)).replacen("0.0", "1e300", 1).as_bytes()).unwrap_err(),
        ];
        for sentence in cases {
            assert!(sentence.starts_with("The file cannot be shown, because "), "{sentence}");
            assert!(sentence.len() < 400 && !sentence.contains('\n'), "{sentence}");
        }
    }
}
