//! [`AccessTable`]: lists every route of a service with who may use it. It is a guard, and a list that a test can check.
//!
//! ```text
//! METHOD  PATH          REQUIREMENT
//! GET     /health       public
//! GET     /orders/{id}  scope("orders:read")
//! ```
//!
//! # Rules
//!
//! 1. A request that the table does not list is refused, even if the router has a route for it: with 401 `credential_missing` for an
//!    anonymous caller, and with 403 `requirement_not_met` for a caller with a verified token. The same holds for a listed path with
//!    another method.
//! 2. Only routes that are listed as public are public. So put an [optional](crate::AuthLayer::optional) [`AuthLayer`](crate::AuthLayer)
//!    outside, which lets anonymous callers get this far: first `.layer(..)` with the table's layer, then `.layer(auth.optional())`. An
//!    invalid credential is refused even on a public route: see below.
//! 3. Paths are matched exactly as axum matches them, by the same library: byte by byte as they were sent. They are not decoded or
//!    normalised, so `//admin`, `/admin/`, `/./admin` and `/%61dmin` are not `/admin`. A layer that rewrites paths must be outside the
//!    table, never between it and the router.
//! 4. `HEAD` is treated as `GET` unless it is listed, because axum answers it with the handler of `GET`.
//! 5. A CORS preflight is a request without a caller: it reaches only public routes. Put a `CorsLayer` outside, where it answers
//!    preflights.
//! 6. The table does not see the router. A route that the router has and the table does not list is refused, even if a listed template
//!    matches its path (`/orders/export` matches `/orders/{id}`), because [`AccessTable::layer_with`] compares with the template that the
//!    router has matched. A table whose paths have no parameters needs no such comparison: [`AccessTable::layer`]. For a router that
//!    cannot tell the template, there is [`AccessTable::danger_layer_without_matched_path`].
//!
//! In axum, add the layer to the outermost router, where it sees the whole path. On a nested router, it sees only the path after the
//! prefix, so list the routes without the prefix.
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
//! // a test asserts the verified token; a service uses AuthLayer::new(admission).optional() here
//! let facts = Facts::assertion(r#"{"scope": "orders:read"}"#, Conventions::new("https://issuer.example"))?;
//! let auth = AuthLayer::assertion(Verified::assertion(facts, NoCustom)).optional();
//! let guard = table.layer_with(|extensions| extensions.get::<MatchedPath>().map(MatchedPath::as_str))?;
//! let app = Router::new()
//!     .route("/health", get(async || "fine"))
//!     .route("/orders/{id}", get(async || "an order").post(async || "changed"))
//!     .route("/orders/export", get(async || "all orders")) // not listed by mistake
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
//! Browsers and clients often send their token with every request. Behind an optional layer, an expired token is refused even on `POST
//! /login`, where the caller wants to get a new one. Keep such routes outside the layer: make two routers, each with its table. Only the
//! second table is a guard; a test or a page prints both, merged.
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
