//! The kernels of matrix products, `linear` and `linear_t`: the ways to share out their work, and what
//! else is written with their result.
//!
//! Every variant adds up in the same order: the terms of a chunk one after the other, then the chunks.
//! So neither the variant nor which rows are computed together changes a result, as far as a driver
//! computes `a + b · c` the same way in all shaders.

use std::fmt;
use std::fmt::Write as _;
use std::str::FromStr;

/// How many terms are added up before their sum is added to the others'.
const CHUNK: usize = 64;

/// A way to share a product's work out among invocations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Variant {
    /// A few rows a workgroup, and each sum shared by several invocations.
    Split,
    /// Tiles of 32 × 32 in workgroup memory.
    Tile,
    /// Tiles of 64 × 64 in workgroup memory.
    WideTile,
    /// Neither workgroup memory nor barriers.
    Direct,
}

/// How large the parts of a variant are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Invocations of a workgroup.
    pub(crate) group: usize,
    /// Rows that an invocation computes, of four columns.
    pub(crate) rows: usize,
    /// Rows that a workgroup computes.
    pub(crate) tile_rows: usize,
    /// Columns that a workgroup computes, divided by four.
    pub(crate) col_quads: usize,
}

impl Variant {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Split, Self::Tile, Self::WideTile, Self::Direct];

    /// In one word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Split => "split",
            Self::Tile => "tile",
            Self::WideTile => "wide-tile",
            Self::Direct => "direct",
        }
    }

    pub(crate) fn shape(self) -> Shape {
        let (group, rows, tile_rows, col_quads) = match self {
            // As many slices of the sum as rows.
            Self::Split => (64, 4, 4, 16),
            Self::Tile | Self::Direct => (64, 4, 32, 8),
            Self::WideTile => (128, 8, 64, 16),
        };
        Shape { group, rows, tile_rows, col_quads }
    }

    /// Whether it reads more terms at once than a quad, so that the last may lie past the end.
    pub(crate) fn steps_past(self, inner: usize) -> bool {
        matches!(self, Self::Tile | Self::WideTile) && !inner.is_multiple_of(16)
    }

    /// `main` and its constants.
    pub(crate) fn wgsl(self) -> String {
        let Shape { group, rows, tile_rows, col_quads } = self.shape();
        let mut source = format!(
            "\nconst CHUNK = {CHUNK}u;\nconst GROUP = {group}u;\nconst ROWS = {rows}u;\n\
             const TILE_ROWS = {tile_rows}u;\nconst COL_QUADS = {col_quads}u;\n\n"
        );
        let file = match self {
            Self::Split => include_str!("../shaders/products/split.wgsl"),
            Self::Tile | Self::WideTile => include_str!("../shaders/products/tile.wgsl"),
            Self::Direct => include_str!("../shaders/products/direct.wgsl"),
        };
        source.push_str(&for_each_row(file, rows));
        source + "\n" + include_str!("../shaders/shared/tile_corner.wgsl")
    }

    /// Whether it can begin with a [`Prologue`].
    pub(crate) fn has_prologue(self) -> bool {
        self == Self::Split
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Variant {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|variant| variant.name() == name);
        found.ok_or_else(|| format!("there is no way `{name}` to compute a product"))
    }
}

/// A file in which a line with `{r}` in it stands for one a row.
fn for_each_row(file: &str, rows: usize) -> String {
    let mut source = String::new();
    for line in file.lines() {
        // The comment that says so is one line all the same.
        let is_repeated = line.contains("{r}") && !line.starts_with("//");
        for row in 0..if is_repeated { rows } else { 1 } {
            let _ = writeln!(source, "{}", line.replace("{r}", &row.to_string()));
        }
    }
    source
}

/// What the dispatch of a product makes its `x` of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Prologue {
    None,
    /// Of `layer_norm`, whose `stats` are kept if anyone reads them.
    LayerNorm {
        keeps: bool,
    },
}

impl Prologue {
    pub(crate) const ALL: [Self; 3] =
        [Self::None, Self::LayerNorm { keeps: false }, Self::LayerNorm { keeps: true }];

    pub(crate) fn wgsl(self, variant: Variant) -> String {
        let Self::LayerNorm { keeps } = self else {
            return format!("\n{}", include_str!("../shaders/prologues/none.wgsl"));
        };
        let file = include_str!("../shaders/prologues/layer_norm.wgsl");
        let group = include_str!("../shaders/shared/group.wgsl");
        let source = for_each_row(file, variant.shape().rows) + "\n" + group;
        if keeps {
            format!("\n{source}\n{}", include_str!("../shaders/prologues/keep_stats.wgsl"))
        } else {
            format!("\n{}", without(&source, "    keep_stats("))
        }
    }
}

/// A source without the lines that begin so.
pub(crate) fn without(source: &str, beginning: &str) -> String {
    let lines = source.lines().filter(|line| !line.starts_with(beginning));
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// What else is written by the dispatch of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Epilogue {
    None,
    Add,
    Gelu,
    GeluGrad { is_ratio: bool },
}

impl Epilogue {
    /// Whether it can come after a [`Prologue::LayerNorm`]: what GPT-2 has there.
    pub(crate) fn follows_norm(self) -> bool {
        matches!(self, Self::None | Self::Gelu)
    }

    /// How many buffers it reads and writes beside the product.
    pub(crate) fn buffers(self) -> usize {
        match self {
            Self::None => 0,
            Self::Gelu => 1,
            Self::Add | Self::GeluGrad { .. } => 2,
        }
    }

    pub(crate) const ALL: [Self; 5] = [
        Self::None,
        Self::Add,
        Self::Gelu,
        Self::GeluGrad { is_ratio: false },
        Self::GeluGrad { is_ratio: true },
    ];

    pub(crate) fn wgsl(self) -> String {
        let file = match self {
            Self::None => include_str!("../shaders/epilogues/none.wgsl"),
            Self::Add => include_str!("../shaders/epilogues/add.wgsl"),
            Self::Gelu => include_str!("../shaders/epilogues/gelu.wgsl"),
            Self::GeluGrad { .. } => include_str!("../shaders/epilogues/gelu_grad.wgsl"),
        };
        let gelu = include_str!("../shaders/shared/gelu.wgsl");
        match self {
            Self::None | Self::Add => format!("\n{file}"),
            Self::Gelu => format!("\n{file}\n{gelu}"),
            Self::GeluGrad { is_ratio } => {
                format!("\nconst IS_RATIO = {is_ratio};\n\n{file}\n{gelu}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_computes_its_tile() {
        for variant in Variant::ALL {
            let Shape { group, rows, tile_rows, col_quads } = variant.shape();
            let slices = if variant == Variant::Split { rows } else { 1 };
            assert_eq!(group * rows, tile_rows * col_quads * slices, "{variant}");
            assert_eq!(variant.name().parse(), Ok(variant));
        }
        "square".parse::<Variant>().unwrap_err();
    }

    #[test]
    fn a_line_with_a_row_is_there_for_each() {
        let source = Variant::Direct.wgsl();
        assert_eq!(source.matches("var total_").count(), 4);
        assert!(source.contains("let x_3 = x_at(row_3, k);"), "{source}");
    }
}
