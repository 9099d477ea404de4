//! [`FetchError`]: why a fetch failed, for operators.

use std::{error::Error, fmt, io, iter, sync::Arc, time::Duration};

use http::StatusCode;
use portcullis_core::{keys::SkippedKey, text::LogText};

/// An attempt to fetch keys failed. The previous keys stay in use as long as they may.
///
/// This error appears in logs and in [`RemoteKeys::last_error`](crate::RemoteKeys::last_error), but is never sent to a client.
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

    /// Returns the error for a request without a response: unknown name, no connection, a broken connection, an untrusted certificate.
    ///
    /// If the causes contain a known [`io::Error`](std::io::Error), the text explains it and says what to check.
    pub fn unreachable(source: impl Error + Send + Sync + 'static) -> Self {
        let detail = cause(&source);
        Self { source: Some(Arc::new(source)), ..Self::new(FetchErrorKind::Unreachable, detail) }
    }

    /// Returns the error for a request without a response, with a cause that the client knows.
    #[cfg(feature = "reqwest")]
    pub(crate) fn unreachable_because(detail: impl Into<Arc<str>>, source: impl Error + Send + Sync + 'static) -> Self {
        Self { detail: detail.into(), ..Self::unreachable(source) }
    }

    /// Returns the error for a response that broke off.
    pub fn cut_short(source: impl Error + Send + Sync + 'static) -> Self {
        let detail = "the response was cut short: the connection ended before the document did";
        Self { source: Some(Arc::new(source)), ..Self::new(FetchErrorKind::CutShort, detail) }
    }

    /// Returns the error for a credential that could not be read.
    #[cfg(feature = "reqwest")]
    pub(crate) fn credential(detail: String) -> Self {
        Self::new(FetchErrorKind::Credential, detail)
    }

    /// Returns the error for a document that is longer than [`MAX_DOCUMENT_LEN`](crate::MAX_DOCUMENT_LEN), or is announced to be.
    pub fn too_large() -> Self {
        Self::longer_than(crate::MAX_DOCUMENT_LEN)
    }

    /// Returns the error for a document that has more bytes than this.
    pub(crate) fn longer_than(bytes: usize) -> Self {
        Self::new(FetchErrorKind::TooLarge, format!("the document has more than {bytes} bytes"))
    }

    /// Returns the error for a response or body that took longer than this.
    pub fn timed_out(after: Duration) -> Self {
        Self::new(FetchErrorKind::TimedOut, format!("it took longer than {} s", after.as_secs_f32()))
    }

    pub(crate) fn crashed() -> Self {
        Self::new(FetchErrorKind::Unreachable, "the `Fetch` implementation panicked")
    }

    pub(crate) fn status(status: StatusCode) -> Self {
        let hint = match status {
            status if status.is_redirection() => "; redirects are not followed: configure where it leads",
            StatusCode::NOT_FOUND | StatusCode::GONE => "; there is no such document: is the URL right?",
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                "; it is not public: `HttpClient` can send a token or an HTTP header"
            }
            _ => "",
        };
        let error = Self::new(FetchErrorKind::Status, format!("the answer has the status {}{hint}", status.as_u16()));
        Self { status: Some(status), ..error }
    }

    /// Returns the error for an issuer that has neither document; `missing` is the error for the first one.
    pub(crate) fn no_metadata_at(missing: Self, oauth: &str) -> Self {
        let status = missing.status.map_or(0, |status| status.as_u16());
        let detail = format!(
            "the answer has the status {status}, and there is no metadata at {oauth} either: is this the issuer's name, exactly \
             as its tokens have it in `iss`? If it publishes no metadata, use `RemoteKeys::from_url`"
        );
        Self { detail: detail.into(), ..missing }
    }

    pub(crate) fn content_type(found: &str) -> Self {
        let html = found.to_ascii_lowercase().contains("html");
        let hint = if html { "; is there a login page or a proxy in between?" } else { "" };
        let found = cut_for_log(found, 60);
        Self::new(FetchErrorKind::ContentType, format!("the answer is `{found}`, not JSON{hint}"))
    }

    /// `found` is the name of the coding.
    pub(crate) fn content_coding(found: &str) -> Self {
        let found = cut_for_log(found, 60);
        let detail = format!(
            "the answer is compressed (`{found}`), which was not asked for: switch compression off for this URL where it is added"
        );
        Self::new(FetchErrorKind::ContentCoding, detail)
    }

    pub(crate) fn malformed(detail: impl Into<Arc<str>>) -> Self {
        Self::new(FetchErrorKind::Malformed, detail)
    }

    pub(crate) fn not_allowed(detail: impl Into<Arc<str>>) -> Self {
        Self::new(FetchErrorKind::NotAllowed, detail)
    }

    pub(crate) fn no_usable_key(skipped: &[SkippedKey]) -> Self {
        const TOLD: usize = 3;
        let mut reasons: Vec<_> = skipped.iter().take(TOLD).map(ToString::to_string).collect();
        if skipped.len() > TOLD {
            reasons.push(format!("and {} more", skipped.len() - TOLD));
        }
        let reasons = if reasons.is_empty() {
            "it is empty (an issuer that signs with a shared secret publishes none: configure that)".to_owned()
        } else {
            reasons.join("; ")
        };
        Self::new(FetchErrorKind::NoUsableKey, format!("no key of the set can be used: {reasons}"))
    }

    /// A set of several issuers has none of these.
    pub(crate) fn no_key_of(issuers: &[String]) -> Self {
        let issuers = issuers.join("` or `");
        Self::new(FetchErrorKind::NoUsableKey, format!("no key of the set has the `issuer` `{issuers}`"))
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
        let slash = expected.trim_end_matches('/') == found.trim_end_matches('/');
        let hint = if slash { "the slash at the end counts: " } else { "" };
        let found = cut_for_log(found, 200);
        let detail = format!(
            "the metadata is of the issuer `{found}`, not of `{expected}`: {hint}configure the issuer exactly as it names itself, if \
             that is the one you mean"
        );
        Self::new(FetchErrorKind::IssuerMismatch, detail)
    }

    /// Adds when the issuer wants to be asked again.
    pub(crate) fn with_retry_after(self, after: Option<Duration>) -> Self {
        Self { retry_after: after, ..self }
    }

    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Adds the URL that was requested.
    pub(crate) fn at(mut self, url: &str) -> Self {
        self.url.get_or_insert_with(|| url.into());
        self
    }

    /// Returns the source, for an error whose own text already contains the rest.
    pub(crate) fn shared_source(&self) -> Option<Arc<dyn Error + Send + Sync>> {
        self.source.clone()
    }

    /// Returns the kind of the error, for branching.
    pub fn kind(&self) -> FetchErrorKind {
        self.kind
    }

    /// Returns the status of the answer, for [`FetchErrorKind::Status`].
    pub fn status_code(&self) -> Option<StatusCode> {
        self.status
    }

    /// Returns the URL that was requested, if known.
    pub fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }
}

