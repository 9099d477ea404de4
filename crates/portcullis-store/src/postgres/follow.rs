//! [`News`]: notifications of the server that something was appended.

use std::time::Duration;

use tokio::{sync::watch, time::timeout};

/// How often the server is asked even without a notification.
pub(super) const POLL: Duration = Duration::from_secs(1);

/// Whether the server has notified since this was created.
pub(super) struct News(watch::Receiver<()>);

impl News {
    /// Returns it for a channel that changes with every notification.
    pub(super) fn of(calls: &watch::Receiver<()>) -> Self {
        let mut calls = calls.clone();
        calls.mark_unchanged();
        Self(calls)
    }

    /// Waits for a notification, or the end of the connection, but not longer than `time`.
    pub(super) async fn within(&mut self, time: Duration) {
        let _ = timeout(time, self.0.changed()).await;
    }
}
