//! What goes into a run and what comes out of it.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use crate::{Buf, Content, Tape};

/// The given content of buffers: inputs for every executor, and weights for the reference.
#[derive(Clone, Debug, Default)]
pub struct Feed {
    values: HashMap<Buf, Arc<[f32]>>,
    ids: HashMap<Buf, Vec<u32>>,
}

impl Feed {
    /// Nothing given yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives the content of an `f32` buffer, row-major. Weights that many runs share are best given
    /// as an `Arc`.
    pub fn values(&mut self, buf: Buf, values: impl Into<Arc<[f32]>>) -> &mut Self {
        self.values.insert(buf, values.into());
        self
    }

    /// Gives the content of an id buffer, row-major.
    pub fn ids(&mut self, buf: Buf, ids: Vec<u32>) -> &mut Self {
        self.ids.insert(buf, ids);
        self
    }

    /// The content of an `f32` input or weight of `tape`, checked.
    ///
    /// # Errors
    /// If it is missing or has the wrong length.
    pub fn get_values(&self, tape: &Tape, buf: Buf) -> Result<&[f32], FeedError> {
        let given = self.values.get(&buf).map(AsRef::as_ref);
        let expected = tape.info(buf).len();
        match given {
            Some(values) if values.len() == expected => Ok(values),
            _ => Err(FeedError::Length {
                name: tape.name(buf).to_owned(),
                expected,
                found: given.map(|values: &[f32]| values.len()),
            }),
        }
    }

    /// All that the forward part of `tape` is given, checked, one after the other and bit for bit.
    ///
    /// # Errors
    /// If something is missing or does not fit.
    pub fn given_forward(&self, tape: &Tape) -> Result<Vec<u32>, FeedError> {
        let mut given = Vec::new();
        for (buf, info) in tape.bufs().take(tape.forward().bufs()) {
            match info.content {
                Content::Input => {
                    given.extend(self.get_values(tape, buf)?.iter().map(|value| value.to_bits()));
                }
                Content::Ids { .. } => given.extend_from_slice(self.get_ids(tape, buf)?),
                Content::Weight | Content::Value => {}
            }
        }
        Ok(given)
    }

    /// The content of an id buffer of `tape`, checked.
    ///
    /// # Errors
    /// If it is missing, has the wrong length, or an id is out of bounds.
    pub fn get_ids(&self, tape: &Tape, buf: Buf) -> Result<&[u32], FeedError> {
        let info = tape.info(buf);
        let given = self.ids.get(&buf).map(Vec::as_slice);
        let ids = match given {
            Some(ids) if ids.len() == info.len() => ids,
            _ => {
                return Err(FeedError::Length {
                    name: info.name.clone(),
                    expected: info.len(),
                    found: given.map(<[u32]>::len),
                });
            }
        };
        let Content::Ids { below } = info.content else { return Ok(ids) };
        match ids.iter().find(|&&id| id >= below) {
            Some(&id) => Err(FeedError::Id { name: info.name.clone(), id, below }),
            None => Ok(ids),
        }
    }
}

/// A run was given something that does not fit its tape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeedError {
    /// A buffer's content is missing or of the wrong length.
    Length {
        /// The buffer.
        name: String,
        /// Elements expected.
        expected: usize,
        /// Elements given, if any were.
        found: Option<usize>,
    },
    /// An id is out of bounds.
    Id {
        /// The buffer.
        name: String,
        /// The first offending id.
        id: u32,
        /// The exclusive bound.
        below: u32,
    },
}

impl fmt::Display for FeedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FeedError::Length { name, expected, found: Some(found) } => {
                write!(f, "{name} needs {expected} elements and was given {found}")
            }
            FeedError::Length { name, expected, found: None } => {
                write!(f, "{name} needs {expected} elements and was given none")
            }
            FeedError::Id { name, id, below } => {
                write!(f, "{name} holds the id {id}, which is not below {below}")
            }
        }
    }
}

impl std::error::Error for FeedError {}

/// The output buffers of a run, in the order of [`Tape::outputs`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outputs {
    values: Vec<(Buf, Vec<f32>)>,
}

impl Outputs {
    /// Collects an executor's results.
    pub fn new(values: Vec<(Buf, Vec<f32>)>) -> Self {
        Self { values }
    }

    /// The values of an output buffer, row-major.
    ///
    /// # Panics
    /// If `buf` is not among the outputs of the tape that was run.
    #[track_caller]
    pub fn get(&self, buf: Buf) -> &[f32] {
        match self.values.iter().find(|(b, _)| *b == buf) {
            Some((_, values)) => values,
            None => panic!("buffer %{} was not recorded as an output", buf.index()),
        }
    }

    /// The first output that holds a NaN or an infinity.
    pub fn first_not_finite(&self) -> Option<Buf> {
        self.values.iter().find(|(_, v)| v.iter().any(|x| !x.is_finite())).map(|(b, _)| *b)
    }
}
