//! Sessions: refresh tokens, and what becomes of them.
//!
//! The primary type of this module is [`Sessions`]. A user logs in, and the client gets an access token for some minutes and a refresh token,
//! which it exchanges for new ones. What is promised:
//!
//! - **A lost answer, or several tabs that refresh at once, log no user out.** Within the grace (60 s), a replaced token is answered by the
//!   same successor, byte for byte, with a new access token. The successor follows from the token and a key, so it is not stored anywhere.
//! - **A stolen token does not serve for long.** Each token is replaced when it is used. A token that was replaced earlier and comes again ends the
//!   session, for the thief and the user.
//! - **What has ended, has ended everywhere.** Ending a session revokes its `sid` in the log of revocations first, so that its access tokens end on
//!   every service, and then its refresh tokens. It is done to its end, also if the client hangs up.
//! - **A copy of the store mints nothing.** It has a digest of a share that only the tokens have, and no key.
//! - **A store that loses writes logs no user out.** A token that is newer than the store knows is one that only this issuer can have made: the session
//!   goes on, and an event counts what was lost.
//! - **A refresh changes no end.** A session ends after 30 days, or after 7 days without use, and an access token never outlives it.
//! - A user has 1000 sessions at most, so that all can be ended quickly ([`Sessions::most_sessions`]).
//! - The application is asked about the subject at every log-in and refresh ([`Subjects`]).

#[cfg(feature = "api-tokens")]
mod api_tokens;
mod client;
mod ending;
mod envelope;
mod error;
mod event;
mod family;
mod foreign;
mod keys;
mod log_in;
mod log_out;
mod memory;
mod narrowing;
mod opening;
mod refreshing;
mod revoked;
mod room;
mod sessions;
mod step;
mod store;
mod subjects;
mod token;
mod tokens;

pub use crate::millis::Millis;
pub(crate) use client::StoredPolicy;
pub use client::{LateRetry, RefreshPolicy};
pub(crate) use envelope::Envelope;
pub use error::{NotAccepted, RefreshError, Unavailable};
pub use event::{RefreshCause, SessionEvent};
pub use family::{EndReason, Family, FamilyId};
pub use foreign::ForeignTokens;
pub(crate) use keys::RefreshKey;
pub use keys::RefreshKeys;
pub use log_in::LogIn;
pub(crate) use log_in::stored as stored_log_in;
#[cfg(feature = "log-out-delivery")]
#[cfg_attr(docsrs, doc(cfg(feature = "log-out-delivery")))]
pub use log_out::{LogOutDelivery, LogOutEvent};
pub use memory::MemoryRefreshStore;
pub use narrowing::{Exceeds, Narrowing};
pub(crate) use opening::random;
pub use sessions::Sessions;
pub use step::{Outcome, Rotation, Step};
pub use store::{Opened, RefreshStore, StoreError};
pub use subjects::{DangerUncheckedSubjects, Grant, SubjectError, Subjects};
pub(crate) use token::Share;
pub use token::ShareDigest;
#[cfg(feature = "axum")]
pub(crate) use token::session_of_token;
pub use tokens::Tokens;
