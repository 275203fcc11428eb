//! The figure that is shown beside the exact one: what the maps draw, and where the points of the
//! scatter lie.

use std::sync::Arc;

use relp_model::{Figure, Map, Site};

use crate::state::{Exact, Scores};

/// What the maps draw: the figure, the exact one, or the difference. As long as the exact one is not
/// there, it is the figure.
pub fn drawn(figure: &Arc<Figure>, exact: &Exact, scores: Scores) -> Arc<Figure> {
    match (exact, scores) {
        (Exact::Here(exact), Scores::Exact) => exact.clone(),
        (Exact::Here(exact), Scores::Error) => {
            let mut error = Figure::clone(figure);
            for (site, map) in &mut error.maps {
                if let Some(exact) = exact.maps.get(site) {
                    let both = map.values.iter_mut().zip(&exact.values);
                    both.for_each(|(value, exact)| *value -= exact);
                }
            }
            Arc::new(error)
        }
        _ => figure.clone(),
    }
}

/// Scores of heads, \[layer, head\], each summed over the positions.
pub fn by_head(map: &Map) -> Map {
    let heads = map.shape.get(2).copied().unwrap_or(1);
    let sum = |layer: usize, head: usize| {
        (0..map.positions())
            .filter_map(|position| {
                map.values.get((layer * map.positions() + position) * heads + head)
            })
            .sum()
    };
    let layers = map.layers();
    let values = (0..layers).flat_map(|layer| (0..heads).map(move |head| sum(layer, head)));
    Map::by_layer_and_head(layers, heads, values.collect())
}

/// The maps that are drawn of a figure: those of layers and positions, and the heads' sums.
pub fn panels(figure: &Figure) -> Vec<Map> {
    let panel = |(site, map): (&Site, &Map)| match site {
        Site::Z => by_head(map),
        _ => map.clone(),
    };
    figure.maps.iter().map(panel).collect()
}

/// A cell of both figures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Its site.
    pub site: Site,
    /// Its layer.
    pub layer: usize,
    /// Its position.
    pub position: usize,
    /// The exact score.
    pub exact: f32,
    /// The approximation.
    pub approximate: f32,
}

/// The cells of `sites` that are not 0 in both figures.
pub fn points(figure: &Figure, exact: &Figure, sites: &[Site]) -> Vec<Point> {
    let mut points = Vec::new();
    for &site in sites {
        let (Some(map), Some(exact)) = (figure.maps.get(&site), exact.maps.get(&site)) else {
            continue;
        };
        for layer in 0..map.layers() {
            for position in 0..map.positions() {
                let both = (map.get(layer, position), exact.get(layer, position));
                let (Some(approximate), Some(exact)) = both else { continue };
                if approximate != 0.0 || exact != 0.0 {
                    points.push(Point { site, layer, position, exact, approximate });
                }
            }
        }
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn heads_are_summed_over_positions() {
        // 2 layers, 2 positions, 3 heads.
        let map = testing::map(&[2, 2, 3], (0..12).map(|i| i as f32).collect());
        let sums = by_head(&map);
        assert_eq!(sums.shape, [2, 3]);
        assert_eq!(sums.values, [3.0, 5.0, 7.0, 15.0, 17.0, 19.0]);
    }
}
