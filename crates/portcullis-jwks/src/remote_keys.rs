//! `RemoteKeys`: a handle to one issuer's keys.

use std::{fmt, sync::Arc, time::Duration};

use portcullis_core::{
    KeySet, UnixTime,
    keys::{AlgorithmSet, KeyHint, KeyMatch, KeySource, KeySourceError, Resolved},
};
use tokio::{
    task::JoinSet,
    time::{Instant, timeout_at},
};

use crate::{
    FetchError, Health, RemoteKeysBuilder, Snapshot,
    driver::{self, Shared},
    machine::Usability,
};

/// An issuer's keys, fetched from its key set's URL and kept fresh. It is a [`KeySource`] and a handle; clones share the keys.
///
/// See the [crate docs](crate) for the rules. One task refreshes the keys; it ends with the last handle, including the handle inside an
/// authenticator.
#[doc(alias = "jwks_uri")]
#[doc(alias = "JwksClient")]
#[doc(alias = "JwksCache")]
#[derive(Clone)]
pub struct RemoteKeys {
    pub(crate) shared: Arc<Shared>,
    /// As the developer wrote it, and the form for logs.
    source: Arc<(String, String)>,
    /// Stops the task when the last handle is dropped.
    _task: Arc<JoinSet<()>>,
}

impl RemoteKeys {
    /// Finds the keys through the issuer's metadata (OpenID Connect Discovery 1.0, or else RFC 8414).
    ///
    /// `issuer` is exactly the `iss` of its tokens. The metadata must name the same issuer, including a slash at the end.
    pub fn discover(issuer: impl Into<String>) -> RemoteKeysBuilder {
        RemoteKeysBuilder::discover(issuer.into())
    }

    /// Fetches the keys from a known URL.
    pub fn from_url(url: impl Into<String>) -> RemoteKeysBuilder {
        RemoteKeysBuilder::from_url(url.into())
    }

    pub(crate) fn new(shared: Arc<Shared>, source: String, shown: String, task: JoinSet<()>) -> Self {
        Self { shared, source: Arc::new((source, shown)), _task: Arc::new(task) }
    }

    /// Waits until tokens can be verified, for a service that must not start without keys.
    ///
    /// # Errors
    ///
    /// If that takes longer than `timeout`. The error's text says why the last attempt failed and what to change. For the kind of
    /// failure, see [`last_error`](Self::last_error).
    pub async fn require(&self, timeout: Duration) -> Result<(), KeySourceError> {
        let deadline = Instant::now().checked_add(timeout).unwrap_or_else(|| Instant::now() + A_YEAR);
        let mut finished = self.shared.finished.subscribe();
        loop {
            match self.shared.published().usability(driver::now()) {
                Usability::Usable { .. } => return Ok(()),
                Usability::Ended => return Err(self.fault()),
                Usability::Nothing | Usability::TooOld => {}
            }
            self.shared.begin_if_idle();
            if !matches!(timeout_at(deadline, finished.changed()).await, Ok(Ok(()))) {
                return Err(self.fault());
            }
        }
    }

    /// Returns the state of the source.
    pub fn health(&self) -> Health {
        self.shared.machine().health(driver::now())
    }

    /// Returns why the last attempt failed; `None` if it succeeded.
    pub fn last_error(&self) -> Option<FetchError> {
        self.shared.machine().last_error().cloned()
    }

    /// Returns the keys in use; empty if there are none, or if they are too old.
    pub fn keys(&self) -> KeySet {
        self.shared.published().usable(driver::now()).cloned().unwrap_or_default()
    }

    /// Returns the time since the issuer was last seen to publish these keys; `None` if there are none.
    pub fn age(&self) -> Option<Duration> {
        let machine = self.shared.machine();
        Some(driver::now().saturating_duration_since(machine.held()?.asked_at))
    }

    /// Returns the keys in use with their age, for the next start; `None` if there are none. A key whose private half the issuer
    /// [published](crate::FetchErrorKind::PublishedSecret) is no longer used, even after the next start: so write a new snapshot after
    /// such an event, over the old one.
    pub fn snapshot(&self) -> Option<Snapshot> {
        self.shared.machine().held().map(|held| Snapshot::of(&self.source.0, held))
    }

    fn fault(&self) -> KeySourceError {
        self.shared.machine().fault(driver::now())
    }
}

impl KeySource for RemoteKeys {
    fn resolve(&self, hint: KeyHint<'_>, now: UnixTime) -> Resolved {
        // Issuers do not publish secrets, and a secret in a set is never used, so there is nothing to look for.
        if hint.algorithm.is_symmetric() {
            return Resolved::Unknown;
        }
        match self.shared.published().usable(driver::now()).map(|keys| keys.resolve(hint, now)) {
            None | Some(Resolved::Unknown) => self.shared.look_for(hint),
            Some(at_hand) => at_hand,
        }
    }

    fn reconsider(&self, hint: KeyHint<'_>, tried: &KeyMatch) -> Resolved {
        self.shared.doubt(hint, tried)
    }

    fn edition(&self, now: UnixTime) -> Option<u64> {
        self.shared.edition(now)
    }

    /// Only public keys: a secret in a fetched set is never used.
    fn algorithms(&self) -> AlgorithmSet {
        AlgorithmSet::ASYMMETRIC
    }

    fn describe(&self, hint: KeyHint<'_>) -> Option<String> {
        self.shared.published().usable(driver::now())?.describe(hint)
    }
}

/// Effectively forever, without overflowing `Instant`.
const A_YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

impl fmt::Debug for RemoteKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteKeys")
            .field("source", &self.source.1)
            .field("health", &self.health())
            .finish_non_exhaustive()
    }
}
