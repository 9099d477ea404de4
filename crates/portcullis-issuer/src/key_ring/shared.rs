//! [`Shared`]: what the handles of a ring and its task share.

use std::{
    fmt,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwapOption;
use portcullis_core::{Algorithm, Clock, UnixTime};
use tokio::{
    sync::{Mutex, MutexGuard},
    time::timeout,
};

use super::{
    DocumentVersion, KeyEvent, KeyPlan, KeyRingError, KeyRingErrorKind, Replaced, RingDocument, RingKey, Rotation,
    Sealing,
    document::Upkeep,
    event::{Listener, between},
    snapshot::{Reading, Snapshot},
    step::Step,
    store::AnyKeys,
};
use crate::{date::Date, store_error::StoreError};

pub(super) struct Shared {
    pub(super) store: Box<dyn AnyKeys>,
    pub(super) algorithm: Algorithm,
    pub(super) sealing: Sealing,
    pub(super) plan: KeyPlan,
    pub(super) rotation: Rotation,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) listener: Option<Listener>,
    /// Always there once the ring has been started.
    pub(super) current: ArcSwapOption<Snapshot>,
    /// One access to the store at a time, so that no earlier document takes the place of a later one. Tokens do not wait for it.
    pub(super) access: Mutex<()>,
    /// The longest lifetime of the tokens that this instance mints, in seconds.
    pub(super) longest_life: AtomicU64,
    /// Why the document could not be read the last time; `None` if it was.
    pub(super) last_error: ArcSwapOption<KeyRingError>,
}

/// A document as it is in the store, or as it has to be.
struct Loaded {
    document: RingDocument,
    version: Option<DocumentVersion>,
    is_stored: bool,
    /// The store has lost changes.
    is_lost: bool,
}

/// Each failed attempt is one that another instance has won.
const ATTEMPTS: usize = 64;

/// 2025-01-01: no ring was started before.
const EARLIEST: UnixTime = UnixTime::from_secs(1_735_689_600);

const CALL_TIMEOUT: Duration = Duration::from_secs(5);

impl Shared {
    /// Reads the document, and does what is due.
    pub(super) async fn read(&self) -> Result<(), KeyRingError> {
        let outcome = self.change(&Step::Upkeep).await;
        match &outcome {
            Ok(()) if self.last_error.swap(None).is_some() => self.tell(&KeyEvent::Readable),
            Ok(()) => {}
            Err(error) => self.failed(error),
        }
        outcome
    }

    /// Reports that the task which reads has panicked.
    pub(super) fn report_panic(&self) {
        self.failed(&KeyRingError::panicked());
    }

    fn failed(&self, error: &KeyRingError) {
        if self.last_error.swap(Some(Arc::new(error.clone()))).is_none() {
            self.tell(&KeyEvent::Unreadable { error: error.clone() });
        }
    }

    /// Takes a step, and what is due after it.
    pub(super) async fn take(&self, step: Step<'_>) -> Result<(), KeyRingError> {
        self.change(&step).await?;
        if step.needs_spare() {
            // A revoked key may have used up the new one. If this fails, the next read does it.
            let _ = self.change(&Step::Upkeep).await;
        }
        Ok(())
    }

    /// Records that tokens with this lifetime may be signed.
    pub(super) async fn record(&self, lifetime: Duration) -> Result<(), KeyRingError> {
        let secs = lifetime.as_secs() + u64::from(lifetime.subsec_nanos() > 0);
        self.longest_life.fetch_max(secs, Ordering::Relaxed);
        // Not a queue of many that each wait for a store which hangs.
        let hangs = |_| StoreError::new("an earlier call has not ended within 5 s");
        let access = timeout(CALL_TIMEOUT, self.access.lock()).await.map_err(hangs)?;
        // Another caller has waited for the same, and was first.
        let current = self.current.load_full();
        let active = current.as_ref().and_then(|snapshot| snapshot.contents.active.as_ref());
        if active.is_some_and(|active| active.longest_life >= lifetime) {
            return Ok(());
        }
        self.change_with(&access, &Step::Upkeep).await
    }

    async fn change(&self, step: &Step<'_>) -> Result<(), KeyRingError> {
        let access = self.access.lock().await;
        self.change_with(&access, step).await
    }

    async fn change_with(&self, _: &MutexGuard<'_, ()>, step: &Step<'_>) -> Result<(), KeyRingError> {
        let mut spare = None;
        for _ in 0..ATTEMPTS {
            let reading = Reading::now(&*self.clock);
            let loaded = self.load().await?;
            if loaded.is_stored {
                self.publish(&loaded.document, reading)?;
            }
            if spare.is_none() && self.needs_spare(step, &loaded.document)? {
                spare = Some(self.generate().await?);
            }
            let next = self.next(step, &loaded.document, spare.as_ref())?;
            if loaded.is_stored && next == loaded.document {
                return Ok(());
            }
            let next = next.after(self.serial().max(loaded.document.serial())).fitting()?;
            let text = self.sealing.with_mac(next.to_text())?;
            match call(self.store.replace(loaded.version, &text)).await? {
                Replaced::Stored(_) => {
                    self.publish(&next, reading)?;
                    if loaded.is_lost {
                        self.tell(&KeyEvent::LostChanges);
                    }
                    return Ok(());
                }
                Replaced::Conflict => {}
            }
        }
        Err(KeyRingError::contended())
    }

