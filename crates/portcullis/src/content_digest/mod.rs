//! [`ContentDigestLayer`]: checks that the body of a request is the one for which its `Content-Digest` was made (RFC 9530; feature
//! `content-digest`).
//!
//! A signature or a proof of possession covers the head of a request. If it covers the field `Content-Digest`, and this layer compares
//! the field with the body, it covers the body too. **Without this layer, the body of such a request is not signed**: anyone who can change
//! it on its way can send another one, and the digest in the head is only a claim.
//!
//! The digest alone proves nothing about who sent the body, because anyone can compute it.
//!
//! # Rules
//!
//! 1. The algorithms are `sha-256` and `sha-512`. If the field has both, both have to match. Digests by other algorithms are ignored; those
//!    that RFC 9530 section 5 calls deprecated are among them.
//! 2. A field without a digest by one of these algorithms is refused with 400 `content_digest_missing`, and the answer says
//!    `Want-Content-Digest: sha-256=10` (section 4). So is a request without the field, if it needs one.
//! 3. A field that is not a dictionary of byte sequences (RFC 9651 section 3.2) is refused with 400 `content_digest_malformed`. So are two
//!    fields, a field in several lines, an algorithm that is named twice, and parameters: a signature that covers one of two values could
//!    be checked against the other.
//! 4. A body that does not match is refused with 400 `content_digest_mismatch`.
//! 5. [`ContentDigestLayer::required`] needs the field for `POST`, `PUT` and `PATCH`, even if the body is empty, and for every other request
//!    that has a body. [`ContentDigestLayer::if_present`] checks the field where there is one.
//! 6. A body that is checked is read to its end first, and then passed on. Longer ones than the limit ([`ContentDigestLayer::limit`], 1 MiB by default) are
//!    refused with 413 `body_too_long`, and one that is cut short with 400 `body_unreadable`.
//! 7. Trailers of a body that is checked are neither read nor passed on, because no digest covers them. A `Content-Digest` in a trailer (section 6.4) therefore counts as absent: a
//!    signature over the head could not cover it.
//!
//! The body is not checked while it is passed on. Its digest is known only at the end, when a handler may have acted on the beginning, and a
//! handler that does not read to the end would never notice.
//!
//! The digest is that of the content as it was sent, compressed if it is compressed. So the layer belongs *outside* a layer that
//! decompresses requests. It belongs *inside* the [`AuthLayer`](crate::AuthLayer), so that only authenticated callers can make the service
//! buffer their bodies: in axum, before it in the order of `layer` calls. A `BodyLimitLayer` belongs between the two.
//!
//! ```
//! use axum::{Router, body::Body, routing::post};
//! use http::Request;
//! use portcullis::AuthLayer;
//! use portcullis::content_digest::{ContentDigest, ContentDigestLayer};
//! use portcullis_test::MockIssuer;
//! use tower::ServiceExt;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let issuer = MockIssuer::new(); // stands in for the one that signs
//! let app = Router::new()
//!     .route("/orders", post(async |order: String| order))
//!     .layer(ContentDigestLayer::required())
//!     .layer(AuthLayer::new(issuer.admission()));
//! let token = issuer.token().sign();
//! let order = |digest: ContentDigest, body: &'static str| {
//!     let request = Request::post("/orders").header("authorization", format!("Bearer {token}"));
//!     request.header("content-digest", digest.to_string()).body(Body::from(body))
//! };
//! let digest = ContentDigest::sha256_of("seven oranges");
//!
//! let accepted = app.clone().oneshot(order(digest, "seven oranges")?).await?;
//! assert_eq!(accepted.status(), 200);
//!
//! let refused = app.oneshot(order(digest, "70 oranges")?).await?; // changed on its way
//! assert_eq!(refused.status(), 400);
//! # Ok(())
//! # }
//! ```

mod digest;
mod error;
mod layer;
mod service;

pub use digest::ContentDigest;
pub use error::{ContentDigestError, ContentDigestErrorKind};
pub use layer::ContentDigestLayer;
pub use service::ContentDigestService;
