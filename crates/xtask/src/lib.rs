//! The part of xtask that is not about commands: the server of the built page.

pub mod site;
