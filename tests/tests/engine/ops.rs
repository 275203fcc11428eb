//! Every op of every executor against the reference.

pub(crate) mod cpu;
pub(crate) mod gpu;