/// Returns at most this many characters of foreign text, for one line of a log.
pub(crate) fn cut_for_log(text: &str, most: usize) -> String {
    let cut: String = text.chars().take(most).collect();
    let more = if cut.len() < text.len() { "…" } else { "" };
    format!("{}{more}", LogText::new(&cut))
}

/// Returns what caused an error and what to check, from the first cause that is specific.
fn cause(error: &(dyn Error + 'static)) -> &'static str {
    use io::ErrorKind as Kind;
    let kinds =
        iter::successors(Some(error), |error| (*error).source()).filter_map(|error| error.downcast_ref::<io::Error>());
    let told = kinds.map(io::Error::kind).find_map(|kind| match kind {
        Kind::ConnectionRefused => {
            Some("the connection was refused: are host and port right, and is the issuer running?")
        }
        Kind::ConnectionReset | Kind::ConnectionAborted | Kind::BrokenPipe | Kind::UnexpectedEof => {
            Some("the connection was closed before a response came")
        }
        Kind::HostUnreachable | Kind::NetworkUnreachable => {
            Some("there is no way to that host: is the address right, and does the network let this service through?")
        }
        Kind::TimedOut => Some("the connection timed out: does a firewall let this service through?"),
        _ => None,
    });
    told.unwrap_or("no response came")
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
    /// There was no response: unknown name, no connection, an untrusted certificate.
    Unreachable,
    /// The connection ended before the response was complete.
    CutShort,
    /// The token for the request could not be read: see `HttpClient::bearer_token_file`. No request was sent.
    Credential,
    /// The attempt took too long.
    TimedOut,
    /// The status is not 200; redirects are not followed.
    Status,
    /// The `Content-Type` is not JSON: for example a login page.
    ContentType,
    /// The answer is compressed, which was not requested.
    ContentCoding,
    /// The document has more than 512 KiB.
    TooLarge,
    /// The document is not a JWK Set or metadata, or it has more than 100 keys.
    Malformed,
    /// No key of the set is usable: each is of an unsupported kind or too weak, or the set is empty.
    NoUsableKey,
    /// The set contains a private key or a shared secret, or only keys whose private halves were published before.
    PublishedSecret,
    /// The metadata names another issuer (OpenID Connect Discovery 1.0 section 4.3, RFC 8414 section 3.3).
    IssuerMismatch,
    /// The URL is not allowed: not HTTPS, with a user name, with an ambiguous host, or on this machine or in a private network where the
    /// issuer is not.
    NotAllowed,
}
