//! What the tests across crates share.

pub mod compare;
pub mod op_cases;
