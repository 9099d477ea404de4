//! [`News`]: notifications that something was appended.

use std::time::Duration;

use tokio::{sync::watch, time::timeout};

/// Whether anything was appended after this was created.
pub(super) struct News(watch::Receiver<u64>);

impl News {
    /// Returns it for the position of the last entry.
    pub(super) fn of(appended: &watch::Sender<u64>) -> Self {
        Self(appended.subscribe())
    }

    /// Waits for an append, but not longer than `time`.
    pub(super) async fn within(&mut self, time: Duration) {
        let _ = timeout(time, self.0.changed()).await;
    }
}
