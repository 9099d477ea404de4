//! Revoking tokens before they expire: what can be revoked, the log of revocations, and the view that requests are checked against.
//!
//! # The ladder
//!
//! | level | revokes | by these claims |
//! |---|---|---|
//! | [`Token`](Level::Token) | one token | `jti` |
//! | [`Session`](Level::Session) | all tokens issued in a session | `sid` |
//! | [`Subject`](Level::Subject) | all tokens issued to a subject up to an instant ("log out everywhere") | `sub`, `iat` |
//! | [`Version`](Level::Version) | all tokens of a subject with an earlier token version | `sub`, `ver` |
//! | [`Client`](Level::Client) | all tokens issued to a client up to an instant | `client_id`, `iat` |
//! | [`Key`](Level::Key) | all tokens that a key signed | the signing key's `kid` |
//! | [`Issuer`](Level::Issuer) | all tokens that an issuer issued up to an instant | `iat` |
//!
//! # The rules
//!
//! - **The strictest wins.** A token is live only if no level revokes it.
//! - **Each entry belongs to one issuer**, so that no trusted issuer can revoke tokens of another.
//! - **A missing claim is decided on the safe side**: a token without `iat` is revoked by any cut-off for it, and a token without `ver`
//!   by any version. A token that was issued in the second of the cut-off is revoked.
//! - **Revocations cannot be undone.** Entries merge: sets by union, instants and versions by maximum. So an entry that arrives twice, or
//!   after a newer one, changes nothing, and a log that lost its end does not make any token valid again. Let a user log in again
//!   instead: tokens issued after the cut-off are accepted.
//! - **The horizon.** An entry is forgotten when every token that it could hit has expired. A token that may live longer than that is
//!   refused ([`LongLived`]), because its revocation would be forgotten first.
//! - **A stale view proves nothing.** A view that the log has not confirmed for `max_staleness` does not know whether a token is live;
//!   the route decides what to do then ([`WhenStale`]).
//! - **Entries of a later version are not ignored.** An entry of a level that this version does not know makes the view stale until the
//!   entry expires. So upgrade all instances before you revoke on a level that is new in a version; both versions read entries of the
//!   other levels.
//!
//! No check waits, performs I/O or allocates.

mod entry;
mod log;
mod logout;
mod rungs;
mod stale;
mod view;

pub use entry::{Level, Revocation, RevocationEntry, UnreadableEntry};
pub use log::{Cursor, LogError, LogErrorKind, Page, RevocationLog, Revoker};
pub(crate) use rungs::Levels;
pub use rungs::Rungs;
pub use stale::{LongLived, WhenStale};
pub use view::{Asked, RevocationView, Verdict, ViewState, ViewWriter, ViewWriterBuilder};
