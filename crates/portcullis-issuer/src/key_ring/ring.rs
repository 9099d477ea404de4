//! [`KeyRing`]: signs with the key of now.

use std::{fmt, sync::Arc, time::Duration};

use arc_swap::Guard;
use portcullis_core::{
    Algorithm, KeySet, UnixTime,
    keys::{AlgorithmSet, KeyHint, KeySource, KeySourceError, KeySourceErrorKind, Resolved},
};
use tokio::task::JoinSet;

use super::{
    KeyPlan, KeyRingBuilder, KeyRingError, KeyRingErrorKind, RingDocument, RingHealth, RingWarning, Sealing,
    SigningKeys, Timeline, shared::Shared, snapshot::Snapshot, step::Step,
};
use crate::{
    documents::PublishedDocument,
    signer::{Choosing, CurrentSigner, SignError, SignErrorKind, Signer},
};

/// The keys of an issuer, which are replaced by a plan. It is a handle; clones share the ring. See the [module](super) for an example.
///
/// It signs for a [`TokenIssuer`](crate::TokenIssuer) ([`CurrentSigner`]), verifies in the same program ([`KeySource`]), and publishes its
/// key set ([`published`](Self::published)). All of that is done from memory. When the last clone is dropped, the ring no longer reads the
/// document.
///
/// If the document could not be read for [`KeyPlan::propagation`], the ring neither signs nor verifies nor publishes: these are errors of
/// their own, "unavailable". The plan assumes that each instance knows the document, and a key may have been revoked.
///
/// (The ring of `portcullis-core` has the same name. It only verifies, and has no plan.)
#[doc(alias = "rotation")]
#[derive(Clone)]
pub struct KeyRing {
    shared: Arc<Shared>,
    _task: Arc<JoinSet<()>>,
}

impl KeyRing {
    /// Begins the settings of a ring whose document is in `store`, and whose new keys are for `algorithm`. `sealing` encrypts private keys in
    /// the document: a [`SealingKey`](super::SealingKey), or [`Sealing::danger_none`].
    pub fn builder(store: impl SigningKeys, algorithm: Algorithm, sealing: impl Into<Sealing>) -> KeyRingBuilder {
        KeyRingBuilder::new(store, algorithm, sealing.into())
    }

    pub(super) fn new(shared: Arc<Shared>, task: JoinSet<()>) -> Self {
        Self { shared, _task: Arc::new(task) }
    }

    /// Replaces the active key by the standby, and adds a new standby.
    ///
    /// # Errors
    ///
    /// [`KeyRingErrorKind::TooEarly`], which names the earliest safe time; [`KeyRingErrorKind::Store`] if the store cannot be reached or does
    /// not know whether it has kept the change: read [`document`](Self::document) after the next [`reload`](Self::reload).
    pub async fn rotate(&self) -> Result<(), KeyRingError> {
        self.shared.take(Step::Rotate).await
    }

    /// Lets the key sign again that signed before the active one. See [`RingDocument::roll_back`].
    ///
    /// # Errors
    ///
    /// [`KeyRingErrorKind::Refused`] if no earlier key is still published, [`KeyRingErrorKind::TooEarly`] if it is too young; otherwise as [`rotate`](Self::rotate).
    pub async fn roll_back(&self) -> Result<(), KeyRingError> {
        self.shared.take(Step::RollBack).await
    }

    /// Ends a key that has leaked: its tokens are refused, and if it was active, the standby signs at once. `why` is recorded.
    ///
    /// Instances learn of it when they read the document ([`KeyPlan::read_every`]), verifiers with the published key set
    /// ([`KeyPlan::learned_by_all`] at the latest). For services that follow a log of revocations, also revoke the key there
    /// ([`Revocation::key`](portcullis_core::revocation::Revocation::key)), which takes seconds.
    ///
    /// If the whole document may have leaked, with its sealing key, revoke every key: first those on standby, then the active one.
    ///
    /// # Errors
    ///
    /// See [`RingDocument::revoke`] and [`rotate`](Self::rotate).
    pub async fn revoke(&self, id: &str, why: &str) -> Result<(), KeyRingError> {
        self.shared.take(Step::Revoke(id, why)).await
    }

