//! Why a fetch came to nothing, for the operator.

use std::{error::Error, fmt, sync::Arc, time::Duration};

use http::StatusCode;
use portcullis_core::SkippedKey;

/// An attempt to get keys came to nothing; the keys from before stay in use as long as they may.
///
/// It reaches logs and [`RemoteKeys::last_error`](crate::RemoteKeys::last_error), never a client.
#[derive(Clone, Debug)]
pub struct FetchError {
    kind: FetchErrorKind,
    url: Option<Arc<str>>,
    status: Option<StatusCode>,
    retry_after: Option<Duration>,
    detail: Arc<str>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl FetchError {
    fn new(kind: FetchErrorKind, detail: impl Into<Arc<str>>) -> Self {
        Self { kind, url: None, status: None, retry_after: None, detail: detail.into(), source: None }
    }

    /// No response was had: no name, no connection, a broken one, a certificate that is not trusted.
    pub fn unreachable(source: impl Error + Send + Sync + 'static) -> Self {
        let error = Self::new(FetchErrorKind::Unreachable, "no response was had");
        Self { source: Some(Arc::new(source)), ..error }
    }

    /// The certificate's authority is not known: mostly one within one's own walls.
    #[cfg(feature = "reqwest")]
    pub(crate) fn untrusted(source: impl Error + Send + Sync + 'static) -> Self {
        let detail = "its certificate is from no authority that this machine trusts: add yours to the machine, or by \
                      `HttpClient::with_root_certificates`";
        Self { detail: detail.into(), ..Self::unreachable(source) }
    }

    /// What the request has to carry is not at hand.
    #[cfg(feature = "reqwest")]
    pub(crate) fn credential(detail: String) -> Self {
        Self::new(FetchErrorKind::Credential, detail)
    }

    /// The document is longer than [`MAX_DOCUMENT_LEN`](crate::MAX_DOCUMENT_LEN), or is announced to be.
    pub fn too_large() -> Self {
        let max = crate::MAX_DOCUMENT_LEN;
        Self::new(FetchErrorKind::TooLarge, format!("the document has more than {max} bytes"))
    }

    /// The response, or its body, took longer than this.
    pub fn timed_out(after: Duration) -> Self {
        Self::new(FetchErrorKind::TimedOut, format!("it took longer than {} s", after.as_secs_f32()))
    }

    pub(crate) fn crashed() -> Self {
        Self::new(FetchErrorKind::Unreachable, "the `Fetch` implementation panicked")
    }

    pub(crate) fn status(status: StatusCode) -> Self {
        let hint = if status.is_redirection() { "; redirects are not followed: configure where it leads" } else { "" };
        let error = Self::new(FetchErrorKind::Status, format!("the answer has the status {}{hint}", status.as_u16()));
        Self { status: Some(status), ..error }
    }

    /// Neither document of an issuer is there; `missing` is what the first one's place said.
    pub(crate) fn no_metadata_at(missing: Self, oauth: &str) -> Self {
        let detail = format!(
            "{}, and there is nothing to be had at {oauth} either: the issuer has another name, or shows its metadata not to everybody",
            missing.detail
        );
        Self { detail: detail.into(), ..missing }
    }

    pub(crate) fn content_type(found: &str) -> Self {
        let found: String = found.chars().filter(|char| !char.is_control()).take(60).collect();
        let html = found.to_ascii_lowercase().contains("html");
        let hint = if html { "; is there a login page or a proxy in between?" } else { "" };
        Self::new(FetchErrorKind::ContentType, format!("the answer is `{found}`, not JSON{hint}"))
    }

    pub(crate) fn malformed(detail: impl Into<Arc<str>>) -> Self {
        Self::new(FetchErrorKind::Malformed, detail)
    }

    pub(crate) fn not_allowed(detail: impl Into<Arc<str>>) -> Self {
        Self::new(FetchErrorKind::NotAllowed, detail)
    }

    pub(crate) fn no_usable_key(skipped: &[SkippedKey]) -> Self {
        let reasons: Vec<_> = skipped.iter().map(ToString::to_string).collect();
        let reasons = if reasons.is_empty() {
            "it is empty (an issuer that signs with a shared secret publishes none: configure that)".to_owned()
        } else {
            reasons.join("; ")
        };
        Self::new(FetchErrorKind::NoUsableKey, format!("no key of the set can be used: {reasons}"))
    }

    pub(crate) fn published_secret(skipped: &SkippedKey) -> Self {
        let detail = format!("the set publishes what must be kept secret, so nothing of it is trusted: {skipped}");
        Self::new(FetchErrorKind::PublishedSecret, detail)
    }

    pub(crate) fn all_exposed() -> Self {
        let detail = "each key of the set was published with its private half before: the issuer has to make new ones";
        Self::new(FetchErrorKind::PublishedSecret, detail)
    }

    pub(crate) fn issuer_mismatch(expected: &str, found: &str) -> Self {
        let found: String = found.chars().filter(|char| !char.is_control()).take(200).collect();
        let slash = expected.trim_end_matches('/') == found.trim_end_matches('/');
        let hint = if slash { " (the slash at the end counts: configure the issuer as it names itself)" } else { "" };
        let detail = format!("the metadata is of the issuer `{found}`, not of `{expected}`{hint}");
        Self::new(FetchErrorKind::IssuerMismatch, detail)
    }

    /// The same error, with when the issuer wants to be asked again.
    pub(crate) fn with_retry_after(self, after: Option<Duration>) -> Self {
        Self { retry_after: after, ..self }
    }

    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.retry_after
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

    /// The answer's status, for [`FetchErrorKind::Status`].
    pub fn status_code(&self) -> Option<StatusCode> {
        self.status
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
    /// No response was had: no name, no connection, a certificate that is not trusted.
    Unreachable,
    /// The token that the request has to carry could not be read: see `HttpClient::bearer_token_file`. Nothing was asked for.
    Credential,
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
    /// The set holds a private key or a shared secret, or only keys whose private halves were published before.
    PublishedSecret,
    /// The metadata names another issuer (OpenID Connect Discovery 1.0 section 4.3, RFC 8414 section 3.3).
    IssuerMismatch,
    /// A URL that is not asked for: not HTTPS, with a user name, with a host that can be read in two ways, or of this machine or a
    /// private network where the issuer is not there.
    NotAllowed,
}
