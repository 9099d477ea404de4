//! Being told by the server that something was appended.

use std::time::Duration;

use tokio::{sync::watch, time::timeout};

/// How often it is asked although it has not called.
pub(super) const POLL: Duration = Duration::from_secs(1);

/// Whether the server has called since this was made.
pub(super) struct News(watch::Receiver<()>);

impl News {
    /// Of what changes when the server calls.
    pub(super) fn of(calls: &watch::Receiver<()>) -> Self {
        let mut calls = calls.clone();
        calls.mark_unchanged();
        Self(calls)
    }

    /// Waits for a call, or the end of the connection, but not for longer than that.
    pub(super) async fn within(&mut self, time: Duration) {
        let _ = timeout(time, self.0.changed()).await;
    }
}
