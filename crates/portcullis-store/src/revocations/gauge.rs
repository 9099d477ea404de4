//! [`RevocationGauge`]: reports the health of revocations even after the handle is dropped.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use portcullis_core::{
    metrics::{Measured, Snapshot, names},
    revocation::{RevocationView, ViewState},
};

use super::{
    health::{RevocationHealth, Status},
    shared::Shared,
};

/// Reports the health of revocations, even after the last handle was dropped; created by
/// [`Revocations::gauge`](crate::Revocations::gauge).
///
/// Dropping the handle by mistake stops the task that follows the log. A gauge that was part of the handle would
/// disappear with it, and a dashboard would show nothing instead of an alarm. This gauge does not keep the task alive,
/// and reports when it has ended ([`RevocationHealth::is_followed`]).
#[derive(Clone)]
pub struct RevocationGauge {
    view: RevocationView,
    status: Arc<Mutex<Status>>,
    shared: Weak<Shared>,
}

impl RevocationGauge {
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        Self { view: shared.view().clone(), status: Arc::clone(&shared.status), shared: Arc::downgrade(shared) }
    }

    /// Returns the health of revocations.
    pub fn health(&self) -> RevocationHealth {
        if let Some(shared) = self.shared.upgrade() {
            shared.note_numbers();
        }
        RevocationHealth::of(&self.view, &self.status.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// For `Telemetry::watch` of the crate `portcullis`.
impl Measured for RevocationGauge {
    fn measure(&self, source: &str, snapshot: &mut Snapshot) {
        let health = self.health();
        let amount = |count: usize| u32::try_from(count).map_or(f64::from(u32::MAX), f64::from);
        let truth = |is_so: bool| f64::from(u8::from(is_so));
        let gauges = [
            (&names::REVOCATION_ENTRIES, Some(amount(health.entries))),
            (&names::REVOCATION_AGE, health.age.map(|age| age.as_secs_f64())),
            (&names::REVOCATION_FRESH, Some(truth(health.state == ViewState::Fresh))),
            (&names::REVOCATION_FOLLOWED, Some(truth(health.is_followed))),
            (&names::REVOCATION_LAG, health.lag.map(|lag| lag.as_secs_f64())),
            (&names::REVOCATION_UNACKNOWLEDGED, Some(amount(health.unacknowledged))),
        ];
        for (metric, value) in gauges {
            if let Some(value) = value {
                snapshot.gauge(metric, &[source], value);
            }
        }
        snapshot.counter(&names::REVOCATION_SERVED_STALE, &[source], health.served_stale);
        snapshot.counter(&names::REVOCATION_RESTARTS, &[source], health.restarts);
        snapshot.counter(&names::REVOCATION_UNREADABLE, &[source], health.unreadable);
    }
}

impl fmt::Debug for RevocationGauge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RevocationGauge").field("view", &self.view).finish_non_exhaustive()
    }
}
