//! [`SessionEvent`]: what an operator wants to know about sessions.

use std::time::Duration;

use super::{EndReason, FamilyId};

/// Something that happened to a session. It names the session and the client, and never the user.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionEvent {
    /// A user logged in.
    Opened {
        /// The session.
        session: FamilyId,
        /// The client.
        client_id: String,
    },
    /// A client got new tokens.
    Refreshed {
        /// The session.
        session: FamilyId,
        /// The client.
        client_id: String,
        /// How.
        cause: RefreshCause,
    },
    /// A refresh token that was replaced earlier came again.
    Reused {
        /// The session.
        session: FamilyId,
        /// The client.
        client_id: String,
        /// How many generations it was behind: two or more are theft, or a restored backup; one is nearly always a lost answer.
        behind: u64,
        /// How long ago the current token took its place.
        age: Duration,
    },
    /// A session has ended before its time.
    Ended {
        /// The session.
        session: FamilyId,
        /// Why.
        reason: EndReason,
    },
    /// A client presented the token of another one.
    ClientMismatch {
        /// The session.
        session: FamilyId,
        /// The client that presented it.
        client_id: String,
    },
    /// The store has lost rotations: it was restored, or a replica without them has taken over. The session goes on.
    LostWrites {
        /// The session.
        session: FamilyId,
        /// How many.
        rotations: u64,
    },
    /// A token has a right MAC and a wrong share: **the key of refresh tokens has leaked.** Replace the key; no session was touched.
    KeyLeaked {
        /// The session that the token names.
        session: FamilyId,
    },
}

/// How a client got new tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefreshCause {
    /// The refresh token was replaced.
    Rotated,
    /// The client keeps its refresh token.
    Kept,
    /// The current token came while its predecessor may still come again.
    Early,
    /// The predecessor of the current token came again within the grace.
    Retry,
}
