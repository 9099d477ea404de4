//! [`KeyRingBuilder`]: the settings of a key ring.

use std::{
    future::Future,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use arc_swap::ArcSwapOption;
use portcullis_core::{Algorithm, Clock, ConfigError, clock::SystemClock};
use tokio::{runtime::Handle, sync::Mutex, task::JoinSet, time::sleep};

use super::{
    KeyEvent, KeyPlan, KeyRing, KeyRingError, Sealing, SigningKeys, event::Listener, shared::Shared, store::AnyKeys,
};

/// When a key is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rotation {
    /// By [`KeyRing::rotate`].
    Manual,
    /// By the ring itself, once the active key has signed for this time, and the standby is old enough.
    Every(Duration),
}

impl Rotation {
    /// Every 90 days: long enough that it is no burden for verifiers, and often enough that rotation is known to work.
    pub const AUTOMATIC: Self = Self::Every(Duration::from_secs(90 * 86_400));
}

/// The settings of a [`KeyRing`]; created by [`KeyRing::builder`].
#[derive(Debug)]
#[must_use = "a ring has no keys before `start`"]
pub struct KeyRingBuilder {
    store: Box<dyn AnyKeys>,
    algorithm: Algorithm,
    sealing: Sealing,
    plan: KeyPlan,
    rotation: Rotation,
    clock: Arc<dyn Clock>,
    listener: Hidden,
}

/// A listener has no `Debug`.
#[derive(Default)]
struct Hidden(Option<Listener>);

impl KeyRingBuilder {
    pub(super) fn new(store: impl SigningKeys, algorithm: Algorithm, sealing: Sealing) -> Self {
        Self {
            store: Box::new(store),
            algorithm,
            sealing,
            plan: KeyPlan::new(),
            rotation: Rotation::Manual,
            clock: Arc::new(SystemClock),
            listener: Hidden::default(),
        }
    }

    /// Sets the times of the plan. All instances need the same. Defaults to [`KeyPlan::new`].
    pub fn plan(self, plan: KeyPlan) -> Self {
        Self { plan, ..self }
    }

    /// Sets when a key is replaced. Defaults to [`Rotation::Manual`].
    pub fn rotation(self, rotation: Rotation) -> Self {
        Self { rotation, ..self }
    }

    /// Reads the time from `clock`. Defaults to [`SystemClock`].
    pub fn clock(self, clock: impl Clock) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Calls `listener` for each event. It must not block. If it panics, the other events of that read are lost, and the ring goes on.
    pub fn on_event(self, listener: impl Fn(&KeyEvent) + Send + Sync + 'static) -> Self {
        Self { listener: Hidden(Some(Arc::new(listener))), ..self }
    }

    /// Reads the document, or creates it in an empty store: one key that signs, and a standby. Several instances may start at the same
    /// time. Starts the task that reads the document again, which ends with the last handle. Call it within a tokio runtime.
    ///
    /// # Errors
    ///
    /// [`KeyRingErrorKind::Config`](super::KeyRingErrorKind::Config) for settings that cannot be used; otherwise why there are no keys. A document
    /// that cannot be read is never replaced.
    pub async fn start(self) -> Result<KeyRing, KeyRingError> {
        let plan = self.plan.for_algorithm(self.algorithm);
        let mut problems: Vec<_> = plan.problems().collect();
        if matches!(self.rotation, Rotation::Every(interval) if interval < plan.standby_time()) {
            let standby = plan.standby_time();
            problems.push(format!(
                "keys are replaced more often than their {standby:?} on standby allow: rotate less often"
            ));
        }
        let runtime = Handle::try_current().map_err(|_| problems.push(NO_RUNTIME.to_owned())).ok();
        ConfigError::check(problems)?;
        let runtime = runtime.ok_or_else(|| ConfigError::new(NO_RUNTIME))?;
        let shared = Arc::new(Shared {
            store: self.store,
            algorithm: self.algorithm,
            sealing: self.sealing,
            plan,
            rotation: self.rotation,
            clock: self.clock,
            listener: self.listener.0,
            current: ArcSwapOption::empty(),
            access: Mutex::new(()),
            longest_life: AtomicU64::new(0),
            last_error: ArcSwapOption::empty(),
        });
        shared.read().await?;
        let mut task = JoinSet::new();
        task.spawn_on(read_again(Arc::clone(&shared)), &runtime);
        Ok(KeyRing::new(shared, task))
    }
}

const NO_RUNTIME: &str = "there is no tokio runtime here: call `start` in an async function that one runs";

/// Reads the document again and again. Its ring ends it.
async fn read_again(shared: Arc<Shared>) {
    loop {
        sleep(shared.plan.read_interval()).await;
        let reading = Arc::clone(&shared);
        // An error is reported as an event; the keys are used for as long as the plan allows.
        if panics(async move { drop(reading.read().await) }).await {
            let reporting = Arc::clone(&shared);
            panics(async move { reporting.report_panic() }).await;
        }
    }
}

/// Does something in a task of its own, so that a panic of the store, the clock or the listener ends nothing else; `true` if there was one.
async fn panics(work: impl Future<Output = ()> + Send + 'static) -> bool {
    let mut task = JoinSet::new();
    task.spawn(work);
    task.join_next().await.is_some_and(|outcome| outcome.is_err())
}

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "a listener" } else { "none" })
    }
}
