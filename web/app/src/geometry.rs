//! Where the cells and labels of a map lie, in CSS pixels.

/// The layout of a map of layers (upward) by positions (to the right).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Geometry {
    layers: usize,
    positions: usize,
    /// Width of a cell.
    pub cell_width: f64,
    /// Height of a cell.
    pub cell_height: f64,
    /// Room for the slanted tokens.
    below: f64,
}

/// Room for the layers' numbers.
const LEFT: f64 = 30.0;
const TOP: f64 = 4.0;
const RIGHT: f64 = 6.0;
/// How far down a character of a slanted token reaches.
const PER_CHARACTER: f64 = 5.5;
/// The cells' share of a panel that fits three times into the usual screen.
const CELLS_WIDTH: f64 = 345.0;
const CELLS_HEIGHT: f64 = 150.0;
/// Lines of text closer than this would overlap.
const LINE: f64 = 12.0;

impl Geometry {
    /// The layout for so many layers and positions, of which there is at least one each, with
    /// tokens of at most `longest` characters.
    pub fn new(layers: usize, positions: usize, longest: usize) -> Self {
        let (layers, positions) = (layers.max(1), positions.max(1));
        Self {
            layers,
            positions,
            cell_width: (CELLS_WIDTH / positions as f64).clamp(13.0, 34.0),
            cell_height: (CELLS_HEIGHT / layers as f64).clamp(13.0, 25.0),
            below: 18.0 + PER_CHARACTER * longest as f64,
        }
    }

    /// Width of the whole drawing.
    pub fn width(self) -> f64 {
        LEFT + self.cell_width * self.positions as f64 + RIGHT
    }

    /// Height of the whole drawing.
    pub fn height(self) -> f64 {
        self.floor() + self.below
    }

    /// The left edge of a position's column.
    pub fn x(self, position: usize) -> f64 {
        LEFT + self.cell_width * position as f64
    }

    /// The upper edge of a layer's row; layer 0 is the lowest.
    pub fn y(self, layer: usize) -> f64 {
        TOP + self.cell_height * (self.layers - 1 - layer.min(self.layers - 1)) as f64
    }

    /// The lower edge of the cells.
    pub fn floor(self) -> f64 {
        TOP + self.cell_height * self.layers as f64
    }

    /// Every how many layers there is a number.
    pub fn layer_step(self) -> usize {
        step(self.cell_height)
    }

    /// Every how many positions there is a token.
    pub fn position_step(self) -> usize {
        step(self.cell_width)
    }

    /// The cell that an arrow key, Home or End leads to from a cell; `None` for other keys.
    pub fn neighbour(self, (layer, position): (usize, usize), key: &str) -> Option<(usize, usize)> {
        let (last_layer, last_position) = (self.layers - 1, self.positions - 1);
        Some(match key {
            "ArrowUp" => ((layer + 1).min(last_layer), position),
            "ArrowDown" => (layer.saturating_sub(1), position),
            "ArrowRight" => (layer, (position + 1).min(last_position)),
            "ArrowLeft" => (layer, position.saturating_sub(1)),
            "Home" => (layer, 0),
            "End" => (layer, last_position),
            "PageUp" => (last_layer, position),
            "PageDown" => (0, position),
            _ => return None,
        })
    }
}

fn step(pixels: f64) -> usize {
    (LINE / pixels).ceil().max(1.0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layer_0_is_the_lowest_row() {
        let geometry = Geometry::new(6, 15, 8);
        assert!(geometry.y(0) > geometry.y(5));
        assert_eq!(geometry.y(0) + geometry.cell_height, geometry.floor());
        assert!(geometry.width() < 400.0, "three panels fit side by side");
    }

    #[test]
    fn labels_do_not_overlap() {
        for (layers, positions) in [(1, 1), (6, 15), (12, 64), (36, 64), (48, 1024)] {
            let geometry = Geometry::new(layers, positions, 8);
            assert!(geometry.cell_width * geometry.position_step() as f64 >= LINE);
            assert!(geometry.cell_height * geometry.layer_step() as f64 >= LINE);
        }
    }

    #[test]
    fn keys_walk_and_stop_at_the_edges() {
        let geometry = Geometry::new(2, 3, 8);
        assert_eq!(geometry.neighbour((0, 0), "ArrowUp"), Some((1, 0)));
        assert_eq!(geometry.neighbour((1, 2), "ArrowUp"), Some((1, 2)));
        assert_eq!(geometry.neighbour((1, 2), "ArrowRight"), Some((1, 2)));
        assert_eq!(geometry.neighbour((0, 0), "ArrowLeft"), Some((0, 0)));
        assert_eq!(geometry.neighbour((1, 1), "End"), Some((1, 2)));
        assert_eq!(geometry.neighbour((1, 1), "a"), None);
    }
}
