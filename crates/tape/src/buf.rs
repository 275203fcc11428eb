//! Named, shaped buffers.

/// A buffer of one [`Tape`](crate::Tape), by its position in the tape's buffer list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Buf(pub(crate) u32);

impl Buf {
    /// Position in [`Tape::bufs`](crate::Tape::bufs).
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Where the content of a buffer comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// `f32`, the same in every run; its name is the tensor's name in the checkpoint.
    Weight,
    /// `f32`, given anew for each run.
    Input,
    /// `u32`, given anew for each run; each is below `below`.
    Ids {
        /// Exclusive upper bound, so that an id can index a weight's rows.
        below: u32,
    },
    /// `f32`, written by exactly one op.
    Value,
}

/// Name, shape and origin of a buffer. Values are row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct BufInfo {
    /// What the buffer holds, in TransformerLens's words where it has one.
    pub name: String,
    /// Extent of each axis, slowest first. Never empty, no extent is 0.
    pub shape: Vec<usize>,
    /// Where the content comes from.
    pub content: Content,
}

impl BufInfo {
    /// Number of elements.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Never true: no extent is 0.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Extent of the last axis.
    pub fn cols(&self) -> usize {
        self.shape.last().copied().unwrap_or(1)
    }

    /// Number of rows: the product of all axes but the last.
    pub fn rows(&self) -> usize {
        self.len() / self.cols()
    }
}
