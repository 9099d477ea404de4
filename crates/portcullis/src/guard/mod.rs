//! A layer that lets through only callers who meet a [`Requirement`](crate::Requirement).
//!
//! 1. A guard is *behind* an [`AuthLayer`](crate::AuthLayer), whose [`AuthContext`](crate::AuthContext) it reads. Without one, the answer
//!    is 500 `service_misconfigured`. Developers notice at once that no request passes; they would not notice that every request passes.
//! 2. A request without a credential (through an [optional](crate::AuthLayer::optional) layer) is answered with 401. A CORS preflight is
//!    such a request: put a `CorsLayer` outside, where it answers preflights.
//! 3. Otherwise the requirement decides, by the rules of [`requirement`](crate::requirement).
//! 4. The `AuthLayer`'s [`challenge`](crate::AuthLayer::challenge) answers refusals, unless [`RequireLayer::rejection`] says otherwise.
//!
//! In axum, add the layer to a route, a `MethodRouter` or a router, *before* the `AuthLayer` in the order of `layer` calls, because each
//! call wraps what was added before. [`Guard`] does the same for one handler, in its signature.
//!
//! # Path parameters
//!
//! A requirement that compares with [`param`](crate::requirement::param) needs the route's template, in axum's syntax:
//! [`RequireLayer::path`]. The template is compared with the path as the layer sees it. In a router nested at `/api`, this is the path
//! without `/api`; on the outer router, it is the whole path. If the template does not match, the answer is 403, because the client
//! chooses the path.
//!
//! # Example
//!
//! ```
//! use axum::{Router, body::Body, routing::get};
//! use http::Request;
//! use portcullis::{AuthLayer, RequireLayer, Verified};
//! use portcullis::requirement::scope;
//! use portcullis::verified::{Conventions, Facts, NoCustom};
//! use tower::ServiceExt;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let app = |claims: &str| -> Result<Router, portcullis::AuthError> {
//!     // a test asserts the verified token; a service uses AuthLayer::new(admission) here
//!     let facts = Facts::assertion(claims, Conventions::new("https://issuer.example"))?;
//!     let auth = AuthLayer::assertion(Verified::assertion(facts, NoCustom));
//!     let orders = get(async || "orders").layer(RequireLayer::new(scope("orders:read")));
//!     Ok(Router::new().route("/orders", orders).layer(auth))
//! };
//! let request = || Request::get("/orders").body(Body::empty());
//!
//! let accepted = app(r#"{"scope": "orders:read"}"#)?.oneshot(request()?).await?;
//! assert_eq!(accepted.status(), 200);
//!
//! let refused = app(r#"{"scope": "orders:write"}"#)?.oneshot(request()?).await?;
//! assert_eq!(refused.status(), 403);
//! assert_eq!(
//!     refused.headers()["www-authenticate"],
//!     r#"Bearer error="insufficient_scope", error_description="the token lacks a scope that this needs", scope="orders:read""#,
//! );
//! # Ok(())
//! # }
//! ```

mod caller;
mod future;
#[expect(clippy::module_inception, reason = "a file is named by the noun that it defines")]
mod guard;
mod layer;
pub(crate) mod path_template;
mod rule;
mod service;

pub(crate) use caller::caller;
pub use future::GuardFuture;
pub use guard::Guard;
#[cfg(feature = "axum")]
pub(crate) use guard::authorize;
pub(crate) use guard::params;
pub use layer::RequireLayer;
pub(crate) use path_template::PathTemplate;
pub(crate) use rule::Rule;
pub use service::GuardService;
pub(crate) use service::{Asked, Decide};
