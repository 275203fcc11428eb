//! The recorded computation and its printed listing.

use std::collections::HashMap;
use std::fmt;

use crate::{Buf, BufInfo, Content, Forward, Op};

/// A recorded computation: buffers, and the ops that fill them, in execution order.
///
/// The methods that record an op are in `record.rs`; each panics on shapes that do not fit, since
/// these come from the code that records and never from a user.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tape {
    pub(crate) bufs: Vec<BufInfo>,
    pub(crate) ops: Vec<Op>,
    pub(crate) outputs: Vec<Buf>,
    pub(crate) forward: Forward,
    weights: HashMap<String, Buf>,
}

impl Tape {
    /// An empty tape.
    pub fn new() -> Self {
        Self::default()
    }

    /// The weight tensor of this name; asking again gives the same buffer.
    ///
    /// # Panics
    /// If it was asked for before with another shape.
    #[track_caller]
    pub fn weight(&mut self, name: &str, shape: &[usize]) -> Buf {
        if let Some(&buf) = self.weights.get(name) {
            assert_eq!(self.shape(buf), shape, "weight {name} recorded with two shapes");
            return buf;
        }
        let buf = self.push_buf(name.to_owned(), shape, Content::Weight);
        self.weights.insert(name.to_owned(), buf);
        buf
    }

    /// An `f32` input, given anew for each run.
    pub fn input(&mut self, name: &str, shape: &[usize]) -> Buf {
        self.push_buf(name.to_owned(), shape, Content::Input)
    }

    /// A `u32` input, given anew for each run, every id below `below`.
    pub fn ids(&mut self, name: &str, shape: &[usize], below: u32) -> Buf {
        self.push_buf(name.to_owned(), shape, Content::Ids { below })
    }

    /// Asks executors to return `buf`; asking twice is the same as once.
    ///
    /// # Panics
    /// If `buf` is not written by an op, or [not kept](Self::keep).
    #[track_caller]
    pub fn output(&mut self, buf: Buf) {
        assert_eq!(self.info(buf).content, Content::Value, "only a written buffer can be output");
        self.assert_there(buf);
        if !self.outputs.contains(&buf) {
            self.outputs.push(buf);
        }
    }

    /// All buffers; [`Buf::index`] is the position here.
    pub fn bufs(&self) -> impl ExactSizeIterator<Item = (Buf, &BufInfo)> {
        self.bufs.iter().enumerate().map(|(i, info)| (Buf(i as u32), info))
    }

    /// All ops, in execution order.
    pub fn ops(&self) -> &[Op] {
        &self.ops
    }

    /// The buffers that a run returns.
    pub fn outputs(&self) -> &[Buf] {
        &self.outputs
    }

    /// Name, shape and origin of a buffer.
    pub fn info(&self, buf: Buf) -> &BufInfo {
        &self.bufs[buf.index()]
    }

    /// Extents of a buffer, slowest axis first.
    pub fn shape(&self, buf: Buf) -> &[usize] {
        &self.info(buf).shape
    }

    /// A buffer's name.
    pub fn name(&self, buf: Buf) -> &str {
        &self.info(buf).name
    }

    #[track_caller]
    pub(crate) fn push_buf(&mut self, name: String, shape: &[usize], content: Content) -> Buf {
        assert!(
            !shape.is_empty() && shape.iter().all(|&extent| extent > 0),
            "{name} has no elements: {shape:?}"
        );
        self.bufs.push(BufInfo { name, shape: shape.to_vec(), content });
        Buf((self.bufs.len() - 1) as u32)
    }
}

/// The listing: one line a buffer that is given, one line an op. Two tapes are the same
/// computation exactly if their listings are the same.
impl fmt::Display for Tape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (buf, info) in self.bufs() {
            let kind = match info.content {
                Content::Weight => "weight",
                Content::Input => "input",
                Content::Ids { .. } => "ids",
                Content::Value => continue,
            };
            writeln!(f, "%{} {kind} {} {:?}", buf.index(), info.name, info.shape)?;
        }
        for (i, op) in self.ops.iter().enumerate() {
            for (i, &buf) in op.writes().iter().enumerate() {
                let separator = if i == 0 { "" } else { ", " };
                let info = self.info(buf);
                write!(f, "{separator}%{} {} {:?}", buf.index(), info.name, info.shape)?;
            }
            write!(f, " = {}", op.name())?;
            for (word, buf) in op.reads() {
                write!(f, " {word}=%{}", buf.index())?;
            }
            for (word, value) in op.constants() {
                write!(f, " {word}={value}")?;
            }
            writeln!(f)?;
            if self.forward.ops == i + 1 {
                writeln!(f, "{}", self.forward)?;
            }
        }
        write!(f, "outputs")?;
        for buf in &self.outputs {
            write!(f, " %{}", buf.index())?;
        }
        writeln!(f)
    }
}
