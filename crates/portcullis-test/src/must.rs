//! What must not fail, fails loudly.

use std::fmt::Display;

/// The value, or the end of the test: a kit that cannot do what it was asked for has no answer worth handling, and a
/// `Result` from every call would bury the three lines of a test.
#[track_caller]
#[expect(clippy::panic, reason = "a test that cannot be set up has failed; the message says why")]
pub(crate) fn must<T, E: Display>(result: Result<T, E>, what: &str) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("portcullis-test: {what}: {error}"),
    }
}
