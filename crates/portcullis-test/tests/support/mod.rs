//! What several of these tests need.

use portcullis_core::{Attempt, Code, JwtAuthenticator, Verified};

/// The outcome for a token whose keys are at hand.
pub(crate) fn verify(authenticator: &JwtAuthenticator, token: &str) -> Result<Verified, Code> {
    match authenticator.verify(token) {
        Attempt::Done(outcome) => outcome.map_err(|error| error.code()),
        other => panic!("the keys are at hand, yet: {other:?}"),
    }
}
