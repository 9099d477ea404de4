//! `RevocationGauge`: the health of revocations, for longer than what is measured lives.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use portcullis_core::revocation::RevocationView;

use super::{
    health::{RevocationHealth, Status},
    shared::Shared,
};

/// Reports how revocations are doing, also after the last handle was dropped; made by [`Revocations::gauge`](crate::Revocations::gauge).
///
/// Dropping the handle by mistake stops the task that follows the log. A gauge that was part of the handle would go with it, and a dashboard
/// would show nothing instead of an alarm. This one does not keep the task alive, and says that it is gone
/// ([`RevocationHealth::is_followed`]).
#[derive(Clone)]
pub struct RevocationGauge {
    view: RevocationView,
    status: Arc<Mutex<Status>>,
    shared: Weak<Shared>,
}

impl RevocationGauge {
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        Self { view: shared.view.clone(), status: Arc::clone(&shared.status), shared: Arc::downgrade(shared) }
    }

    /// Returns how revocations are doing.
    pub fn health(&self) -> RevocationHealth {
        if let Some(shared) = self.shared.upgrade() {
            shared.note_numbers();
        }
        RevocationHealth::of(&self.view, &self.status.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for RevocationGauge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RevocationGauge").field("view", &self.view).finish_non_exhaustive()
    }
}
