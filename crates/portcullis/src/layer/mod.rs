//! [`AuthLayer`]: admits requests whose credential can be verified.
//!
//! 1. The layer looks for a credential in its [locations](crate::location), by default in `Authorization: Bearer`.
//! 2. Without a credential, the answer is 401; an [optional](AuthLayer::optional) layer lets the request through as anonymous. A CORS
//!    preflight has no credential either: see [below](#cors).
//! 3. A malformed credential, or more than one, is answered with 400, also by an optional layer.
//! 4. For one credential, the location's [`Authenticator`](crate::authenticator::Authenticator) decides. If it refuses the credential,
//!    the request is refused, also by an optional layer. If it cannot decide, the answer is 503.
//! 5. The layer puts the verified token into the request's extensions, in an [`AuthContext`](crate::AuthContext) for guards and
//!    extractors, and calls the inner service.
//!
//! # CORS
//!
//! Browsers send preflights without credentials, so this layer refuses them, with an explanation in the log. Put a `CorsLayer` *outside*
//! this layer, which means after it in the order of axum's `layer` calls. There it answers preflights itself, so that they reach no
//! handler. It also adds CORS headers to refusals, so that scripts in browsers can read them.
//!
//! ```
//! use axum::{Router, body::Body, routing::any};
//! use http::{HeaderValue, Method, Request, header::AUTHORIZATION};
//! use portcullis::AuthLayer;
//! use portcullis_test::MockIssuer;
//! use tower::ServiceExt;
//! use tower_http::cors::CorsLayer;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let issuer = MockIssuer::new(); // stands in for the one that signs
//! let cors = CorsLayer::new()
//!     .allow_origin(HeaderValue::from_static("https://app.example"))
//!     .allow_methods([Method::GET, Method::POST])
//!     .allow_headers([AUTHORIZATION]);
//! let app = Router::new()
//!     .route("/orders", any(async || "orders"))
//!     .layer(AuthLayer::new(issuer.admission()))
//!     .layer(cors); // outside: last
//!
//! let preflight = Request::options("/orders").header("origin", "https://app.example");
//! let preflight = preflight.header("access-control-request-method", "POST").body(Body::empty())?;
//! let answered = app.clone().oneshot(preflight).await?;
//! assert_eq!(answered.status(), 200);
//! assert_eq!(answered.headers()["access-control-allow-methods"], "GET,POST");
//!
//! let refused = app.oneshot(Request::get("/orders").header("origin", "https://app.example").body(Body::empty())?).await?;
//! assert_eq!(refused.status(), 401);
//! assert_eq!(refused.headers()["access-control-allow-origin"], "https://app.example"); // the script can read it
//! # Ok(())
//! # }
//! ```
//!
//! # What the layer does not cover
//!
//! axum's `layer` wraps only what was added before the call:
//!
//! | open | guarded |
//! |---|---|
//! | `router.layer(auth).route("/late", ..)` | `router.route("/late", ..).layer(auth)` |
//! | `router.layer(auth).fallback(..)` | `router.fallback(..).layer(auth)` |
//! | `router.fallback(..).route_layer(auth)`: routes only | `router.fallback(..).layer(auth)` |
//! | `get(..).layer(auth).post(..)`: `GET` only | `get(..).post(..).layer(auth)` |
//!
//! A router cannot tell a layer which routes it does not cover, so there is no warning at start. A handler that takes `Claims` answers
//! 500 if there is no layer in front of it; an [`AccessTable`](crate::AccessTable) refuses requests that it does not list.
//!
//! ```
//! use axum::{Router, body::Body, routing::get};
//! use http::{Method, Request};
//! use portcullis::AuthLayer;
//! use portcullis_test::MockIssuer;
//! use tower::ServiceExt;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let auth = || AuthLayer::new(MockIssuer::new().admission());
//! async fn status(app: Router, method: Method, path: &str) -> Result<u16, Box<dyn std::error::Error>> {
//!     let request = Request::builder().method(method).uri(path).body(Body::empty())?;
//!     Ok(app.oneshot(request).await?.status().as_u16())
//! }
//! let handler = async || "in";
//!
//! // a fallback that is set after the layer is open; before it, it is guarded
//! let open = Router::new().route("/a", get(handler)).layer(auth()).fallback(handler);
//! assert_eq!(status(open, Method::GET, "/other").await?, 200);
//! let guarded = Router::new().route("/a", get(handler)).fallback(handler).layer(auth());
//! assert_eq!(status(guarded, Method::GET, "/other").await?, 401);
//!
//! // `route_layer` leaves fallbacks out
//! let open = Router::new().route("/a", get(handler)).fallback(handler).route_layer(auth());
//! assert_eq!(status(open, Method::GET, "/other").await?, 200);
//!
//! // a method that is added after the layer is open; before it, it is guarded
//! let open = Router::new().route("/a", get(handler).layer(auth()).post(handler));
//! assert_eq!(status(open, Method::POST, "/a").await?, 200);
//! let guarded = Router::new().route("/a", get(handler).post(handler).layer(auth()));
//! assert_eq!(status(guarded, Method::POST, "/a").await?, 401);
//! # Ok(())
//! # }
//! ```
//!
//! # Several layers in one service
//!
//! Routers that are merged have one fallback: axum takes the one of the router that was merged last. If that router has a layer around
//! all of it (`.layer(auth)`), a mistyped URL is answered with 401 instead of 404, and is counted as a refusal of that layer. There are
//! two ways to avoid this: give each group `route_layer`, or set one fallback on the outer router, after merging.
//!
//! ```
//! use axum::{Router, body::Body, http::Request, routing::get};
//! use portcullis::AuthLayer;
//! use portcullis_test::MockIssuer;
//! use tower::ServiceExt;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let issuer = MockIssuer::new(); // stands in for the one that signs
//! let users = AuthLayer::new(issuer.admission());
//! let machines = AuthLayer::new(issuer.admission()).realm("machines");
//! let app = Router::new()
//!     .merge(Router::new().route("/orders", get(async || "orders")).route_layer(users))
//!     .merge(Router::new().route("/stock", get(async || "stock")).route_layer(machines));
//!
//! let status = async |path| Ok::<_, Box<dyn std::error::Error>>(app.clone().oneshot(Request::get(path).body(Body::empty())?).await?.status());
//! assert_eq!(status("/orders").await?, 401);
//! assert_eq!(status("/stock").await?, 401);
//! assert_eq!(status("/ordres").await?, 404);
//! # Ok(())
//! # }
//! ```
//!
//! `route_layer` covers only the group's routes that were added before it, and not its fallback, if it has one of its own.
//!
//! # Example
//!
//! ```
//! use http::{Request, Response};
//! use portcullis::{Algorithm, AuthLayer, JwtAuthenticator, KeySet, Secret, TrustedIssuer};
//! use tower::{Layer, Service, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let secret = Secret::new("2026-11", Algorithm::Hs256, *b"a secret of at least 32 bytes, ok")?;
//! let issuer = TrustedIssuer::new("https://login.example.com", KeySet::from(secret)).audience("orders");
//! let layer = AuthLayer::new(JwtAuthenticator::new(issuer)?);
//!
//! let inner = service_fn(async |_: Request<()>| Ok::<_, std::convert::Infallible>(Response::new(String::from("in"))));
//! let response = layer.layer(inner).oneshot(Request::get("/").body(())?).await?;
//! assert_eq!(response.status(), 401);
//!
//! let response = layer.optional().layer(inner).oneshot(Request::get("/").body(())?).await?;
//! assert_eq!(response.status(), 200);
//! # Ok(())
//! # }
//! ```

mod future;
mod gate;
#[expect(clippy::module_inception, reason = "every middleware here has the same folder: layer, service, future")]
mod layer;
mod pass;
mod preflight;
mod service;
mod source;
mod watch;

pub use future::AuthFuture;
pub(crate) use gate::{Gate, unusable};
pub use layer::AuthLayer;
pub(crate) use pass::NotAdmitted;
#[cfg(feature = "axum")]
pub(crate) use pass::Pass;
pub use service::AuthService;
