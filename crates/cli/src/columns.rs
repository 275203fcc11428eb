//! Text in aligned columns.

/// Rows of cells; the first columns are words and stand left, the others numbers and stand right.
#[derive(Debug)]
pub(crate) struct Columns {
    words: usize,
    rows: Vec<Vec<String>>,
}

impl Columns {
    pub(crate) fn new<const N: usize>(words: usize, heads: [&str; N]) -> Self {
        Self::with_heads(words, heads.map(str::to_owned).to_vec())
    }

    pub(crate) fn with_heads(words: usize, heads: Vec<String>) -> Self {
        Self { words, rows: vec![heads] }
    }

    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// Whether there is nothing under the heads.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.len() < 2
    }

    /// Writes the rows, each ending its line.
    pub(crate) fn write(&self, text: &mut String) {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for row in &self.rows {
            let mut line = String::new();
            for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
                let gap = " ".repeat(width - cell.chars().count());
                line += if column == 0 { "" } else { "  " };
                line += &if column < self.words { cell.clone() + &gap } else { gap + cell };
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
    }
}

/// A number, or a dash where there is none.
pub(crate) fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_left_and_numbers_right() {
        let mut columns = Columns::new(1, ["site", "r"]);
        assert!(columns.is_empty());
        columns.row(vec!["é".to_owned(), number(Some(-0.5))]);
        columns.row(vec!["long".to_owned(), number(None)]);
        let mut text = String::new();
        columns.write(&mut text);
        assert_eq!(text, "site       r\né     -0.500\nlong       –\n");
    }
}
