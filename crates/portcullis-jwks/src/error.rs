//! Why a fetch came to nothing, for the operator.

use std::{error::Error, fmt, sync::Arc};

use http::StatusCode;
use portcullis_core::SkippedKey;

/// An attempt to get keys came to nothing; the keys from before stay in use as long as they may.
///
/// It reaches logs and [`RemoteKeys::last_error`](crate::RemoteKeys::last_error), never a client.
#[derive(Clone, Debug)]
pub struct FetchError {
    kind: FetchErrorKind,
    url: Option<Arc<str>>,
    detail: Arc<str>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl FetchError {
    fn new(kind: FetchErrorKind, detail: impl Into<Arc<str>>) -> Self {
        Self { kind, url: None, detail: detail.into(), source: None }
    }

    /// No response was had: no name, no connection, a broken one.
    pub fn unreachable(source: impl Error + Send + Sync + 'static) -> Self {
        let error = Self::new(FetchErrorKind::Unreachable, "no response was had");
        Self { source: Some(Arc::new(source)), ..error }
    }

    /// The document is longer than [`MAX_DOCUMENT_LEN`](crate::MAX_DOCUMENT_LEN), or is announced to be.
    pub fn too_large() -> Self {
        let max = crate::MAX_DOCUMENT_LEN;
        Self::new(FetchErrorKind::TooLarge, format!("the document has more than {max} bytes"))
    }

    pub(crate) fn timed_out(after: std::time::Duration) -> Self {
        Self::new(FetchErrorKind::TimedOut, format!("it took longer than {} s", after.as_secs()))
    }

    pub(crate) fn crashed() -> Self {
        Self::new(FetchErrorKind::Unreachable, "the `Fetch` implementation panicked")
    }

    pub(crate) fn status(status: StatusCode) -> Self {
        let hint = if status.is_redirection() { "; redirects are not followed: configure where it leads" } else { "" };
        Self::new(FetchErrorKind::Status, format!("the answer has the status {}{hint}", status.as_u16()))
    }

    pub(crate) fn content_type(found: &str) -> Self {
        let found: String = found.chars().filter(|char| !char.is_control()).take(60).collect();
        Self::new(FetchErrorKind::ContentType, format!("the answer is `{found}`, not JSON"))
    }

    pub(crate) fn malformed(detail: impl Into<Arc<str>>) -> Self {
        Self::new(FetchErrorKind::Malformed, detail)
    }

    pub(crate) fn not_allowed(detail: impl Into<Arc<str>>) -> Self {
        Self::new(FetchErrorKind::NotAllowed, detail)
    }

    pub(crate) fn no_usable_key(skipped: &[SkippedKey]) -> Self {
        let reasons: Vec<_> = skipped.iter().map(ToString::to_string).collect();
        let reasons = if reasons.is_empty() { "it is empty".to_owned() } else { reasons.join("; ") };
        Self::new(FetchErrorKind::NoUsableKey, format!("no key of the set can be used: {reasons}"))
    }

    pub(crate) fn published_secret(skipped: &SkippedKey) -> Self {
        let detail = format!("the set publishes what must be kept secret, so nothing of it is trusted: {skipped}");
        Self::new(FetchErrorKind::PublishedSecret, detail)
    }

    pub(crate) fn issuer_mismatch(expected: &str, found: &str) -> Self {
        let found: String = found.chars().filter(|char| !char.is_control()).take(200).collect();
        let slash = expected.trim_end_matches('/') == found.trim_end_matches('/');
        let hint = if slash { " (the slash at the end counts: configure the issuer as it names itself)" } else { "" };
        let detail = format!("the metadata is of the issuer `{found}`, not of `{expected}`{hint}");
        Self::new(FetchErrorKind::IssuerMismatch, detail)
    }

    /// The same error, saying what was asked for.
    pub(crate) fn at(mut self, url: &str) -> Self {
        self.url.get_or_insert_with(|| url.into());
        self
    }

    /// What went wrong, to branch on.
    pub fn kind(&self) -> FetchErrorKind {
        self.kind
    }

    /// What was asked for, if it is known.
    pub fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.url {
            Some(url) => write!(f, "{url}: {}", self.detail),
            None => f.write_str(&self.detail),
        }
    }
}

impl Error for FetchError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// The kinds of [`FetchError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FetchErrorKind {
    /// No response was had.
    Unreachable,
    /// The attempt took too long.
    TimedOut,
    /// Another status than 200; redirects are not followed.
    Status,
    /// Not JSON by its `Content-Type`: a login page, say.
    ContentType,
    /// More than 512 KiB.
    TooLarge,
    /// No JWK Set, or no metadata, or with more than 100 keys.
    Malformed,
    /// Each key of the set is of a kind that we do not use, or weak; or there is none.
    NoUsableKey,
    /// The set holds a private key or a shared secret.
    PublishedSecret,
    /// The metadata names another issuer (OpenID Connect Discovery 1.0 section 4.3, RFC 8414 section 3.3).
    IssuerMismatch,
    /// A URL that is not asked for: not HTTPS, or with a user name.
    NotAllowed,
}
