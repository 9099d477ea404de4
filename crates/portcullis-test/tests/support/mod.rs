//! What several of these tests need.

#![expect(clippy::panic, reason = "helpers of tests may fail as tests do")]

use portcullis_core::{Attempt, Code, JwtAuthenticator, Verified};

/// The outcome for a token whose keys are at hand.
pub(crate) fn verify(authenticator: &JwtAuthenticator, token: &str) -> Result<Verified, Code> {
    match authenticator.verify(token) {
        Attempt::Done(outcome) => outcome.map_err(|error| error.code()),
        other => panic!("the keys are at hand, yet: {other:?}"),
    }
}
