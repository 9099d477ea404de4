//! [`BodyLimitLayer`]: refuses a request whose body is longer than its caller may send (feature `body-limit`).
//!
//! The limit is a claim of the caller's credential, such as `/nats/payload` of a NATS user or a number that your issuer writes into tokens.
//! For one limit that holds for everyone, this layer is not needed: axum has `DefaultBodyLimit`, and tower-http `RequestBodyLimitLayer`.
//!
//! # Rules
//!
//! 1. A body longer than the claim says is refused with 413 `body_too_long` (RFC 9110 section 15.5.14). A body of exactly that length is
//!    passed on.
//! 2. If the length is known before the body is read, by `Content-Length` or by the body itself, the handler is not called, and nothing is
//!    read.
//! 3. Otherwise the body is counted while it is read, whatever `Content-Length` says. Reading fails at the first byte over the limit, and the answer is 413,
//!    even if the handler returns another status. Exception: if the handler has answered before it has read that far, its answer is sent.
//! 4. If the claim is absent, the layer's own limit holds ([`BodyLimitLayer::limit`]). If there is none either, the request is refused with 500
//!    `service_misconfigured`: the place of the claim may be misspelt. If both are there, the smaller one counts.
//! 5. If the claim is not a JSON integer from 0 to 2⁶⁴ − 1, without fraction and exponent, the request is refused with 401 `claims_malformed`; `null` and
//!    numbers in strings are none. If the claims cannot be read, the answer is 503 `requirement_undecided`.
//! 6. A request without a credential has no claims. It is refused with 401 `credential_missing` if it may have a body.
//! 7. Without an [`AuthLayer`](crate::AuthLayer) in front, each request is refused with 500 `service_misconfigured`.
//! 8. A request that is known to have no body is passed on, whatever the claim says. Trailers are not counted.
//! 9. What is sent after an upgrade, such as the messages of a WebSocket, is no body, and is not counted: limit messages by the claim where you read them.
//!
//! # The order of layers
//!
//! A request has to pass the `AuthLayer`, then this layer, which reads its claims, and then any layer that reads the body: so nothing above the limit is
//! buffered. In axum, the last `layer` call is the outermost:
//! `.layer(ContentDigestLayer::required()).layer(BodyLimitLayer::from_claim("/nats/payload")?.limit(1024 * 1024)).layer(AuthLayer::new(..))`. `FormBodyLayer` is the exception: it has
//! to be outside of the `AuthLayer` and has a limit of its own, and this layer counts the form without its token.
//!
//! The limits of layers and extractors further inside still hold: `ContentDigestLayer` reads 1 MiB and axum's extractors 2 MB by default, whatever the claim says. Raise
//! them, too, if callers may send more.
//!
//! The length is that of the content as it was sent, compressed if it is compressed. A layer that decompresses requests belongs inside this one with a limit of its
//! own, or outside of it, so that the decompressed length is counted.
//!
//! ```
//! use axum::{Router, body::Body, routing::post};
//! use http::Request;
//! use portcullis::{AuthLayer, body_limit::BodyLimitLayer};
//! use portcullis_test::MockIssuer;
//! use tower::ServiceExt;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let issuer = MockIssuer::new(); // stands in for the one that signs
//! let app = Router::new()
//!     .route("/orders", post(async |order: String| order))
//!     .layer(BodyLimitLayer::from_claim("/longest_order")?.limit(64 * 1024))
//!     .layer(AuthLayer::new(issuer.admission()));
//! let token = issuer.token().claim("longest_order", 13).sign();
//! let order = |body: &'static str| {
//!     Request::post("/orders").header("authorization", format!("Bearer {token}")).body(Body::from(body))
//! };
//!
//! let accepted = app.clone().oneshot(order("seven oranges")?).await?;
//! assert_eq!(accepted.status(), 200);
//!
//! let refused = app.oneshot(order("seven oranges!")?).await?;
//! assert_eq!(refused.status(), 413);
//! # Ok(())
//! # }
//! ```

mod body;
mod future;
mod layer;
mod service;

pub use body::LimitedBody;
pub use future::BodyLimitFuture;
pub use layer::BodyLimitLayer;
pub use service::BodyLimitService;
