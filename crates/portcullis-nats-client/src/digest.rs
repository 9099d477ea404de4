//! [`content_digest`]: what makes a proof cover a body.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::HeaderValue;

/// Returns the value of the HTTP header `Content-Digest` (RFC 9530) for this body, with SHA-256.
///
/// A request that has it when it is signed can only be sent with this body, if the service compares the two.
///
/// ```
/// use portcullis_nats_client::content_digest;
///
/// let mut request = http::Request::post("/orders").body("hello world\n")?;
/// let digest = content_digest(request.body());
/// assert_eq!(digest, "sha-256=:qUiQTy8PR5uPgZdpSzAYSw0u0cHNKh7A+4XSmaGSpEc=:");
/// request.headers_mut().insert("content-digest", digest);
/// # Ok::<(), http::Error>(())
/// ```
pub fn content_digest(body: impl AsRef<[u8]>) -> HeaderValue {
    let text = format!("sha-256=:{}:", STANDARD.encode(digest(&SHA256, body.as_ref())));
    // It consists of base64 and of what stands around it, so this cannot fail.
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}
