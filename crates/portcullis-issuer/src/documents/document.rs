//! [`PublishedDocument`]: a JSON document with its headers.

use std::time::Duration;

use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// A published JSON document: its body, and the headers that it is sent with. It is public, and the same for every client.
///
/// - `Content-Type` is `application/jwk-set+json` for a key set (RFC 7517 section 8.5), and `application/json` for metadata (RFC 8414 section 3.2).
/// - `Cache-Control` is `public, max-age=M`. There is no `stale-while-revalidate`: a cache that may serve an older key set without a limit of
///   its own would undo the plan by which keys are replaced.
/// - `ETag` is a strong one, made from the body, so that all instances have the same one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedDocument {
    body: String,
    content_type: &'static str,
    etag: String,
    cache_control: String,
}

impl PublishedDocument {
    pub(super) fn new(body: String, content_type: &'static str, max_age: Duration) -> Self {
        let hash = digest::digest(&digest::SHA256, body.as_bytes());
        let etag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(hash));
        let cache_control = format!("public, max-age={}", max_age.as_secs());
        Self { body, content_type, etag, cache_control }
    }

    /// Returns the JSON text.
    pub fn body(&self) -> &str {
        &self.body
    }

    /// Returns the value of `Content-Type`.
    pub fn content_type(&self) -> &'static str {
        self.content_type
    }

    /// Returns the value of `ETag`, with its quotation marks.
    pub fn etag(&self) -> &str {
        &self.etag
    }

    /// Returns the value of `Cache-Control`.
    pub fn cache_control(&self) -> &str {
        &self.cache_control
    }

    /// Answers a request with this `If-None-Match` header, if it has one. Join several such header lines with a comma.
    ///
    /// The answer is 304 without a body if the header names the `ETag` or is `*` (RFC 9110 section 13.1.2), otherwise 200.
    pub fn answer(&self, if_none_match: Option<&str>) -> DocumentAnswer<'_> {
        let is_known = if_none_match.is_some_and(|header| names(header, &self.etag));
        DocumentAnswer { document: self, is_known }
    }
}

/// Whether an `If-None-Match` names this tag. The comparison is the weak one, because a proxy that compresses makes the tag weak.
fn names(header: &str, etag: &str) -> bool {
    // An `ETag` of ours has no comma in it, so a foreign one that does cannot be taken for ours when it is cut.
    let mut tags = header.split(',').map(str::trim);
    header.trim() == "*" || tags.any(|tag| tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

/// What a request for a [`PublishedDocument`] is answered with. To a `HEAD` request, send it without the body.
#[derive(Clone, Copy, Debug)]
pub struct DocumentAnswer<'a> {
    document: &'a PublishedDocument,
    is_known: bool,
}

impl<'a> DocumentAnswer<'a> {
    /// Returns the status: 200 or 304.
    pub fn status(&self) -> u16 {
        if self.is_known { 304 } else { 200 }
    }

    /// Returns the headers, with names in lower case.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, &'a str)> + use<'a> {
        let content_type = (!self.is_known).then_some(("content-type", self.document.content_type()));
        let of_both = [("cache-control", self.document.cache_control()), ("etag", self.document.etag())];
        content_type.into_iter().chain(of_both)
    }

    /// Returns the body; it is empty with status 304.
    pub fn body(&self) -> &'a str {
        if self.is_known { "" } else { self.document.body() }
    }
}
