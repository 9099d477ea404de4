//! Extractors for axum handlers (feature `axum`, on by default).
//!
//! | extractor | gives | without a credential |
//! |---|---|---|
//! | [`Claims<C>`](Claims) | the [`Verified`](crate::Verified) token | 401 |
//! | [`Option<Claims<C>>`](Claims) | the same, or `None` | `None` |
//! | [`GrantedScopes`] | the scopes granted | 401 |
//! | [`Require<G>`](Require) | the verified token of a caller who meets the [`Guard`](crate::Guard) `G` | 401 |
//! | [`RawToken`] | the token's text, if the layer [keeps it](crate::AuthLayer::keep_token) | 401 |
//! | [`FromState<E>`](FromState) | what `E` gives, authenticated in the extractor, without a layer | as `E` |
//!
//! Behind an [`AuthLayer`](crate::AuthLayer), extractors read what the layer left in the request. Using one without a layer in front is a
//! developer's mistake: the answer is 500 with the code `service_misconfigured`, and the log (in a debug build the answer too) says which
//! layer is missing. To use an extractor without a layer, wrap it in [`FromState`].
//!
//! # Example
//!
//! ```
//! use axum::{Router, body::Body, routing::get};
//! use http::Request;
//! use portcullis::{AuthLayer, Claims};
//! use portcullis_test::MockIssuer;
//! use serde::Deserialize;
//! use tower::ServiceExt;
//!
//! #[derive(Deserialize)]
//! struct Tenant {
//!     tenant: String,
//! }
//!
//! async fn me(claims: Claims<Tenant>) -> String {
//!     format!("{} of {}", claims.subject().unwrap_or("unknown"), claims.custom.tenant)
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let issuer = MockIssuer::new(); // stands in for the one that signs
//! let auth = AuthLayer::new(issuer.admission_of::<Tenant>());
//! let app = Router::new().route("/me", get(me)).layer(auth);
//! let request = |token| Request::get("/me").header("authorization", format!("Bearer {token}")).body(Body::empty());
//!
//! let token = issuer.token().subject("alice").claim("tenant", "acme").sign();
//! let accepted = app.clone().oneshot(request(token)?).await?;
//! assert_eq!(accepted.status(), 200);
//!
//! let without_tenant = issuer.token().subject("alice").sign();
//! let refused = app.oneshot(request(without_tenant)?).await?;
//! assert_eq!(refused.status(), 401); // custom_claims_malformed
//! # Ok(())
//! # }
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
