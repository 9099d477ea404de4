//! What several of these tests need.

#![expect(clippy::panic, reason = "helpers of tests may fail as tests do")]

use portcullis_core::{Admission, Code, Verified, authenticator::Attempt};

/// The outcome for a token whose keys are at hand.
pub(crate) fn verify(admission: &Admission, token: &str) -> Result<Verified, Code> {
    match admission.verify(token) {
        Attempt::Done(outcome) => outcome.map_err(|error| error.code()),
        other => panic!("the keys are at hand, yet: {other:?}"),
    }
}
