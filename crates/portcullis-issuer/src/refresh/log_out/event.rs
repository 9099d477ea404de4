//! [`LogOutEvent`]: what became of telling a client.

use crate::refresh::FamilyId;

/// What became of telling a client that a session has ended. It never names the user.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogOutEvent {
    /// The client was told.
    Told {
        /// The session.
        session: FamilyId,
        /// The client.
        client_id: String,
        /// Which attempt it was, from 1.
        attempts: u32,
    },
    /// An attempt failed. There will be another one.
    Failed {
        /// The session.
        session: FamilyId,
        /// The client.
        client_id: String,
        /// Which attempt it was, from 1.
        attempts: u32,
        /// Why, for the operator's log.
        why: String,
    },
    /// The client could not be told for 24 hours. **It may still show the user as logged in.**
    GivenUp {
        /// The session.
        session: FamilyId,
        /// The client.
        client_id: String,
        /// How many attempts there were.
        attempts: u32,
        /// Why the last one failed.
        why: String,
    },
    /// The store of records could not be reached, or an attempt has panicked. It is attempted again.
    Unavailable {
        /// Why, for the operator's log.
        why: String,
    },
}
