//! What the browsers' sessions are started with.

use std::path::{Path, PathBuf};

pub(crate) use relp_tests::webdriver::Session;

/// A variable that `cargo xtask test` sets.
pub(crate) fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: run the browser's tests with `cargo xtask test --only browser`")
    })
}

/// Where a browser puts its profiles, with every model that a test had it keep.
pub(crate) fn profiles(browser: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(browser)
}
