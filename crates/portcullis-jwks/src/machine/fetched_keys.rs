//! `FetchedKeys`: the result of an attempt. `Learned`: what earlier attempts found out, for the next one.

use std::time::{Duration, Instant};

use http::HeaderValue;

use crate::{key_document::KeyDocument, url::DocumentUrl};

/// A fetched key set, or the answer that it has not changed.
#[derive(Debug)]
pub(crate) struct FetchedKeys {
    pub(crate) url: DocumentUrl,
    /// When that URL was found.
    pub(crate) learned_at: Instant,
    pub(crate) freshness: Duration,
    pub(crate) content: Content,
}

#[derive(Debug)]
pub(crate) enum Content {
    NotModified,
    Read { text: String, etag: Option<HeaderValue>, keys: KeyDocument },
}

/// What earlier attempts found out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Learned {
    /// The key set's URL from the metadata, and when it was found.
    pub(crate) discovered: Option<(DocumentUrl, Instant)>,
    /// The set at that URL lacks a key that a token names, so the metadata are fetched first, however young they are.
    pub(crate) in_doubt: bool,
    /// The version of the current set, and its URL.
    pub(crate) etag: Option<(DocumentUrl, HeaderValue)>,
}
