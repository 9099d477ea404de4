//! `FetchedKeys`: what an attempt brings. `Learned`: what is known from attempts before, for the next one.

use std::time::{Duration, Instant};

use http::HeaderValue;

use crate::{key_document::KeyDocument, url::DocumentUrl};

/// A key set that came, or word that it is still the same.
#[derive(Debug)]
pub(crate) struct FetchedKeys {
    pub(crate) url: DocumentUrl,
    /// When that URL was learned.
    pub(crate) learned_at: Instant,
    pub(crate) freshness: Duration,
    pub(crate) content: Content,
}

#[derive(Debug)]
pub(crate) enum Content {
    NotModified,
    Read { text: String, etag: Option<HeaderValue>, keys: KeyDocument },
}

/// What is known from attempts before.
#[derive(Clone, Debug, Default)]
pub(crate) struct Learned {
    /// Where the metadata said the key set is, and when.
    pub(crate) discovered: Option<(DocumentUrl, Instant)>,
    /// The set that is there lacks a key that a token names, so the metadata are asked for before it, however young they are.
    pub(crate) in_doubt: bool,
    /// Which version of the set is in hand, and from where.
    pub(crate) etag: Option<(DocumentUrl, HeaderValue)>,
}
