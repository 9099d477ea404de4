//! An issuer whose key the fuzzer has, and a service that trusts it.

use std::sync::LazyLock;

use portcullis::{
    Admission, Algorithm, AuthError, Verified, authenticator::Attempt, error::AuthErrorKind, token::UnverifiedToken,
};
use portcullis_test::{FixedClock, MockIssuer};

pub(crate) const KEY_ID: &str = "fuzz-1";

/// When everything happens.
pub(crate) const NOW: u64 = FixedClock::DEFAULT.as_secs();

/// Signs by HMAC: what is accepted depends on the text alone, and a signature costs next to nothing.
pub(crate) static ISSUER: LazyLock<MockIssuer> =
    LazyLock::new(|| MockIssuer::with_secret(KEY_ID, Algorithm::Hs256, [7; 32]).clock(FixedClock::default()));

static SERVICE: LazyLock<Admission> = LazyLock::new(|| ISSUER.admission());

/// The verdict on a token; the same is asked twice, as a header that was verified is not parsed again.
pub(crate) fn verify(token: &str) -> Result<Verified, AuthError> {
    let first = verify_by(&SERVICE, token);
    let second = verify_by(&SERVICE, token);
    assert_eq!(code_of(&first), code_of(&second), "the verdict changes");
    first
}

/// The verdict of a service whose keys are at hand. A refusal is always one of the token, and parsing alone says the
/// same as far as it goes.
pub(crate) fn verify_by(service: &Admission, token: &str) -> Result<Verified, AuthError> {
    let Attempt::Done(verdict) = service.verify(token) else { panic!("waits for a key that is at hand") };
    if let Err(error) = &verdict {
        assert_eq!(error.kind(), AuthErrorKind::InvalidToken, "{error}");
    }
    if let Err(error) = UnverifiedToken::parse(token) {
        assert_eq!(code_of(&verdict), Some(error.code()), "parsed otherwise than verified");
    }
    verdict
}

fn code_of<T>(verdict: &Result<T, AuthError>) -> Option<portcullis::Code> {
    verdict.as_ref().err().map(AuthError::code)
}
