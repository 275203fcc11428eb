//! What the tests across crates share.

pub mod compare;
pub mod faulty_hub;
pub mod gpt2_checkpoint;
pub mod gpt2_tokenizer;
pub mod http;
pub mod op_cases;
