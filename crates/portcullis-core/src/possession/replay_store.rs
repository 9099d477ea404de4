//! [`ReplayStore`]: accepts the id of a proof once.

use std::{fmt, sync::Arc};

use super::ReplayKey;
use crate::{UnixTime, authenticator::Attempt};

/// Remembers which proofs were used, so that each is accepted once.
///
/// Implement it for another kind of storage, and run the contract tests of `portcullis-test` on it. The rules:
///
/// - [`accept_once`](Self::accept_once) is one atomic step, also between instances: of any number of calls with the same key, at most one
///   returns [`Once::First`].
/// - It remembers a key until `until`, not shorter. A store that several instances share remembers it a minute longer, because the clocks of
///   the instances differ: the slowest of them accepts the proof longest.
/// - "We could not find out" is an error of kind [`Unavailable`](crate::error::AuthErrorKind::Unavailable), with
///   [`Code::ReplayUndecided`](crate::Code::ReplayUndecided), never [`Once::First`] and never [`Once::Repeated`]. So is a store that is full: a
///   client that is refused would try again, and fill the store faster.
/// - After a failed call, the key may be stored. Do not ask again inside: the second answer could be [`Once::Repeated`] for a proof that was
///   never accepted. The client repeats its request with a new proof.
/// - Futures may be dropped at any await.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not remember which proofs were used",
    note = "use `MemoryReplayStore`, or a store of the crate `portcullis-store` that several instances share"
)]
pub trait ReplayStore: fmt::Debug + Send + Sync + 'static {
    /// Accepts the proof with this key, unless it was accepted before. The proof is not accepted anywhere from `until` on, because its nonce
    /// or its time is over then.
    ///
    /// If `until` is not after `now`, the answer is the error of an undecided question. Check the times of a proof first.
    fn accept_once(&self, key: ReplayKey, until: UnixTime, now: UnixTime) -> Attempt<Once>;

    /// Whether every answer is [`Attempt::Done`]. [`Authenticator::check_proof`](crate::Authenticator::check_proof) must not wait, so
    /// an authenticator checks proofs there only with such a store, and otherwise has its credentials not cached.
    ///
    /// Defaults to `false`.
    fn answers_at_once(&self) -> bool {
        false
    }
}

/// Whether a proof was used before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "an ignored answer accepts a proof twice"]
#[expect(clippy::exhaustive_enums, reason = "there is no third: what is not known is an error")]
pub enum Once {
    /// It was not used before. It has been now.
    First,
    /// It was used before. Refuse the request ([`Code::ProofReplayed`](crate::Code::ProofReplayed)).
    Repeated,
}

impl<T: ReplayStore + ?Sized> ReplayStore for Arc<T> {
    fn accept_once(&self, key: ReplayKey, until: UnixTime, now: UnixTime) -> Attempt<Once> {
        (**self).accept_once(key, until, now)
    }

    fn answers_at_once(&self) -> bool {
        (**self).answers_at_once()
    }
}