    /// Adds one more standby.
    ///
    /// # Errors
    ///
    /// See [`RingDocument::add_standby`] and [`rotate`](Self::rotate).
    pub async fn add_standby(&self) -> Result<(), KeyRingError> {
        self.shared.take(Step::AddStandby).await
    }

    /// Lets a certain key sign.
    ///
    /// # Errors
    ///
    /// See [`RingDocument::activate`] and [`rotate`](Self::rotate).
    pub async fn activate(&self, id: &str) -> Result<(), KeyRingError> {
        self.shared.take(Step::Activate(id)).await
    }

    /// Lets a key sign before it is safe, and records why: verifiers that do not know it yet refuse its tokens.
    ///
    /// # Errors
    ///
    /// See [`RingDocument::danger_activate`] and [`rotate`](Self::rotate).
    pub async fn danger_activate(&self, id: &str, why: &str) -> Result<(), KeyRingError> {
        self.shared.take(Step::DangerActivate(id, why)).await
    }

    /// Removes a key that is not needed: see [`RingDocument::retire`].
    ///
    /// # Errors
    ///
    /// See [`RingDocument::retire`] and [`rotate`](Self::rotate).
    pub async fn retire(&self, id: &str) -> Result<(), KeyRingError> {
        self.shared.take(Step::Retire(id)).await
    }

    /// Removes a retiring key before its time, and records why: its tokens are refused.
    ///
    /// # Errors
    ///
    /// See [`RingDocument::danger_remove`] and [`rotate`](Self::rotate).
    pub async fn danger_remove(&self, id: &str, why: &str) -> Result<(), KeyRingError> {
        self.shared.take(Step::DangerRemove(id, why)).await
    }

    /// Reads the document now, and does what is due: keys whose time has come are removed, and a missing standby is added.
    ///
    /// # Errors
    ///
    /// Why the document cannot be read or changed.
    pub async fn reload(&self) -> Result<(), KeyRingError> {
        self.shared.read().await
    }

    /// Returns the document as it was last read.
    pub fn document(&self) -> RingDocument {
        self.snapshot().as_ref().map_or_else(RingDocument::empty, |snapshot| snapshot.contents.document.clone())
    }

    /// Returns what happens when, for each key.
    pub fn timeline(&self) -> Timeline {
        Timeline::new(&self.document(), &self.shared.plan, self.shared.clock.now())
    }

    /// Returns what an operator should mend.
    pub fn warnings(&self) -> Vec<RingWarning> {
        self.document().warnings(&self.shared.plan, self.shared.clock.now())
    }

    /// Returns the plan.
    pub fn plan(&self) -> &KeyPlan {
        &self.shared.plan
    }

    /// Returns how long ago the document was read.
    pub fn age(&self) -> Duration {
        self.snapshot().as_ref().map_or(Duration::MAX, |snapshot| snapshot.age(&*self.shared.clock))
    }

    /// Returns the published key set: the public keys on standby, active and retiring, never a private or revoked one. Its `max-age` is that of
    /// the plan: do not lengthen it. `None` for secrets, which are not published.
    ///
    /// # Errors
    ///
    /// [`KeyRingErrorKind::Store`] if the document was not read for too long: answer 503. A key set that misses a key would be kept
    /// by caches and verifiers, whereas an outage of the route is part of the plan.
    pub fn published(&self) -> Result<Option<Arc<PublishedDocument>>, KeyRingError> {
        let snapshot = self.in_time().map_err(|age| self.too_old(age))?;
        Ok(snapshot.contents.published.clone())
    }

    /// Returns the keys that verify now. Rather give the ring itself to an authenticator: it follows changes.
    ///
    /// # Errors
    ///
    /// [`KeyRingErrorKind::Store`] if the document was not read for too long.
    pub fn key_set(&self) -> Result<KeySet, KeyRingError> {
        let snapshot = self.in_time().map_err(|age| self.too_old(age))?;
        Ok(snapshot.contents.keys.clone())
    }

    /// Returns whether the ring works, and why not.
    pub fn health(&self) -> RingHealth {
        RingHealth::new(self.age(), self.in_time().is_ok(), self.shared.last_error.load_full())
    }

