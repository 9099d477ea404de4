//! [`PublishedKeys`]: the published key set, as a response.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// The published key set (RFC 7517 section 5) with the HTTP headers that the plan assumes. It has the public keys on standby, active and
/// retiring; never a private or revoked one.
///
/// Answer `GET /.well-known/jwks.json` with it, or with 304 if [`etag`](Self::etag) is in the request's `If-None-Match`. If
/// [`KeyRing::published`](super::KeyRing::published) is an error, answer 503 without a key set: verifiers then go on with what they have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedKeys {
    body: String,
    cache_control: String,
    etag: String,
}

impl PublishedKeys {
    pub(super) fn new(keys: impl Iterator<Item = String>, max_age: Duration) -> Self {
        let keys: Vec<_> = keys.collect();
        let body = format!("{{\"keys\":[{}]}}", keys.join(","));
        let hash = digest(&SHA256, body.as_bytes());
        let etag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(&hash.as_ref()[..16]));
        Self { body, cache_control: format!("public, max-age={}", max_age.as_secs()), etag }
    }

    /// Returns the body.
    pub fn body(&self) -> &str {
        &self.body
    }

    /// Returns `Content-Type`.
    pub fn content_type(&self) -> &'static str {
        "application/jwk-set+json"
    }

    /// Returns `Cache-Control`: the `max-age` of the plan. Do not lengthen it.
    pub fn cache_control(&self) -> &str {
        &self.cache_control
    }

    /// Returns `ETag`.
    pub fn etag(&self) -> &str {
        &self.etag
    }
}
