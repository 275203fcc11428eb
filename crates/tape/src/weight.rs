//! How weights are kept and handed over.

/// How an executor keeps the values of a weight. It computes in `f32` either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Storage {
    /// 4 bytes a value.
    #[default]
    F32,
    /// 2 bytes a value, IEEE binary16. Only of the [matrices](crate::Op::matrices) of an op.
    F16,
}

/// Consecutive values of a weight.
#[derive(Clone, Copy, Debug)]
pub enum Piece<'a> {
    /// As they are.
    F32(&'a [f32]),
    /// The bits of IEEE binary16.
    F16(&'a [u16]),
}

impl Piece<'_> {
    /// Number of values.
    pub fn len(&self) -> usize {
        match self {
            Piece::F32(values) => values.len(),
            Piece::F16(bits) => bits.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How the values are kept.
    pub fn storage(&self) -> Storage {
        match self {
            Piece::F32(_) => Storage::F32,
            Piece::F16(_) => Storage::F16,
        }
    }
}
