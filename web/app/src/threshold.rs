//! Which cells of a map carry a share of its total: a threshold that says what it leaves out.

/// The cells that a share of the total needs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Carrying {
    /// The smallest magnitude among them; all cells of this magnitude are among them.
    pub least: f32,
    /// How many they are.
    pub cells: usize,
    /// Cells that are known.
    pub of: usize,
}

impl Carrying {
    /// The largest cells whose magnitudes add up to `percent` of all.
    pub fn of(values: &[Option<f32>], percent: u32) -> Self {
        let mut sizes: Vec<f32> = values.iter().flatten().map(|value| value.abs()).collect();
        let of = sizes.len();
        sizes.sort_by(|a, b| b.total_cmp(a));
        let total: f64 = sizes.iter().copied().map(f64::from).sum();
        let wanted = total * f64::from(percent.min(100)) / 100.0;
        let mut carried = 0.0;
        let mut least = f32::INFINITY;
        for &size in &sizes {
            if carried >= wanted {
                break;
            }
            carried += f64::from(size);
            least = size;
        }
        if percent >= 100 {
            least = 0.0;
        }
        Self { least, cells: sizes.iter().filter(|&&size| size >= least).count(), of }
    }

    /// Whether a cell is among them.
    pub fn has(self, value: f32) -> bool {
        value.abs() >= self.least
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f32], percent: u32) -> (usize, usize) {
        let known: Vec<Option<f32>> = values.iter().copied().map(Some).collect();
        let found = Carrying::of(&known, percent);
        assert_eq!(values.iter().filter(|&&value| found.has(value)).count(), found.cells);
        (found.cells, found.of)
    }

    #[test]
    fn the_largest_cells_come_first_whatever_their_sign() {
        let values = [0.5, -6.0, 3.0, 0.25, 0.25];
        assert_eq!(of(&values, 100), (5, 5));
        assert_eq!(of(&values, 60), (1, 5));
        assert_eq!(of(&values, 61), (2, 5));
        assert_eq!(of(&values, 91), (3, 5));
        assert_eq!(of(&values, 0), (0, 5));
    }

    #[test]
    fn equal_cells_stay_together_and_zeros_are_no_trouble() {
        assert_eq!(of(&[1.0, 1.0, 1.0, 1.0], 30), (4, 4));
        assert_eq!(of(&[0.0, 0.0], 50), (0, 2));
        assert_eq!(of(&[0.0, 0.0], 100), (2, 2));
        assert_eq!(of(&[], 50), (0, 0));
        assert_eq!(Carrying::of(&[None, Some(2.0)], 50).of, 1);
    }
}
