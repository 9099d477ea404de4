//! [`ConfiguredDocuments`]: documents whose URLs the application configures.

use std::fmt;

use portcullis_core::ConfigError;
use tokio::time::Instant;

use crate::{
    DocumentLimit, Fetch, FetchError,
    document::{ATTEMPT_LIMIT, get_text},
    fetch::SharedFetch,
    url::{DocumentUrl, HTTP_PORT, HostAndPort, NamedHosts, shown},
};

/// Fetches documents of any type whose URLs the application configures, such as the tokens of accounts of NATS, by the rules for keys:
///
/// - HTTPS, or this machine itself.
/// - Redirects are not followed. The answer is not compressed, and has no more bytes than asked for.
/// - 5 s in all.
#[derive(Clone)]
pub struct ConfiguredDocuments {
    fetch: SharedFetch,
    named: NamedHosts,
}

impl ConfiguredDocuments {
    /// Returns documents that this client fetches.
    pub fn new(fetch: impl Fetch) -> Self {
        Self { fetch: SharedFetch::new(fetch), named: NamedHosts::default() }
    }

    /// Allows plain `http` for one host, `host:port` exactly (the default port is 80).
    ///
    /// **The caller must make sure that no other party can read or change the traffic between this service and that host.**
    ///
    /// # Errors
    ///
    /// If it is not a host and a port.
    pub fn danger_allow_http(mut self, host: &str) -> Result<Self, ConfigError> {
        let named = HostAndPort::parse(host, HTTP_PORT);
        let named = named.map_err(|why| ConfigError::new(format!("danger_allow_http: `{}` {why}", shown(host))))?;
        self.named.unencrypted.push(named);
        Ok(self)
    }

    /// Fetches a document of at most `most_bytes`; `None` if the server says that there is none (404).
    ///
    /// # Errors
    ///
    /// [`FetchErrorKind::NotAllowed`](crate::FetchErrorKind::NotAllowed) for a URL that is not fetched. Otherwise see
    /// [`FetchErrorKind`](crate::FetchErrorKind).
    pub async fn get(&self, url: &str, most_bytes: usize) -> Result<Option<String>, FetchError> {
        let url = self.allowed(url)?;
        get_text(&self.fetch, &url, Instant::now() + ATTEMPT_LIMIT, DocumentLimit::bytes(most_bytes)).await
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
        DocumentUrl::parse(text, &self.named).map_err(|why| FetchError::not_allowed(why).at(&shown(text)))
    }
}

impl fmt::Debug for ConfiguredDocuments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfiguredDocuments").field("fetch", &self.fetch).finish_non_exhaustive()
    }
}
