//! [`OutsideDocuments`]: documents whose URLs outsiders name.

use std::{fmt, time::Duration};

use portcullis_core::ConfigError;
use tokio::time::Instant;

use crate::{
    DocumentLimit, Fetch, FetchError,
    document::{ATTEMPT_LIMIT, Fetched, JSON, get_within},
    fetch::SharedFetch,
    url::{DocumentUrl, HTTPS_PORT, HostAndPort, NamedHosts},
};

/// Fetches JSON documents whose URLs outsiders name, such as the metadata of OAuth clients, by the rules for keys:
///
/// - HTTPS, and a host of the public Internet: no address of a private network or of this machine in any spelling, and no name that only a
///   private network knows.
/// - Redirects are not followed. The answer has the status 200 and a JSON type, is not compressed, and has no more bytes than asked for.
/// - 5 s in all.
///
/// Do not give it an [`HttpClient`](crate::HttpClient) that sends credentials: outsiders choose the URL.
#[derive(Clone)]
pub struct OutsideDocuments {
    fetch: SharedFetch,
    named: NamedHosts,
}

/// A document, and how long it is fresh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutsideDocument {
    text: String,
    freshness: Duration,
}

impl OutsideDocument {
    /// Returns the text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns how long it is fresh by its `Cache-Control`, between a minute and a day; ten minutes if it does not say.
    pub const fn freshness(&self) -> Duration {
        self.freshness
    }
}

impl OutsideDocuments {
    /// Returns documents that this client fetches.
    pub fn new(fetch: impl Fetch) -> Self {
        Self { fetch: SharedFetch::new(fetch), named: NamedHosts::default() }
    }

    /// Allows one host of a private network or of this machine, with a port unless it is 443: for tests, and for clients of the house.
    ///
    /// **Outsiders choose the path and the query of a URL, so they can make this service send a `GET` for any of them to that host.**
    ///
    /// # Errors
    ///
    /// If it is not a host and a port.
    pub fn danger_allow_private(mut self, host: &str) -> Result<Self, ConfigError> {
        let named = HostAndPort::parse(host, HTTPS_PORT);
        let named = named.map_err(|why| ConfigError::new(format!("danger_allow_private: {host:?} {why}")))?;
        self.named.private.push(named);
        Ok(self)
    }

    /// Fetches a document of at most `most_bytes`.
    ///
    /// # Errors
    ///
    /// [`FetchErrorKind::NotAllowed`](crate::FetchErrorKind::NotAllowed) for a URL that is not fetched. Otherwise see
    /// [`FetchErrorKind`](crate::FetchErrorKind).
    pub async fn get(&self, url: &str, most_bytes: usize) -> Result<OutsideDocument, FetchError> {
        let url = self.allowed(url)?;
        let (deadline, limit) = (Instant::now() + ATTEMPT_LIMIT, DocumentLimit::bytes(most_bytes));
        match get_within(&self.fetch, &url, JSON, None, deadline, limit).await? {
            Fetched::New(document) => Ok(OutsideDocument { text: document.text, freshness: document.freshness }),
            Fetched::NotModified { .. } => {
                Err(FetchError::malformed("the answer is about a document that was not sent"))
            }
        }
    }

    /// Makes sure that this URL may be fetched, without fetching it.
    ///
    /// # Errors
    ///
    /// [`FetchErrorKind::NotAllowed`](crate::FetchErrorKind::NotAllowed) if not.
    pub fn check(&self, url: &str) -> Result<(), FetchError> {
        self.allowed(url).map(|_| ())
    }

    fn allowed(&self, text: &str) -> Result<DocumentUrl, FetchError> {
        let not_allowed = |why: &str| FetchError::not_allowed(why).at(&crate::url::shown(text));
        DocumentUrl::parse_outside(text, &self.named).map_err(not_allowed)
    }
}

impl fmt::Debug for OutsideDocuments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutsideDocuments").field("fetch", &self.fetch).finish_non_exhaustive()
    }
}
