//! Taking tokens back before they expire: what can be revoked, the log of it, and the view that requests are checked
//! against.
//!
//! # The ladder
//!
//! | level | revokes | by these claims |
//! |---|---|---|
//! | [`Token`](Level::Token) | one token | `jti` |
//! | [`Session`](Level::Session) | what was issued in a session | `sid` |
//! | [`Subject`](Level::Subject) | what a subject got up to an instant ("log out everywhere") | `sub`, `iat` |
//! | [`Version`](Level::Version) | what a subject got in an earlier token version | `sub`, `ver` |
//! | [`Client`](Level::Client) | what a client got up to an instant | `client_id`, `iat` |
//! | [`Key`](Level::Key) | what a key signed | the signing key's `kid` |
//! | [`Issuer`](Level::Issuer) | what an issuer issued up to an instant | `iat` |
//!
//! # The rules
//!
//! - **The strictest wins.** A token is live if no level revokes it.
//! - **Each entry is of one issuer**, so that one of several trusted issuers can take back no token of another.
//! - **A claim that is missing decides for safety**: without `iat` a token is revoked by any cut-off for it, without `ver` by any
//!   least version. One that was issued in the second of the cut-off is revoked.
//! - **There is no way back.** Entries merge: sets by union, instants and versions by maximum. So an entry that comes twice, or
//!   after a newer one, changes nothing, and a log that lost its end brings nothing back to life. Let a user log in anew
//!   instead: what is issued after the cut-off is good.
//! - **The horizon.** An entry is forgotten when no token that it could hit can be alive any more. A token that may live longer than
//!   that is refused ([`LongLived`]): its revocation would be forgotten before it.
//! - **A stale view proves nothing.** A view that the log has not confirmed for `max_staleness` does not know whether a token is
//!   live; the route says what that means ([`WhenStale`]).
//! - **What a later version revokes is not ignored.** An entry on a level that this version does not know makes the view stale until the
//!   entry's time has passed. So bring all instances to a new version before you revoke on a level that is new in it; entries on the other levels
//!   are read by both versions.
//!
//! No check waits, does I/O or allocates.

mod entry;
mod log;
mod rungs;
mod stale;
mod view;

pub use entry::{Level, Revocation, RevocationEntry, UnreadableEntry};
pub use log::{Cursor, LogError, LogErrorKind, Page, RevocationLog, Revoker};
pub(crate) use rungs::Levels;
pub use rungs::Rungs;
pub use stale::{LongLived, WhenStale};
pub use view::{Asked, RevocationView, Verdict, ViewState, ViewWriter, ViewWriterBuilder};
