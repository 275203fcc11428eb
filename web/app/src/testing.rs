//! Maps and figures for tests.

use relp_model::{
    Config, Direction, Executor, FIGURE_SCHEMA, Figure, Kind, Map, Method, Metric, MetricValues,
    ModelInfo, Predictions, Replace, Rules, Site, Token, Tokens,
};

/// A map of these extents.
pub fn map(shape: &[usize], values: Vec<f32>) -> Map {
    let axes = ["layer", "position", "head"].into_iter().take(shape.len());
    let axes = axes.map(str::to_owned).collect();
    Map { shape: shape.to_vec(), axes, values, deviation: None, neurons: None }
}

/// A figure of the paper's sites, whose scores count up from 0.
pub fn figure(layers: usize, positions: usize) -> Figure {
    let token = |id: usize| Token { id: id as u32, text: format!(" t{id}") };
    let tokens: Vec<Token> = (0..positions).map(token).collect();
    let values = (0..layers * positions).map(|i| i as f32).collect::<Vec<_>>();
    let maps = Site::PAPER.map(|site| (site, map(&[layers, positions], values.clone())));
    let config = Config {
        n_layer: layers,
        n_head: 2,
        d_model: 4,
        d_mlp: 5,
        n_vocab: 100,
        n_ctx: 64,
        eps: 1e-5,
        tied: true,
    };
    Figure {
        schema: FIGURE_SCHEMA.to_owned(),
        model: ModelInfo {
            name: "m".to_owned(),
            sha256: "0".repeat(64),
            weights: relp_model::Precision::F32,
            config,
        },
        tokens: Tokens { clean: tokens.clone(), corrupted: tokens },
        answers: vec![token(1)],
        foils: vec![token(2)],
        metric: MetricValues { name: Metric::LogitDiff, clean: 3.0, corrupted: -1.0 },
        predictions: Predictions { clean: Vec::new(), corrupted: Vec::new() },
        method: Method::Relp,
        steps: None,
        convergence_error: None,
        rules: Rules::RELP,
        direction: Direction::Denoise,
        replace: Some(Replace::Source),
        normalised: false,
        executor: Executor { kind: Kind::Cpu, device: "a device".to_owned() },
        version: "0".to_owned(),
        maps: maps.into(),
        pairs: Vec::new(),
    }
}
