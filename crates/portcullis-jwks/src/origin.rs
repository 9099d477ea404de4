//! Where a key set is got from.

use std::{sync::Arc, time::Duration};

use http::HeaderValue;
use tokio::time::{Instant, timeout};

use crate::{
    FetchError,
    discovery::DiscoverableIssuer,
    document::{self, Fetched},
    fetch::SharedFetch,
    key_document::KeyDocument,
    url::DocumentUrl,
};

/// How long an attempt may take as a whole, metadata and key set together.
pub(crate) const ATTEMPT_LIMIT: Duration = Duration::from_secs(5);

/// For how long metadata is believed while its key set can be had. It changes once in years; after a failure it is asked
/// for again anyway.
const METADATA_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// What the developer named.
#[derive(Clone, Debug)]
pub(crate) enum Origin {
    KeySet(DocumentUrl),
    Issuer(Arc<DiscoverableIssuer>),
}

/// What is known from attempts before.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hints {
    /// Where the metadata said the key set is, and when.
    pub(crate) discovered: Option<(DocumentUrl, Instant)>,
    /// Which version of the set is in hand, and from where.
    pub(crate) etag: Option<(DocumentUrl, HeaderValue)>,
}

/// A key set that came, or word that it is still the same.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) url: DocumentUrl,
    /// When that URL was learned.
    pub(crate) learned_at: Instant,
    pub(crate) content: Content,
}

#[derive(Debug)]
pub(crate) enum Content {
    NotModified { freshness: Duration },
    Read { document: document::Document, keys: KeyDocument },
}

impl Origin {
    /// What it is called in logs and errors.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::KeySet(url) => url.as_str(),
            Self::Issuer(issuer) => issuer.name(),
        }
    }

    /// One attempt, within its limit.
    pub(crate) async fn attempt(self, fetch: SharedFetch, hints: Hints) -> Result<Answer, FetchError> {
        let attempt = self.get(&fetch, hints);
        timeout(ATTEMPT_LIMIT, attempt)
            .await
            .unwrap_or_else(|_| Err(FetchError::timed_out(ATTEMPT_LIMIT).at(self.name())))
    }

    async fn get(&self, fetch: &SharedFetch, hints: Hints) -> Result<Answer, FetchError> {
        let (url, learned_at) = self.key_set_url(fetch, &hints).await?;
        let etag = hints.etag.filter(|(from, _)| *from == url).map(|(_, etag)| etag);
        let content = match document::get(fetch, &url, document::JWK_SET, etag.as_ref()).await? {
            Fetched::NotModified { freshness } => Content::NotModified { freshness },
            Fetched::New(document) => Content::Read { keys: KeyDocument::read(&document.text), document },
        };
        Ok(Answer { url, learned_at, content })
    }

    async fn key_set_url(&self, fetch: &SharedFetch, hints: &Hints) -> Result<(DocumentUrl, Instant), FetchError> {
        match (self, &hints.discovered) {
            (Self::KeySet(url), _) => Ok((url.clone(), Instant::now())),
            (Self::Issuer(_), Some((url, at))) if at.elapsed() < METADATA_LIFE => Ok((url.clone(), *at)),
            (Self::Issuer(issuer), _) => Ok((issuer.key_set_url(fetch).await?, Instant::now())),
        }
    }
}
