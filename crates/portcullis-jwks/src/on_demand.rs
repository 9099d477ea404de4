//! [`OnDemandKeys`]: keys that are fetched only while they are in use, for services with thousands of tenants.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak,
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

use crate::{RemoteKeys, RemoteKeysBuilder, fetch::SharedFetch};

/// A [`KeySource`] for tenants: fetches an issuer's keys from its first token on, and releases them after an hour without tokens. For a
/// thousand tenants of whom ten are active, ten tasks run. Clones share the keys.
///
/// The first token, and the first one after a pause, waits for a fetch, and tokens that were verified before are verified again. While in
/// use, the source behaves like [`RemoteKeys`].
///
/// ```no_run
/// use portcullis_core::{Issuers, TrustedIssuer};
/// use portcullis_core::issuers::Allow;
/// use portcullis_jwks::{OnDemandKeys, RemoteKeys};
///
/// # async fn audience_of(tenant: &str) -> std::io::Result<Option<String>> { Ok(None) }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), portcullis_core::ConfigError> {
/// let issuers = Issuers::new([])?;
/// issuers.on_unknown(Allow::suffix(".tenants.example.com")?, |issuer: String| async move {
///     let Some(audience) = audience_of(&issuer).await? else { return Ok(None) };
///     let name = issuer.clone();
///     let keys = OnDemandKeys::new(move || RemoteKeys::discover(&name))?;
///     Ok(Some(TrustedIssuer::new(issuer, keys).audience(audience)))
/// })?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct OnDemandKeys(Arc<Inner>);

struct Inner {
    make: Arc<dyn Fn() -> RemoteKeysBuilder + Send + Sync>,
    /// The client of every source, unless the source has its own. Shared, because making a client takes too long for a request.
    client: Arc<OnceLock<SharedFetch>>,
    idle_after: Duration,
    running: ArcSwapOption<Running>,
    starts: Mutex<Starts>,
}

/// A running source.
struct Running {
    keys: RemoteKeys,
    /// Its number, counted from one.
    number: u32,
    /// Whether it was used since the last check.
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

/// After a pause, a tenant costs a few requests for its key set and a fetch for its next token.
const DEFAULT_IDLE: Duration = Duration::from_secs(60 * 60);
const MIN_IDLE: Duration = Duration::from_secs(60);
const MAX_IDLE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

impl OnDemandKeys {
    /// Creates a source from `make` each time it is needed. Must be called inside a tokio runtime.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`RemoteKeysBuilder::start`]. Nothing is fetched.
    pub fn new(make: impl Fn() -> RemoteKeysBuilder + Send + Sync + 'static) -> Result<Self, ConfigError> {
        Self::with_client(make, Arc::default())
    }

    /// Like [`new`](Self::new), with a client that several sources share.
    pub(crate) fn with_client(
        make: impl Fn() -> RemoteKeysBuilder + Send + Sync + 'static,
        client: Arc<OnceLock<SharedFetch>>,
    ) -> Result<Self, ConfigError> {
        let this = Self::of(Arc::new(make), client, DEFAULT_IDLE);
        this.0.make()?;
        Ok(this)
    }

    fn of(
        make: Arc<dyn Fn() -> RemoteKeysBuilder + Send + Sync>,
        client: Arc<OnceLock<SharedFetch>>,
        idle_after: Duration,
    ) -> Self {
        let (running, starts) = (ArcSwapOption::empty(), Mutex::default());
        Self(Arc::new(Inner { make, client, idle_after, running, starts }))
    }

    /// Sets after what time without a token the keys are released: a minute to a week. It may take a quarter longer. Defaults to an hour.
    ///
    /// # Errors
    ///
    /// If the time is out of this range.
    pub fn idle_after(self, time: Duration) -> Result<Self, ConfigError> {
        if !(MIN_IDLE..=MAX_IDLE).contains(&time) {
            return Err(ConfigError::new(format!(
                "keys on demand: idle after {time:?} is not between a minute and a week"
            )));
        }
        Ok(Self::of(Arc::clone(&self.0.make), Arc::clone(&self.0.client), time))
    }

    /// Returns the running source, for its health; `None` while there is none.
    ///
    /// Do not use it for a readiness probe: until a source that is [down](crate::Health::Down) has keys, it fetches only for tokens that
    /// need one.
    pub fn running(&self) -> Option<RemoteKeys> {
        self.0.running.load().as_ref().map(|running| running.keys.clone())
    }
}

impl Inner {
    /// A new source, which fetches nothing yet.
    fn make(&self) -> Result<RemoteKeys, ConfigError> {
        (self.make)().with_client(&self.client).only_when_asked().start()
    }

    fn used(&self) -> Option<Arc<Running>> {
        let running = self.running.load_full()?;
        running.mark_used();
        Some(running)
    }

    /// Returns the running source, or starts a new one.
    fn used_or_started(self: &Arc<Self>) -> Result<Arc<Running>, ConfigError> {
        self.used().map_or_else(|| self.start(), Ok)
    }

    fn start(self: &Arc<Self>) -> Result<Arc<Running>, ConfigError> {
        let mut starts = self.starts();
        if let Some(running) = self.used() {
            return Ok(running);
        }
        let keys = self.make()?;
        let runtime = Handle::try_current().map_err(|error| ConfigError::new(error.to_string()))?;
        starts.number += 1;
        let running = Arc::new(Running { keys, number: starts.number, used: AtomicBool::new(true) });
        self.running.store(Some(Arc::clone(&running)));
        starts.watch = JoinSet::new();
        starts.watch.spawn_on(watch(Arc::downgrade(self), self.idle_after), &runtime);
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
        match self.0.used_or_started() {
            Ok(running) => running.keys.resolve(hint, now),
            Err(error) => {
                let fault = KeySourceError::new(KeySourceErrorKind::Unavailable, "the keys could not be started");
                Resolved::Fault(fault.with_source(error))
            }
        }
    }

    fn reconsider(&self, hint: KeyHint<'_>, tried: &KeyMatch) -> Resolved {
        self.0.used().map_or(Resolved::Unknown, |running| running.keys.reconsider(hint, tried))
    }

    /// Combines the running source's edition with its number: each source counts from one, and its keys may differ.
    fn edition(&self, now: UnixTime) -> Option<u64> {
        let running = self.0.running.load();
        let running = running.as_ref()?;
        running.mark_used();
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

impl fmt::Debug for OnDemandKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnDemandKeys")
            .field("idle_after", &self.0.idle_after)
            .field("running", &self.running())
            .finish_non_exhaustive()
    }
}
