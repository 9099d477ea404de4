//! Being told that something was appended.

use std::time::Duration;

use tokio::{sync::watch, time::timeout};

/// Whether something came after this was made.
pub(super) struct News(watch::Receiver<u64>);

impl News {
    /// Of the position of the last entry, as it changes.
    pub(super) fn of(appended: &watch::Sender<u64>) -> Self {
        Self(appended.subscribe())
    }

    /// Waits for it, but not for longer than that.
    pub(super) async fn within(&mut self, time: Duration) {
        let _ = timeout(time, self.0.changed()).await;
    }
}
