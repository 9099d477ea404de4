//! The layer in front of a service that lets in requests with a credential it can verify.
//!
//! 1. It looks for a credential in its [locations](crate::location), by default in `Authorization: Bearer`.
//! 2. No credential: 401, or through as anonymous if the layer is [optional](AuthLayer::optional). A CORS
//!    preflight passes: browsers send it without credentials, and a service that refuses it is unreachable for them. Guards
//!    and extractors refuse it, and [`AuthLayer::preflights`](AuthLayer::preflights) can.
//! 3. A malformed credential, or more than one: 400, also on an optional layer.
//! 4. One credential: the location's [`Authenticator`](crate::Authenticator) decides. What it refuses is refused, also
//!    on an optional layer. What it cannot decide is 503.
//! 5. The verified token goes into the request's extensions in an [`AuthContext`](crate::AuthContext), where guards and
//!    extractors find it, and the request goes on to the inner service.
//!
//! With axum, put a `CorsLayer` *outside* (after, in the order of `Router::layer` calls), so that refusals carry CORS
//! headers, too, and scripts in browsers can read them.
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
//! let issuer = TrustedIssuer::new("https://login.example.com", "orders", KeySet::from(secret));
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
mod service;

pub use future::AuthFuture;
pub(crate) use gate::{Gate, NotAdmitted};
pub use layer::AuthLayer;
pub use service::AuthService;
