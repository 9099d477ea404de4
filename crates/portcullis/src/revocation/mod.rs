//! Revocation: re-exports of the core's types, and two services that revoke (feature `revocation`).
//!
//! | service | caller | what it revokes |
//! |---|---|---|
//! | [`BackChannelLogout`] | an identity provider, with a token that it signed | the session or subject that logged out |
//! | [`RevocationApi`] | a caller that meets a [`Requirement`] | anything that the request names, on any [`Level`] |
//!
//! Both take a [`Revoker`], such as `Revocations` of the crate `portcullis-store`, and nothing else. Every
//! [`AuthLayer`](crate::AuthLayer) whose admission has the [view](crate::Admission::revocations) of the same log refuses what they
//! revoke. The rules for both:
//!
//! 1. 200 means that the revocation is durable. If it could not be decided or stored durably, the answer is 503 with `Retry-After`, never
//!    4xx, because the caller has done nothing wrong and should try again.
//! 2. Sending the same request again changes nothing, so trying again is always safe.
//! 3. Bodies are bounded, and a waiting request holds only the data that it still needs. To limit how long a client may take to send its
//!    body, put a timeout outside, as on every other route.
//! 4. Every answer has `Cache-Control: no-store`.
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
