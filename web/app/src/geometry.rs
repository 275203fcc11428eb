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
/// The cells' share of a panel that fits twice beside the question and the evidence.
const CELLS_WIDTH: f64 = 236.0;
const CELLS_HEIGHT: f64 = 114.0;
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
            cell_height: (CELLS_HEIGHT / layers as f64).clamp(10.0, 19.0),
            below: 18.0 + PER_CHARACTER * longest as f64,
        }
    }

    /// The same cells in fewer or more rows.
    pub fn with_layers(self, layers: usize) -> Self {
        Self { layers: layers.max(1), ..self }
    }

    /// Width of the whole drawing.
    pub fn width(self) -> f64 {
        LEFT + self.cell_width * self.positions as f64 + RIGHT
    }

    /// Height of the whole drawing.
    pub fn height(self) -> f64 {
        self.floor() + self.below
    }

    /// How far the drawing may shrink, below which it scrolls, and grow with its panel.
    pub fn extent(self) -> String {
        let width = self.width();
        format!("width: 100%; min-width: {:.0}px; max-width: {:.0}px", 0.85 * width, 2.0 * width)
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

    /// Width of the layers' numbers, left of the cells.
    pub fn axis_width(self) -> f64 {
        LEFT
    }

    /// The cell at a point of the drawing.
    pub fn cell_at(self, x: f64, y: f64) -> Option<(usize, usize)> {
        let (across, up) = ((x - LEFT) / self.cell_width, (self.floor() - y) / self.cell_height);
        let inside = (0.0..self.positions as f64).contains(&across)
            && (0.0..self.layers as f64).contains(&up);
        inside.then_some((up as usize, across as usize))
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

/// The layout of an attention pattern: queries downward, keys to the right, cells square.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Square {
    positions: usize,
    /// Side of a cell.
    pub cell: f64,
    left: f64,
    below: f64,
}

/// The cells' share of three patterns that fit side by side into the usual screen.
const SQUARE: f64 = 270.0;

impl Square {
    /// The layout for so many positions, with tokens of at most `longest` characters.
    pub fn new(positions: usize, longest: usize) -> Self {
        let positions = positions.max(1);
        let cell = (SQUARE / positions as f64).clamp(4.0, 22.0);
        let left = 8.0 + 6.7 * longest as f64;
        Self { positions, cell, left, below: 18.0 + PER_CHARACTER * longest as f64 }
    }

    /// Width of the whole drawing.
    pub fn width(self) -> f64 {
        self.left + self.cell * self.positions as f64 + RIGHT
    }

    /// Height of the whole drawing.
    pub fn height(self) -> f64 {
        self.floor() + self.below
    }

    /// The left edge of a key's column.
    pub fn x(self, key: usize) -> f64 {
        self.left + self.cell * key as f64
    }

    /// The upper edge of a query's row.
    pub fn y(self, query: usize) -> f64 {
        TOP + self.cell * query as f64
    }

    /// The lower edge of the cells.
    pub fn floor(self) -> f64 {
        self.y(self.positions)
    }

    /// Every how many positions there is a token.
    pub fn step(self) -> usize {
        step(self.cell)
    }

    /// The query and key that a key press leads to; a query looks at no later key.
    pub fn neighbour(self, (query, key): (usize, usize), pressed: &str) -> Option<(usize, usize)> {
        let last = self.positions - 1;
        let (query, key) = match pressed {
            "ArrowUp" => (query.saturating_sub(1), key),
            "ArrowDown" => ((query + 1).min(last), key),
            "ArrowRight" => (query, key + 1),
            "ArrowLeft" => (query, key.saturating_sub(1)),
            "Home" => (query, 0),
            "End" => (query, query),
            "PageUp" => (0, key),
            "PageDown" => (last, key),
            _ => return None,
        };
        Some((query, key.min(query)))
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
        assert!(geometry.width() < 280.0, "two panels fit side by side");
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
    fn points_lie_in_the_cells_that_are_drawn_there() {
        let geometry = Geometry::new(6, 15, 8);
        for cell in [(0, 0), (5, 14), (2, 7)] {
            let (x, y) = (geometry.x(cell.1), geometry.y(cell.0));
            let (right, below) = (x + geometry.cell_width, y + geometry.cell_height);
            assert_eq!(geometry.cell_at(x + 0.1, y + 0.1), Some(cell));
            assert_eq!(geometry.cell_at(right - 0.1, below - 0.1), Some(cell));
        }
        assert_eq!(geometry.cell_at(1.0, 20.0), None, "the layers' numbers");
        assert_eq!(geometry.cell_at(60.0, geometry.floor() + 1.0), None, "the tokens");
        assert_eq!(geometry.cell_at(geometry.width(), 20.0), None);
    }

    #[test]
    fn attention_is_walked_below_its_diagonal() {
        let square = Square::new(15, 8);
        assert!(3.0 * square.width() < 1240.0, "three fit side by side");
        assert!(square.y(3) > square.y(0) && square.floor() < square.height());
        assert_eq!(square.neighbour((2, 2), "ArrowRight"), Some((2, 2)));
        assert_eq!(square.neighbour((2, 2), "ArrowUp"), Some((1, 1)));
        assert_eq!(square.neighbour((14, 3), "ArrowDown"), Some((14, 3)));
        assert_eq!(square.neighbour((5, 1), "End"), Some((5, 5)));
        assert_eq!(square.neighbour((5, 1), "a"), None);
        assert!(Square::new(64, 8).step() > 1, "labels thin out");
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
