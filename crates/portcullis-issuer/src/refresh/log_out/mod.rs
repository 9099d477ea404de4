//! Telling clients that a session has ended (OpenID Connect Back-Channel Logout 1.0).
//!
//! Before a session ends in its store, for whatever reason, a notice is kept in a store of records: the outbox. A worker on each instance delivers
//! it. If the program crashes after the notice and before the end, the worker ends the session, as was meant, before it tells the client. If it
//! crashes before the notice, the session has not ended in its store, and whatever ends it then keeps the notice.

#[cfg(feature = "log-out-delivery")]
mod attempt;
#[cfg(feature = "log-out-delivery")]
mod delivery;
#[cfg(feature = "log-out-delivery")]
mod event;
mod notice;
mod outbox;
#[cfg(feature = "log-out-delivery")]
mod work;

pub(super) use self::outbox::Outbox;
#[cfg(feature = "log-out-delivery")]
pub use self::{delivery::LogOutDelivery, event::LogOutEvent};