    fn last_error(&self) -> Option<KeyRingError> {
        self.shared.last_error.load().as_deref().cloned()
    }

    fn too_old(&self, age: Duration) -> KeyRingError {
        let error = KeyRingError::new(KeyRingErrorKind::Store, too_old(age));
        match self.last_error() {
            Some(last) => error.with_source(last),
            None => error,
        }
    }

    fn snapshot(&self) -> Guard<Option<Arc<Snapshot>>> {
        self.shared.current.load()
    }

    /// Returns what was read, unless that was too long ago.
    fn in_time(&self) -> Result<Arc<Snapshot>, Duration> {
        let snapshot = self.snapshot();
        let snapshot = snapshot.as_ref().ok_or(Duration::MAX)?;
        let age = snapshot.age(&*self.shared.clock);
        if age <= self.shared.plan.propagation() { Ok(Arc::clone(snapshot)) } else { Err(age) }
    }

    /// Returns the signer, unless it has to be recorded first that such tokens are signed.
    fn signer(&self, lifetime: Duration) -> Result<Option<Arc<dyn Signer>>, SignError> {
        let unavailable = |detail: String| SignError::new(SignErrorKind::Unavailable, detail);
        let snapshot = self.in_time().map_err(|age| match self.last_error() {
            Some(error) => unavailable(too_old(age)).with_source(error),
            None => unavailable(too_old(age)),
        })?;
        let active = snapshot.contents.active.as_ref();
        let active = active.ok_or_else(|| unavailable("the ring has no active key".to_owned()))?;
        let is_recorded = active.longest_life >= lifetime;
        Ok(is_recorded.then(|| Arc::clone(&active.signer) as Arc<dyn Signer>))
    }
}

fn too_old(age: Duration) -> String {
    format!(
        "the document of the keys was last read {} s ago, so a key may have been revoked: is its store reachable?",
        age.as_secs()
    )
}

impl CurrentSigner for KeyRing {
    fn current_algorithm(&self) -> Algorithm {
        let snapshot = self.snapshot();
        let active = snapshot.as_ref().and_then(|snapshot| snapshot.contents.active.as_ref());
        active.map_or(self.shared.algorithm, |active| active.signer.algorithm())
    }

    fn choose(self: Arc<Self>, lifetime: Duration) -> Choosing {
        match self.signer(lifetime) {
            Ok(Some(signer)) => Choosing::Done(Ok(signer)),
            Err(error) => Choosing::Done(Err(error)),
            Ok(None) => Choosing::waiting(async move {
                // Before the first such token is signed: the key stays published until the last one has expired.
                let unavailable = |detail| SignError::new(SignErrorKind::Unavailable, detail);
                let recorded = self.shared.record(lifetime).await;
                recorded
                    .map_err(|error| unavailable("the lifetime of tokens cannot be recorded").with_source(error))?;
                let signer = self.signer(lifetime)?;
                signer.ok_or_else(|| unavailable("the lifetime of tokens is not recorded"))
            }),
        }
    }
}

impl KeySource for KeyRing {
    fn resolve(&self, hint: KeyHint<'_>, now: UnixTime) -> Resolved {
        match self.in_time() {
            Ok(snapshot) => snapshot.contents.keys.resolve(hint, now),
            Err(age) => {
                let fault = KeySourceError::new(KeySourceErrorKind::TooOld, too_old(age));
                Resolved::Fault(match self.last_error() {
                    Some(error) => fault.with_source(error),
                    None => fault,
                })
            }
        }
    }

    fn edition(&self, _: UnixTime) -> Option<u64> {
        self.in_time().ok().map(|snapshot| snapshot.contents.edition)
    }

    fn algorithms(&self) -> AlgorithmSet {
        let snapshot = self.snapshot();
        snapshot.as_ref().map_or(AlgorithmSet::ALL, |snapshot| snapshot.contents.keys.algorithms())
    }

    fn describe(&self, hint: KeyHint<'_>) -> Option<String> {
        self.snapshot().as_ref()?.contents.keys.describe(hint)
    }
}

/// Shows the document, without private keys.
impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing")
            .field("document", &self.document())
            .field("settings", &self.shared)
            .finish_non_exhaustive()
    }
}
