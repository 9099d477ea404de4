//! [`OnDemandKeys`]: keys that are fetched only while they are in use, for services with thousands of tenants.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwapOption;
use portcullis_core::{
    ConfigError, UnixTime,
    keys::{AlgorithmSet, KeyHint, KeyMatch, KeySource, KeySourceError, KeySourceErrorKind, Resolved},
};
use tokio::{runtime::Handle, task::JoinSet, time::sleep};

use crate::{RemoteKeys, builder::Configured, fetch_queue::QueuedSource, tenant_keys::Pool};

/// A [`KeySource`] for tenants: fetches an issuer's keys from its first token on, and releases them after an hour without a token that
/// they verified. Made by [`TenantKeys`](crate::TenantKeys). For a thousand tenants of whom ten are active, ten tasks run. Clones share the keys.
///
/// The first token, and the first one after a pause, waits for a fetch, and tokens that were verified before are verified again. A forged token can start
/// the source, but does not keep it. While in use, the source behaves like [`RemoteKeys`].
#[derive(Clone)]
pub struct OnDemandKeys(Arc<Inner>);

struct Inner {
    pool: Arc<Pool>,
    place: Configured,
    queue: QueuedSource,
    running: ArcSwapOption<Running>,
    starts: Mutex<Starts>,
}

/// A running source.
struct Running {
    keys: RemoteKeys,
    /// Its number, counted from one.
    number: u32,
    /// Whether it has verified a token since the last check.
    used: AtomicBool,
}

#[derive(Default)]
struct Starts {
    number: u32,
    /// The task that ends the running source.
    watch: JoinSet<()>,
}

/// The number of checks per idle time. The last use may be up to one interval earlier than it seems.
const LOOKS: u32 = 4;

impl OnDemandKeys {
    pub(crate) fn new(pool: Arc<Pool>, place: Configured) -> Self {
        let queue = QueuedSource::new(Arc::clone(&pool.queue));
        Self(Arc::new(Inner { pool, place, queue, running: ArcSwapOption::empty(), starts: Mutex::default() }))
    }

    pub(crate) fn downgrade(&self) -> WeakSource {
        WeakSource(Arc::downgrade(&self.0))
    }

    #[cfg(test)]
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Returns the running source, for its health; `None` while there is none.
    ///
    /// Do not use it for a readiness probe: until a source that is [down](crate::Health::Down) has keys, it fetches only for tokens that
    /// need one.
    pub fn running(&self) -> Option<RemoteKeys> {
        self.0.running.load().as_ref().map(|running| running.keys.clone())
    }
}

/// A source that may be gone.
pub(crate) struct WeakSource(Weak<Inner>);

impl WeakSource {
    pub(crate) fn upgrade(&self) -> Option<OnDemandKeys> {
        self.0.upgrade().map(OnDemandKeys)
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.0.strong_count() == 0
    }
}

impl Inner {
    /// Returns the running source, or starts a new one.
    fn running_or_started(self: &Arc<Self>) -> Result<Arc<Running>, ConfigError> {
        self.running.load_full().map_or_else(|| self.start(), Ok)
    }

    fn start(self: &Arc<Self>) -> Result<Arc<Running>, ConfigError> {
        let mut starts = self.starts();
        if let Some(running) = self.running.load_full() {
            return Ok(running);
        }
        // Fetches nothing yet.
        let keys = self.pool.builder(&self.place).queue(self.queue.clone()).start()?;
        let runtime = Handle::try_current().map_err(|error| ConfigError::new(error.to_string()))?;
        starts.number += 1;
        let running = Arc::new(Running { keys, number: starts.number, used: AtomicBool::new(false) });
        self.running.store(Some(Arc::clone(&running)));
        starts.watch = JoinSet::new();
        starts.watch.spawn_on(watch(Arc::downgrade(self), self.pool.idle_after), &runtime);
        Ok(running)
    }

    /// Ends the source unless it was used. Returns whether it ended.
    fn end_if_unused(&self) -> bool {
        let _no_start_meanwhile = self.starts();
        let Some(running) = self.running.swap(None) else { return true };
        // A request may have used it while it was being removed.
        if running.used.load(Ordering::SeqCst) {
            self.running.store(Some(running));
            return false;
        }
        true
    }

    fn starts(&self) -> MutexGuard<'_, Starts> {
        self.starts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    fn mark_used(&self) {
        // Read first: a write would invalidate the cache line of other processors.
        if !self.used.load(Ordering::SeqCst) {
            self.used.store(true, Ordering::SeqCst);
        }
    }
}

/// Ends the source once it has been unused for this time.
async fn watch(source: Weak<Inner>, idle_after: Duration) {
    let mut quiet = 0;
    while quiet < LOOKS {
        sleep(idle_after / LOOKS).await;
        let Some(inner) = source.upgrade() else { return };
        let was_used = inner.running.load().as_ref().is_some_and(|running| running.used.swap(false, Ordering::SeqCst));
        quiet = if was_used { 0 } else { quiet + 1 };
        if quiet == LOOKS && !inner.end_if_unused() {
            quiet = 0;
        }
    }
}

impl KeySource for OnDemandKeys {
    fn resolve(&self, hint: KeyHint<'_>, now: UnixTime) -> Resolved {
        match self.0.running_or_started() {
            Ok(running) => until_answered(running.keys.resolve(hint, now), running),
            Err(error) => {
                let fault = KeySourceError::new(KeySourceErrorKind::Unavailable, "the keys could not be started");
                Resolved::Fault(fault.with_source(error))
            }
        }
    }

    fn reconsider(&self, hint: KeyHint<'_>, tried: &KeyMatch) -> Resolved {
        let Some(running) = self.0.running.load_full() else { return Resolved::Unknown };
        until_answered(running.keys.reconsider(hint, tried), running)
    }

    /// Only this is a use: whatever else the source is asked, anyone can cause with a forged token.
    fn note_verified(&self) {
        self.0.queue.note_verified();
        if let Some(running) = &*self.0.running.load() {
            running.mark_used();
        }
    }

    /// Combines the running source's edition with its number: each source counts from one, and its keys may differ.
    fn edition(&self, now: UnixTime) -> Option<u64> {
        let running = self.0.running.load();
        let running = running.as_ref()?;
        let edition = u32::try_from(running.keys.edition(now)?).ok()?;
        Some(u64::from(running.number) << 32 | u64::from(edition))
    }

    fn algorithms(&self) -> AlgorithmSet {
        AlgorithmSet::ASYMMETRIC
    }

    fn describe(&self, hint: KeyHint<'_>) -> Option<String> {
        self.running()?.describe(hint)
    }
}

/// Keeps the source running while a request waits for it, although it may turn out to be idle meanwhile.
fn until_answered(answer: Resolved, running: Arc<Running>) -> Resolved {
    let Resolved::Waiting(waiting) = answer else { return answer };
    Resolved::waiting(async move {
        let answer = waiting.await;
        drop(running);
        answer
    })
}

impl fmt::Debug for OnDemandKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnDemandKeys")
            .field("idle_after", &self.0.pool.idle_after)
            .field("running", &self.running())
            .finish_non_exhaustive()
    }
}
