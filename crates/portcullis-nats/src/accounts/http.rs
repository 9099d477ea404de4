//! [`HttpAccounts`]: an account server over HTTP (feature `http`).

use portcullis_core::ConfigError;
use portcullis_jwks::{ConfiguredDocuments, Fetch};

use super::{AccountResolver, ResolverError};
use crate::nkey::AccountKey;

/// Accounts from an account server, by the protocol of nats-server's `resolver: URL(…)`: a `GET` of a base with the account's id behind it.
///
/// - The status 200 is the token, 404 means that there is no such account, everything else is a fault. Redirects are not followed.
/// - HTTPS, or this machine itself. See [`danger_allow_http`](Self::danger_allow_http).
/// - A token has at most 512 KiB, which is room for thousands of revocations.
/// - 1.9 s in all, as in nats-server.
#[derive(Clone, Debug)]
pub struct HttpAccounts {
    documents: ConfiguredDocuments,
    base: String,
}

/// The longest token that is read, in bytes.
const LONGEST: usize = 512 * 1024;

impl HttpAccounts {
    /// Fetches from this base, such as `https://accounts.example.com/jwt/v1/accounts/`, with this client. A slash at its end may be left out.
    ///
    /// # Errors
    ///
    /// If it is not an allowed URL, or has a query.
    pub fn new(base: impl Into<String>, client: impl Fetch) -> Result<Self, ConfigError> {
        Self::with(base.into(), ConfiguredDocuments::new(client))
    }

    /// As [`new`](Self::new), for one host, `host:port`, that is reached without encryption.
    ///
    /// **Anyone who can change the traffic on the way to that host can hide that an account has revoked a user**, though not make up accounts.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new), and if `host` is not a host and a port.
    pub fn danger_allow_http(base: impl Into<String>, client: impl Fetch, host: &str) -> Result<Self, ConfigError> {
        Self::with(base.into(), ConfiguredDocuments::new(client).danger_allow_http(host)?)
    }

    fn with(mut base: String, documents: ConfiguredDocuments) -> Result<Self, ConfigError> {
        if base.contains('?') {
            return Err(ConfigError::new(
                "the base of an account server has no query: the account's id is put behind it",
            ));
        }
        if !base.ends_with('/') {
            base.push('/');
        }
        documents.check(&base).map_err(|error| ConfigError::new(format!("the base of an account server: {error}")))?;
        Ok(Self { documents, base })
    }
}

impl AccountResolver for HttpAccounts {
    async fn fetch(&self, id: &AccountKey) -> Result<Option<String>, ResolverError> {
        let got = self.documents.get(&format!("{}{id}", self.base), LONGEST).await;
        got.map_err(|error| {
            ResolverError::new("the account server gives no answer that can be used").with_source(error)
        })
    }
}
