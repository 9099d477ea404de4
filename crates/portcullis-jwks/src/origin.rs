//! [`Origin`]: where a key set is fetched from.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, timeout_at};

use crate::{
    DocumentLimit, MAX_DOCUMENT_LEN,
    discovery::DiscoverableIssuer,
    document::{self, ATTEMPT_LIMIT, Document, Fetched},
    error::FetchError,
    fetch::SharedFetch,
    key_document::KeyDocument,
    machine::{Content, FetchedKeys, Learned},
    telemetry,
    url::DocumentUrl,
};

/// How long metadata is used while its key set can be fetched. It changes once in years, and is fetched again after a failure anyway.
const METADATA_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// The part of an attempt that may be used for fetching metadata because of a missing key.
const DOUBT_LIMIT: Duration = Duration::from_secs(2);

/// How long a key set may be whose URL an outsider has named, in bytes: dozens of keys with their certificates. Each is kept in memory.
const MAX_OUTSIDE_LEN: usize = 64 * 1024;

/// The place of the keys that the developer configured.
#[derive(Clone, Debug)]
pub(crate) enum Origin {
    KeySet(DocumentUrl),
    /// A key set whose URL an outsider has named.
    OutsideKeySet(DocumentUrl),
    SharedKeySet(Arc<SharedKeySet>),
    Issuer(Arc<DiscoverableIssuer>),
}

/// A key set that several issuers share, of which only the keys of some issuers are used.
#[derive(Debug)]
pub(crate) struct SharedKeySet {
    url: DocumentUrl,
    /// The values of `issuer` of the keys that are used.
    issuers: Vec<String>,
    id: String,
}

impl SharedKeySet {
    pub(crate) fn new(url: DocumentUrl, issuers: &[String]) -> Self {
        let id = format!("{} of {}", url.as_str(), issuers.join(" and "));
        Self { url, issuers: issuers.to_vec(), id }
    }
}

impl Origin {
    /// Returns its name for logs and errors.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::KeySet(url) | Self::OutsideKeySet(url) => url.shown(),
            Self::SharedKeySet(set) => set.url.shown(),
            Self::Issuer(issuer) => issuer.name().to_owned(),
        }
    }

    /// Returns its identity, as the developer wrote it.
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::KeySet(url) | Self::OutsideKeySet(url) => url.as_str(),
            Self::SharedKeySet(set) => &set.id,
            Self::Issuer(issuer) => issuer.name(),
        }
    }

    /// Makes one attempt, within its time limit.
    pub(crate) async fn attempt(self, fetch: SharedFetch, learned: Learned) -> Result<FetchedKeys, FetchError> {
        let deadline = Instant::now() + ATTEMPT_LIMIT;
        let (url, learned_at) = self.key_set_url(&fetch, &learned, deadline).await?;
        let etag = learned.etag.filter(|(from, _)| *from == url).map(|(_, etag)| etag);
        let limit = DocumentLimit::bytes(self.most_bytes());
        let got = document::get_within(&fetch, &url, document::JWK_SET, etag.as_ref(), deadline, limit).await?;
        let (content, freshness) = match got {
            Fetched::NotModified { freshness } => (Content::NotModified, freshness),
            Fetched::New(Document { text, etag, freshness }) => {
                let (text, keys) = self.read(text);
                (Content::Read { keys, text, etag }, freshness)
            }
        };
        Ok(FetchedKeys { url, learned_at: learned_at.into_std(), freshness, content })
    }

    fn most_bytes(&self) -> usize {
        if let Self::OutsideKeySet(_) = self { MAX_OUTSIDE_LEN } else { MAX_DOCUMENT_LEN }
    }

    fn read(&self, text: String) -> (String, KeyDocument) {
        if let Self::SharedKeySet(set) = self {
            return KeyDocument::read_of(text, &set.issuers);
        }
        let keys = KeyDocument::read(&text);
        (text, keys)
    }

    async fn key_set_url(
        &self,
        fetch: &SharedFetch,
        learned: &Learned,
        deadline: Instant,
    ) -> Result<(DocumentUrl, Instant), FetchError> {
        let now = Instant::now();
        let issuer = match self {
            Self::KeySet(url) | Self::OutsideKeySet(url) => return Ok((url.clone(), now)),
            Self::SharedKeySet(set) => return Ok((set.url.clone(), now)),
            Self::Issuer(issuer) => issuer,
        };
        let discovered = learned.discovered.as_ref().map(|(url, at)| (url, Instant::from_std(*at)));
        match discovered {
            Some((url, at)) if at.elapsed() < METADATA_LIFE && !learned.in_doubt => Ok((url.clone(), at)),
            Some((url, at)) if at.elapsed() < METADATA_LIFE => {
                let asked = timeout_at(now + DOUBT_LIMIT, issuer.key_set_url(fetch, deadline)).await;
                match asked.unwrap_or_else(|_| Err(FetchError::timed_out(DOUBT_LIMIT))) {
                    Ok(url) => Ok((url, now)),
                    // Any token can trigger this, so it must not prevent a refresh from the known URL.
                    Err(error) => {
                        telemetry::metadata_not_read(issuer.name(), &error);
                        Ok((url.clone(), at))
                    }
                }
            }
            _ => Ok((issuer.key_set_url(fetch, deadline).await?, now)),
        }
    }
}
