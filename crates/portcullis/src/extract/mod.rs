//! Extractors for axum handlers (feature `axum`, on by default).
//!
//! | extractor | gives | without an identity |
//! |---|---|---|
//! | [`Claims<C>`](Claims) | the [`Verified`](crate::Verified) token | 401 |
//! | [`Option<Claims<C>>`](Claims) | the same, or `None` | `None` |
//! | [`GrantedScopes`] | the scopes granted | 401 |
//! | [`Require<G>`](Require) | the verified token of a caller who meets the [`Guard`](crate::Guard) `G` | 401 |
//! | [`RawToken`] | the token's text, if the layer [keeps it](crate::AuthLayer::keep_token) | 401 |
//! | [`FromState<E>`](FromState) | what `E` gives, authenticated on the spot, without a layer | as `E` |
//!
//! Behind an [`AuthLayer`](crate::AuthLayer) they read what it left. A handler that uses one without a layer in front
//! is a mistake of the developer: the answer is 500 with the code `service_misconfigured`, and the log says which
//! layer is missing. Without a layer, wrap them in [`FromState`].
//!
//! # Example
//!
//! ```
//! use axum::{Router, routing::get};
//! use portcullis::Claims;
//! use serde::Deserialize;
//!
//! #[derive(Deserialize)]
//! struct Tenant {
//!     tenant: String,
//! }
//!
//! async fn accepted(claims: Claims<Tenant>) -> String {
//!     format!("{} of {}", claims.subject().unwrap_or("somebody"), claims.custom().tenant)
//! }
//!
//! let app: Router = Router::new().route("/", get(accepted)); // and `.layer(auth)`, or every request is answered by 500
//! ```

mod claims;
mod from_context;
mod from_state;
mod granted_scopes;
mod raw_token;
mod require;

pub use claims::Claims;
pub use from_context::FromContext;
pub use from_state::FromState;
pub use granted_scopes::GrantedScopes;
pub use raw_token::RawToken;
pub use require::Require;
