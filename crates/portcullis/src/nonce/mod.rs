//! A layer and an endpoint that give clients the nonces for their next proofs (RFC 9449 section 8).
//!
//! An authenticator that checks proofs of possession refuses a proof without a current nonce; the client learns a nonce from that answer, and
//! sends its request again. A [`NonceLayer`] saves that round trip: it adds a fresh nonce to answers before the client needs it. The rules:
//!
//! 1. Put the layer *outside* the [`AuthLayer`](crate::AuthLayer): in axum, after it in the order of `layer` calls.
//! 2. A request under the [scheme](NonceHeader) whose nonce is in the second half of its life, or not acceptable, or missing, is answered with
//!    a fresh nonce, whatever the answer is.
//! 3. So is a request without a credential that is answered with 401 and a challenge for the scheme: the client makes its first proof with it.
//! 4. An answer that already has a nonce stays unchanged: the authenticator has set it
//!    ([`AuthError::with_nonce`](crate::AuthError::with_nonce)).
//!
//! A nonce is no secret, and not bound to a client. It only has to come from the same [`NonceIssuer`] with which the authenticator checks it, and
//! for the same origin.
//!
//! # Caches
//!
//! A shared cache does not store an answer to a request with `Authorization`, unless the handler allows it, for example by `Cache-Control:
//! public` (RFC 9111 section 3.5). A cache that does store it sends an old nonce to its clients. This weakens nothing: their next request
//! is refused with a new nonce, and repeated. The layer does not change `Cache-Control`. Answers of the [`NonceEndpoint`] and refusals have
//! `no-store`.
//!
//! # CORS
//!
//! Browsers show the HTTP header to scripts of other origins only if `Access-Control-Expose-Headers` names it. A `CorsLayer` is outside all of
//! these layers, so it has to say so: `CorsLayer::new().expose_headers([NonceHeader::nats().name().clone(), WWW_AUTHENTICATE])`. To an answer that
//! already has `Access-Control-Allow-Origin`, because the CORS layer is inside, the layer adds it.
//!
//! # Example
//!
//! ```
//! use axum::{Router, body::Body, routing::get};
//! use http::Request;
//! use portcullis::nonce::{NonceEndpoint, NonceHeader, NonceLayer};
//! use portcullis::possession::SignedNonces;
//! use tower::ServiceExt;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let nonces = std::sync::Arc::new(SignedNonces::random()?); // the authenticator uses it, too
//! let layer = NonceLayer::new(NonceHeader::nats(), nonces, "https://api.example.com");
//!
//! let app: Router = Router::new()
//!     .route("/orders", get(async || "orders")) // with an `AuthLayer` here
//!     .layer(layer.clone())
//!     .route_service("/.well-known/nats-nonce", NonceEndpoint::new(&layer));
//!
//! let first = Request::get("/.well-known/nats-nonce").body(Body::empty())?;
//! let answer = app.clone().oneshot(first).await?;
//! assert_eq!(answer.status(), 204);
//! let nonce = answer.headers()["nats-nonce"].to_str()?;
//!
//! // A current nonce is not replaced.
//! let request = Request::get("/orders").header("authorization", "NatsUser eyJ");
//! let current = request.header("nats-proof", format!("v=1; ts=1795319823; nonce={nonce}; id=4f7c; sig=AA")).body(Body::empty())?;
//! assert!(!app.clone().oneshot(current).await?.headers().contains_key("nats-nonce"));
//!
//! let without = Request::get("/orders").header("authorization", "NatsUser eyJ").body(Body::empty())?;
//! assert!(app.oneshot(without).await?.headers().contains_key("nats-nonce"));
//! # Ok(())
//! # }
//! ```
//!
//! [`NonceIssuer`]: crate::possession::NonceIssuer

mod endpoint;
mod future;
mod header;
mod layer;
mod service;

pub use endpoint::NonceEndpoint;
pub use future::NonceFuture;
pub use header::NonceHeader;
pub use layer::NonceLayer;
pub use service::NonceService;
