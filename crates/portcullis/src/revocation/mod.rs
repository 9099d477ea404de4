//! Services that revoke (feature `revocation`): one for identity providers, one for administrators.
//!
//! | service | who asks | what it revokes |
//! |---|---|---|
//! | [`BackChannelLogout`] | an identity provider, with a token that it signed | the session or subject that logged out |
//! | [`RevocationApi`] | a caller that meets a [`Requirement`] | what the request says, on any [`Level`] |
//!
//! Both take a [`Revoker`](crate::Revoker), such as `Revocations` of the crate `portcullis-store`, and hold nothing
//! else: what they revoke is refused by every [`AuthLayer`](crate::AuthLayer) whose authenticator has the
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
//! [`Level`]: crate::Level
//!
//! Both are tower services with bodies of text, for axum's `route_service` and for hyper.

pub mod api;
pub mod back_channel_logout;
mod body;
mod future;
mod shared_revoker;

pub use api::RevocationApi;
pub use back_channel_logout::BackChannelLogout;
pub use future::RevocationFuture;
