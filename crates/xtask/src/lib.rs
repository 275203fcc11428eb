//! The part of xtask that the browser tests use too: the server of the built page, so that they load
//! what `cargo xtask serve` serves, in the way it serves it.

pub mod site;
