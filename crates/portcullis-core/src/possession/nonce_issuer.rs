//! [`NonceIssuer`]: makes nonces, and recognises them.

use std::{fmt, sync::Arc};

use crate::{UnixTime, authenticator::Nonce};

/// Makes the nonces that clients put into their proofs, and checks those that come back.
///
/// `origin` is the origin of the service as its clients know it, such as `https://api.example.com`. It comes from the configuration, never
/// from the request: a nonce for one service is of no use at another one. Use the same text everywhere in a service.
///
/// Implement it for nonces of another kind, and run the contract tests of `portcullis-test` on it. Both methods answer from memory, and
/// must not wait.
#[diagnostic::on_unimplemented(message = "`{Self}` does not make nonces", note = "use `SignedNonces`")]
pub trait NonceIssuer: fmt::Debug + Send + Sync + 'static {
    /// Returns a fresh nonce. No two are equal.
    fn issue(&self, origin: &str, now: UnixTime) -> Nonce;

    /// Checks a nonce that a client has sent. It may be any text.
    fn check(&self, nonce: &str, origin: &str, now: UnixTime) -> NonceCheck;
}

/// The result of checking a nonce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "an ignored result accepts every nonce"]
#[non_exhaustive]
pub enum NonceCheck {
    /// It is in the first half of its life.
    #[non_exhaustive]
    Current {
        /// When its life ends.
        until: UnixTime,
    },
    /// It is in the second half of its life: accept the proof, and send a fresh nonce with the answer.
    #[non_exhaustive]
    Aging {
        /// When its life ends.
        until: UnixTime,
    },
    /// Its life is over. Refuse the proof, and send a fresh nonce.
    Expired,
    /// It was not made here for this origin. Refuse the proof, and send a fresh nonce: the client may have been away since the secret was
    /// replaced.
    Unknown,
}

impl NonceCheck {
    /// Returns the result for a nonce whose life of `life` ends at `until`.
    pub fn of(until: UnixTime, life: std::time::Duration, now: UnixTime) -> Self {
        match until.since(now) {
            left if left.is_zero() => Self::Expired,
            left if left * 2 > life => Self::Current { until },
            _ => Self::Aging { until },
        }
    }

    /// Returns when the life of an accepted nonce ends. Ids of proofs with it have to be remembered until then. `None` if the proof has to
    /// be refused ([`Code::ProofNonceNeeded`](crate::Code::ProofNonceNeeded)).
    pub const fn until(self) -> Option<UnixTime> {
        match self {
            Self::Current { until } | Self::Aging { until } => Some(until),
            Self::Expired | Self::Unknown => None,
        }
    }

    /// Whether the answer should have a fresh nonce.
    pub const fn is_renewal_due(self) -> bool {
        !matches!(self, Self::Current { .. })
    }
}

impl<T: NonceIssuer + ?Sized> NonceIssuer for Arc<T> {
    fn issue(&self, origin: &str, now: UnixTime) -> Nonce {
        (**self).issue(origin, now)
    }

    fn check(&self, nonce: &str, origin: &str, now: UnixTime) -> NonceCheck {
        (**self).check(nonce, origin, now)
    }
}
