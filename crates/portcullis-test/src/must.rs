//! [`must`]: panics on failure.

use std::fmt::Display;

/// Returns the value, or fails the test. If the kit cannot do its work, there is no error worth handling, and a `Result` from every call
/// would clutter a test of three lines.
#[track_caller]
#[expect(clippy::panic, reason = "a test that cannot be set up has failed; the message says why")]
pub(crate) fn must<T, E: Display>(result: Result<T, E>, what: &str) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("portcullis-test: {what}: {error}"),
    }
}
