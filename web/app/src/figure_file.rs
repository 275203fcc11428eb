//! Figures as files: what is written, and what is checked before a file is shown.

use std::collections::BTreeMap;

use relp_model::{
    Config, FIGURE_SCHEMA, Figure, Grain, Map, MetricValues, PairText, Request, Rules, Site, Token,
    Tokens,
};

use crate::locale::t;

/// No figure that this program writes is larger.
pub const MOST_BYTES: usize = 64 << 20;
/// More positions or layers than any GPT-2 has; a browser could not draw them.
const MOST: usize = 4096;

/// The figure as a file.
pub fn write(figure: &Figure) -> String {
    // Nothing in a figure can fail to be written.
    serde_json::to_string_pretty(figure).unwrap_or_default()
}

/// A name that tells figures apart.
pub fn name(figure: &Figure) -> String {
    format!("relp-{}-{}-{}.json", figure.model.name, figure.method, figure.direction)
        .replace(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '.', "_")
}

/// Reads a file.
///
/// # Errors
/// If it is no figure that can be shown, in a sentence.
pub fn read(text: &str) -> Result<Figure, String> {
    let figure: Figure = serde_json::from_str(text)
        .map_err(|error| refused(&t!("refused-no-figure", error = error.to_string())))?;
    check(&figure).map_err(|why| refused(&why))?;
    Ok(figure)
}

fn refused(why: &str) -> String {
    // A message may quote the file, which may hold anything.
    let why: String = why.chars().filter(|c| !c.is_control()).take(200).collect();
    t!("refused", why = why)
}

fn check(figure: &Figure) -> Result<(), String> {
    if figure.schema != FIGURE_SCHEMA {
        return Err(t!("refused-format", format = FIGURE_SCHEMA));
    }
    let config = &figure.model.config;
    let sizes = [config.n_layer, config.n_head, config.d_model, config.d_mlp];
    if sizes.iter().any(|&size| size == 0 || size > 1 << 20) || config.n_layer > MOST {
        return Err(t!("refused-sizes"));
    }
    let texts =
        [&figure.model.name, &figure.model.sha256, &figure.version, &figure.executor.device];
    if texts.iter().any(|text| text.len() > 300) {
        return Err(t!("refused-names"));
    }
    let probabilities = figure.predictions.clean.iter().chain(&figure.predictions.corrupted);
    if !probabilities.map(|prediction| prediction.probability).all(f64::is_finite)
        || figure.convergence_error.is_some_and(|error| !error.is_finite())
    {
        return Err(t!("refused-not-finite"));
    }
    if figure.pairs.len() > MOST {
        return Err(t!("refused-pairs"));
    }
    check_pair(config, &figure.tokens, &figure.metric, &figure.maps)?;
    for pair in &figure.pairs {
        check_pair(config, &pair.tokens, &pair.metric, &pair.maps)?;
        let same = pair.tokens.clean.len() == figure.tokens.clean.len()
            && pair.maps.keys().eq(figure.maps.keys());
        if !same {
            return Err(t!("refused-pairs-differ"));
        }
    }
    Ok(())
}

fn check_pair(
    config: &Config,
    tokens: &Tokens,
    metric: &MetricValues,
    maps: &BTreeMap<Site, Map>,
) -> Result<(), String> {
    let positions = tokens.clean.len();
    if positions == 0 || positions > MOST || tokens.corrupted.len() != positions {
        return Err(t!("refused-lengths"));
    }
    if !metric.clean.is_finite() || !metric.corrupted.is_finite() {
        return Err(t!("refused-not-finite"));
    }
    if maps.is_empty() {
        return Err(t!("refused-no-map"));
    }
    for (site, map) in maps {
        check_map(config, *site, map, positions)?;
    }
    Ok(())
}

fn check_map(config: &Config, site: Site, map: &Map, positions: usize) -> Result<(), String> {
    let layers = site.layers(config);
    let shape = match (site.grain(), &map.neurons) {
        (Grain::Position, None) => vec![layers, positions],
        (Grain::Head, None) => vec![layers, positions, config.n_head],
        (Grain::Neuron, Some(neurons)) => vec![neurons.len()],
        _ => return Err(t!("refused-neurons", site = site.name())),
    };
    if map.shape != shape {
        return Err(t!("refused-extents", site = site.name()));
    }
    let cells = shape.iter().try_fold(1_usize, |cells, &extent| cells.checked_mul(extent));
    let lengths = [Some(map.values.len()), map.deviation.as_ref().map(Vec::len)];
    if lengths.into_iter().flatten().any(|length| Some(length) != cells) {
        return Err(t!("refused-values", site = site.name()));
    }
    if !map.values.iter().chain(map.deviation.iter().flatten()).all(|value| value.is_finite()) {
        return Err(t!("refused-map-not-finite", site = site.name()));
    }
    let inside = map.neurons.iter().flatten().all(|neuron| {
        neuron.layer < layers && neuron.position < positions && neuron.neuron < config.d_mlp
    });
    if inside { Ok(()) } else { Err(t!("refused-no-such-neurons", site = site.name())) }
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
    use relp_model::{Method, Neuron};

    use super::*;
    use crate::testing;

    /// What is said of a figure that was changed.
    fn said(change: impl Fn(&mut Figure)) -> String {
        let mut figure = testing::figure(2, 3);
        change(&mut figure);
        read(&write(&figure)).unwrap_err()
    }

    #[test]
    fn what_is_written_is_read() {
        let figure = testing::figure(2, 3);
        assert_eq!(read(&write(&figure)), Ok(figure.clone()));
        assert_eq!(name(&figure), "relp-m-relp-denoise.json");
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
            read("").unwrap_err(),
            read("[[[[").unwrap_err(),
            read(&"[".repeat(100_000)).unwrap_err(),
            read(&write(&testing::figure(2, 3)).replacen("0.0", "1e300", 1)).unwrap_err(),
        ];
        for sentence in cases {
            assert!(sentence.starts_with("The file cannot be shown, because "), "{sentence}");
            assert!(sentence.len() < 400 && !sentence.contains('\n'), "{sentence}");
        }
    }
}
