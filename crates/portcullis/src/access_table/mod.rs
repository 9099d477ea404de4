//! Every route of a service with who may use it: a guard, and a list that a test can hold.
//!
//! ```text
//! METHOD  PATH          REQUIREMENT
//! GET     /health       public
//! GET     /orders/{id}  scope("orders:read")
//! ```
//!
//! # Rules
//!
//! 1. What is not listed is refused, whatever the router has: 401 `credential_missing` for an anonymous caller, 403
//!    `requirement_not_met` for one with a verified token. That goes for a listed path with another method, too.
//! 2. Public routes are named as such, and nothing else is public. So put an [optional](crate::AuthLayer::optional)
//!    [`AuthLayer`](crate::AuthLayer) outside, which lets anonymous callers come this far: first `.layer(..)` with the
//!    table's layer, then `.layer(auth.optional())`. A bad credential is refused even on a public route: see below.
//! 3. Paths are matched as axum matches them, by the same library: octet by octet as they were sent. Nothing is decoded
//!    or normalised, so `//admin`, `/admin/`, `/./admin` and `/%61dmin` are not `/admin`. A layer that rewrites paths must
//!    stand outside of the table, never between it and the router.
//! 4. `HEAD` is decided as `GET` unless it is listed, since axum answers it by the handler of `GET`.
//! 5. A CORS preflight is a request without a caller: it reaches public routes only. Put a `CorsLayer` outside, where
//!    it answers preflights.
//! 6. The table does not see the router. A route that the router has and the table has not is refused, also where a listed
//!    template covers its path (`/orders/export` is no `/orders/{id}`), because [`AccessTable::layer_with`] compares with what
//!    the router has matched. A table whose paths have no parameters needs no such comparison: [`AccessTable::layer`]. For a
//!    router that cannot tell there is [`AccessTable::danger_layer_without_matched_path`].
//!
//! In axum the layer goes on the outermost router, where it sees the whole path. On a router that is nested later, it sees
//! the rest of the path behind the prefix, and so must its routes be listed.
//!
//! # Example
//!
//! ```
//! use axum::{Router, body::Body, extract::MatchedPath, routing::get};
//! use http::{Method, Request};
//! use portcullis::{AccessTable, AuthLayer, Verified};
//! use portcullis::requirement::scope;
//! use portcullis::verified::{Conventions, Facts, NoCustom};
//! use tower::ServiceExt;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let table = AccessTable::new()
//!     .public(Method::GET, "/health")
//!     .require(Method::GET, "/orders/{id}", scope("orders:read"));
//! assert_eq!(table.to_string(), "METHOD  PATH          REQUIREMENT
//! GET     /health       public
//! GET     /orders/{id}  scope(\"orders:read\")");
//!
//! // in a test the verified token is asserted; a service has AuthLayer::new(admission).optional() here
//! let facts = Facts::assertion(r#"{"scope": "orders:read"}"#, Conventions::new("https://issuer.example"))?;
//! let auth = AuthLayer::assertion(Verified::assertion(facts, NoCustom)).optional();
//! let guard = table.layer_with(|extensions| extensions.get::<MatchedPath>().map(MatchedPath::as_str))?;
//! let app = Router::new()
//!     .route("/health", get(async || "fine"))
//!     .route("/orders/{id}", get(async || "an order").post(async || "changed"))
//!     .route("/orders/export", get(async || "all orders")) // somebody forgot to list it
//!     .layer(guard)
//!     .layer(auth);
//!
//! let accepted = app.clone().oneshot(Request::get("/orders/7").body(Body::empty())?).await?;
//! assert_eq!(accepted.status(), 200);
//!
//! for not_listed in [Request::post("/orders/7"), Request::get("/orders/export")] {
//!     let refused = app.clone().oneshot(not_listed.body(Body::empty())?).await?;
//!     assert_eq!(refused.status(), 403);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Public routes beside the layer
//!
//! Browsers and clients often send the token they have with every request. Behind an optional layer, an expired one is
//! refused on `POST /login`, too, which is where the caller wants to get a new one. Keep such routes out of the layer:
//! two routers, each with its table. Only the second table guards; both merged are what a test or a page prints.
//!
//! ```
//! use axum::{Router, body::Body, routing::{get, post}};
//! use http::{Method, Request};
//! use portcullis::{AccessTable, AuthLayer};
//! use portcullis::clock::UnixTime;
//! use portcullis_test::MockIssuer;
//! use tower::ServiceExt;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let issuer = MockIssuer::new(); // stands in for the one that signs
//! let open = AccessTable::new().public(Method::POST, "/login");
//! let guarded = AccessTable::new().authenticated(Method::GET, "/me");
//!
//! let behind_the_layer = Router::new()
//!     .route("/me", get(async || "you"))
//!     .layer(guarded.layer()?)
//!     .layer(AuthLayer::new(issuer.admission()));
//! let app = Router::new().route("/login", post(async || "welcome")).merge(behind_the_layer);
//!
//! let expired = format!("Bearer {}", issuer.token().expires_at(UnixTime::from_secs(1)).sign());
//! let accepted = Request::post("/login").header("authorization", &expired).body(Body::empty())?;
//! assert_eq!(app.clone().oneshot(accepted).await?.status(), 200);
//! let refused = Request::get("/me").header("authorization", &expired).body(Body::empty())?;
//! assert_eq!(app.oneshot(refused).await?.status(), 401);
//!
//! assert_eq!(open.merge(guarded).to_string(), "METHOD  PATH    REQUIREMENT
//! POST    /login  public
//! GET     /me     authenticated");
//! # Ok(())
//! # }
//! ```

mod layer;
mod listed_route;
mod matching;
mod table;

pub use layer::AccessLayer;
pub use listed_route::{Access, ListedRoute, RouteMethod};
pub use table::AccessTable;
