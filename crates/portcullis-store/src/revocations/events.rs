//! [`RevocationEvent`], and their receiver, [`Events`].

use portcullis_core::revocation::RevocationEntry;
use tokio::sync::broadcast::{Receiver, error::RecvError};

/// An event that an application may use for its audit log, or to end a session of its own.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RevocationEvent {
    /// This was not revoked before, and is revoked now: by this instance or another one.
    Revoked(RevocationEntry),
    /// The log was read again from its beginning, because it had lost entries or is another log.
    Restarted,
    /// So many events came too fast for this receiver, and it will not get them. (Their revocations apply
    /// nevertheless.)
    Missed(u64),
}

/// A receiver of events; created by [`Revocations::events`](crate::Revocations::events).
#[derive(Debug)]
pub struct Events(Receiver<RevocationEvent>);

impl Events {
    pub(super) fn new(receiver: Receiver<RevocationEvent>) -> Self {
        Self(receiver)
    }

    /// Waits for the next event; returns `None` once the log is no longer followed.
    pub async fn next(&mut self) -> Option<RevocationEvent> {
        match self.0.recv().await {
            Ok(event) => Some(event),
            Err(RecvError::Lagged(missed)) => Some(RevocationEvent::Missed(missed)),
            Err(RecvError::Closed) => None,
        }
    }
}
