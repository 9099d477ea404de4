//! What is revoked from now on.

use portcullis_core::revocation::RevocationEntry;
use tokio::sync::broadcast::{Receiver, error::RecvError};

/// Something that an application may want to know, for its audit log, or to end a session of its own.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RevocationEvent {
    /// This was not revoked before, and is now: on this instance or on another one.
    Revoked(RevocationEntry),
    /// The log could not be read on, and was read from its beginning: it had lost something, or is another one.
    Restarted,
    /// So many events came too fast for this receiver, and are lost to it. (What they revoked is revoked all the same.)
    Missed(u64),
}

/// A receiver of events; made by [`Revocations::events`](crate::Revocations::events).
#[derive(Debug)]
pub struct Events(Receiver<RevocationEvent>);

impl Events {
    pub(super) fn new(receiver: Receiver<RevocationEvent>) -> Self {
        Self(receiver)
    }

    /// The next event; `None` once the log is followed no more.
    pub async fn next(&mut self) -> Option<RevocationEvent> {
        match self.0.recv().await {
            Ok(event) => Some(event),
            Err(RecvError::Lagged(missed)) => Some(RevocationEvent::Missed(missed)),
            Err(RecvError::Closed) => None,
        }
    }
}
