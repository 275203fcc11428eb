//! Maps and figures for tests.

use relp_model::Map;

/// A map of these extents.
pub fn map(shape: &[usize], values: Vec<f32>) -> Map {
    let axes = ["layer", "position", "head"].into_iter().take(shape.len());
    let axes = axes.map(str::to_owned).collect();
    Map { shape: shape.to_vec(), axes, values, deviation: None, neurons: None }
}
