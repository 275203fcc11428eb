//! What the tests across crates share.

pub mod chromium;
pub mod compare;
pub mod faulty_hub;
pub mod gpt2_checkpoint;
pub mod gpt2_tokenizer;
pub mod http;
pub mod op_cases;
pub mod soak;
pub mod webdriver;

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
