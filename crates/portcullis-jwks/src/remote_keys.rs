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

/// The keys of an issuer, fetched from its key set's URL and kept fresh: a [`KeySource`], and a handle. Clones share them.
///
/// See the [crate docs](crate) for the rules. One task keeps the keys; it ends with the last handle, the one inside an
/// authenticator included.
#[derive(Clone)]
pub struct RemoteKeys {
    pub(crate) shared: Arc<Shared>,
    /// As the developer wrote it, and as it may be shown.
    source: Arc<(String, String)>,
    /// Stops the task when the last handle is dropped.
    _task: Arc<JoinSet<()>>,
}

impl RemoteKeys {
    /// The keys of an issuer that says by its metadata where they are (OpenID Connect Discovery 1.0, or else RFC 8414).
    ///
    /// `issuer` is exactly what its tokens have as `iss`: the metadata must name the same, a slash at the end included.
    pub fn discover(issuer: impl Into<String>) -> RemoteKeysBuilder {
        RemoteKeysBuilder::discover(issuer.into())
    }

    /// The keys at a URL that is known.
    pub fn from_url(url: impl Into<String>) -> RemoteKeysBuilder {
        RemoteKeysBuilder::from_url(url.into())
    }

    pub(crate) fn new(shared: Arc<Shared>, source: String, shown: String, task: JoinSet<()>) -> Self {
        Self { shared, source: Arc::new((source, shown)), _task: Arc::new(task) }
    }

    /// Waits until tokens can be verified: for a service that is not to start without keys.
    ///
    /// # Errors
    ///
    /// If that takes longer than `timeout`. The error's text says why the last attempt failed and what to change; for the kind of
    /// failure see [`last_error`](Self::last_error).
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

    /// How the source is doing.
    pub fn health(&self) -> Health {
        self.shared.machine().health(driver::now())
    }

    /// Why the last attempt came to nothing; `None` if it did not.
    pub fn last_error(&self) -> Option<FetchError> {
        self.shared.machine().last_error().cloned()
    }

    /// The keys in use; empty if there are none, or if they are too old.
    pub fn keys(&self) -> KeySet {
        self.shared.published().usable(driver::now()).cloned().unwrap_or_default()
    }

    /// For how long the issuer was not seen to publish these keys; `None` if there are none.
    pub fn age(&self) -> Option<Duration> {
        let machine = self.shared.machine();
        Some(driver::now().saturating_duration_since(machine.held()?.asked_at))
    }

    /// The keys in use with their age, for the next start. `None` if there are none. A key whose private half the
    /// issuer [published](crate::FetchErrorKind::PublishedSecret) is not in use any more, and not after the next start either:
    /// so write one down after such an event, over those from before.
    pub fn snapshot(&self) -> Option<Snapshot> {
        self.shared.machine().held().map(|held| Snapshot::of(&self.source.0, held))
    }

    fn fault(&self) -> KeySourceError {
        self.shared.machine().fault(driver::now())
    }
}

impl KeySource for RemoteKeys {
    fn resolve(&self, hint: KeyHint<'_>, now: UnixTime) -> Resolved {
        // No issuer publishes secrets, and none of a set would be taken: there is nothing to look for.
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

    /// Public keys alone: no secret of a fetched set is ever used.
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