    /// Returns the document of the store, with what the store has lost. For an empty store, returns the first document.
    async fn load(&self) -> Result<Loaded, KeyRingError> {
        let stored = call(self.store.load()).await?;
        let version = stored.as_ref().map(super::StoredDocument::version);
        let stored = stored.map(|stored| self.parse(stored.text())).transpose()?;
        stored.as_ref().map_or(Ok(()), |stored| self.check_algorithm(stored))?;
        let seen = self.current.load();
        let seen = seen.as_ref().map(|snapshot| &snapshot.contents.document);
        let (document, is_stored) = match (stored, seen) {
            (Some(stored), None) => (stored, true),
            (Some(stored), Some(seen)) => match stored.healed(seen, &self.plan, self.clock.now()) {
                Some(healed) => (healed, false),
                None => (stored, true),
            },
            (None, Some(seen)) => (seen.clone(), false),
            (None, None) => {
                self.check_clock()?;
                let (active, standby) = (self.generate().await?, self.generate().await?);
                (RingDocument::first(active, standby, self.clock.now()), false)
            }
        };
        Ok(Loaded { document, version, is_stored, is_lost: !is_stored && seen.is_some() })
    }

    /// Reads a document that was written by an instance with the sealing key.
    fn parse(&self, text: &str) -> Result<RingDocument, KeyRingError> {
        let document = RingDocument::parse(text)?;
        self.sealing.check_mac(text)?;
        Ok(document)
    }

    /// A machine that has just started may not have its time yet: its keys would look old enough to sign.
    fn check_clock(&self) -> Result<(), KeyRingError> {
        let now = self.clock.now();
        if now >= EARLIEST {
            return Ok(());
        }
        let message = format!("the clock shows {}, so no keys are made: set it", Date(now));
        Err(KeyRingError::new(KeyRingErrorKind::Config, message))
    }

    /// Secrets are not published, and private keys are: a ring does not change from one to the other.
    fn check_algorithm(&self, document: &RingDocument) -> Result<(), KeyRingError> {
        let is_other = |key: &RingKey| key.algorithm().is_symmetric() != self.algorithm.is_symmetric();
        let Some(other) = document.keys().find(|key| is_other(key)) else { return Ok(()) };
        let message = format!(
            "this ring is for {}, and the store has keys for {}: use another store, as secrets and private keys have different plans",
            self.algorithm,
            other.algorithm()
        );
        Err(KeyRingError::new(KeyRingErrorKind::Config, message))
    }

    fn needs_spare(&self, step: &Step<'_>, document: &RingDocument) -> Result<bool, KeyRingError> {
        if step.needs_spare() {
            return Ok(true);
        }
        let after = step.apply(document, None, &self.plan, self.clock.now())?;
        Ok(self.upkeep().needs_spare(&after))
    }

    fn next(
        &self,
        step: &Step<'_>,
        document: &RingDocument,
        spare: Option<&RingKey>,
    ) -> Result<RingDocument, KeyRingError> {
        let after = step.apply(document, spare, &self.plan, self.clock.now())?;
        Ok(self.upkeep().apply(&after, spare).unwrap_or(after))
    }

    fn upkeep(&self) -> Upkeep<'_> {
        let longest_life = Duration::from_secs(self.longest_life.load(Ordering::Relaxed));
        Upkeep { plan: &self.plan, rotation: self.rotation, longest_life, now: self.clock.now() }
    }

    fn publish(&self, document: &RingDocument, reading: Reading) -> Result<(), KeyRingError> {
        let before = self.current.load_full();
        let snapshot = Snapshot::new(document.clone(), reading, before.as_deref(), &self.sealing, &self.plan)?;
        self.current.store(Some(Arc::new(snapshot)));
        if let (Some(before), Some(_)) = (before, &self.listener) {
            for event in between(&before.contents.document, document) {
                self.tell(&event);
            }
        }
        Ok(())
    }

    /// Making an RSA key takes a while.
    async fn generate(&self) -> Result<RingKey, KeyRingError> {
        let (algorithm, sealing) = (self.algorithm, self.sealing.clone());
        let made = tokio::task::spawn_blocking(move || RingKey::generate(algorithm, &sealing)).await;
        made.unwrap_or_else(|_| Err(KeyRingError::new(KeyRingErrorKind::Key, "making a key was interrupted")))
    }

    fn serial(&self) -> u64 {
        self.current.load().as_ref().map_or(0, |snapshot| snapshot.contents.document.serial())
    }

    fn tell(&self, event: &KeyEvent) {
        if let Some(listener) = &self.listener {
            listener(event);
        }
    }
}

async fn call<T>(call: impl Future<Output = Result<T, StoreError>>) -> Result<T, KeyRingError> {
    let outcome = timeout(CALL_TIMEOUT, call).await;
    Ok(outcome.unwrap_or_else(|_| Err(StoreError::new("it has not answered within 5 s")))?)
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing")
            .field("store", &self.store)
            .field("algorithm", &self.algorithm)
            .field("plan", &self.plan)
            .field("clock", &self.clock)
            .finish_non_exhaustive()
    }
}
