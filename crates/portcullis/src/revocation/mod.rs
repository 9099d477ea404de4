//! Revocations: what is kept of them and where, and two services that revoke (feature `revocation`).
//!
//! | service | who asks | what it revokes |
//! |---|---|---|
//! | [`BackChannelLogout`] | an identity provider, with a token that it signed | the session or subject that logged out |
//! | [`RevocationApi`] | a caller that meets a [`Requirement`] | what the request says, on any [`Level`] |
//!
//! Both take a [`Revoker`], such as `Revocations` of the crate `portcullis-store`, and hold nothing
//! else: what they revoke is refused by every [`AuthLayer`](crate::AuthLayer) whose admission has the
//! [view](crate::Admission::revocations) of the same log. The rules for both:
//!
//! 1. 200 means that it is durable. What could not be decided or not be made durable is 503 with `Retry-After`, never a
//!    4xx: whoever asked has done nothing wrong, and tries again.
//! 2. To ask for the same again changes nothing, so trying again is always right.
//! 3. Bodies are bounded, and nothing of a request is held while it waits but what it still needs. How long a client
//!    may take to send its body is for a timeout outside, as on every other route.
//! 4. Every answer says `Cache-Control: no-store`.
//!
//! [`Requirement`]: crate::Requirement
//! [`Level`]: crate::revocation::Level
//!
//! Both are tower services with bodies of text, for axum's `route_service` and for hyper.

#[cfg(feature = "revocation")]
pub mod api;
#[cfg(feature = "revocation")]
pub mod back_channel_logout;
#[cfg(feature = "revocation")]
mod body;
#[cfg(feature = "revocation")]
mod future;
#[cfg(feature = "revocation")]
mod shared_revoker;

pub use portcullis_core::revocation::*;

#[cfg(feature = "revocation")]
pub use self::{api::RevocationApi, back_channel_logout::BackChannelLogout, future::RevocationFuture};
