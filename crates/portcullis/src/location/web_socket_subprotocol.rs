//! [`WebSocketSubprotocol`]: a WebSocket subprotocol that contains the credential.

use std::borrow::Cow;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue, header::SEC_WEBSOCKET_PROTOCOL};
use portcullis_core::ConfigError;

use super::{Found, LocationInfo, RequestHead, RequestHeadMut, ResponseCaching, TokenLocation};
use crate::grammar::check_token;

/// An entry of `Sec-WebSocket-Protocol`, the one HTTP header that a browser lets a page set on a WebSocket.
///
/// | form | what a page writes |
/// |---|---|
/// | [`new`](Self::new) | ``new WebSocket(url, ["app.v1", `bearer.${token}`])`` |
/// | [`after`](Self::after)`("bearer")` | `new WebSocket(url, ["bearer", token])` |
/// | [`kubernetes`](Self::kubernetes) | ``new WebSocket(url, ["app.v1", `base64url.bearer.authorization.k8s.io.${encoded}`])`` |
///
/// The entry with the token is removed from the request before the inner service gets it, so that the service never chooses it and sends
/// it back; all other entries stay. The inner service has to choose one of those, because a browser that offered protocols drops a
/// connection for which none was chosen: `app.v1` in the first and the third form, and in the second form `bearer`, which stays in the
/// request as a protocol without a secret. Browsers let pages of any origin open a WebSocket. This is harmless here, because a page of
/// another origin does not have the token.
///
/// No such entry is [`Found::Absent`], one without a token [`Found::Malformed`], two are [`Found::Several`].
///
/// ```
/// use http::Request;
/// use portcullis::location::{Found, RequestHead, RequestHeadMut, TokenLocation, WebSocketSubprotocol};
///
/// let location = WebSocketSubprotocol::after("bearer")?;
/// let mut request = Request::get("/").header("sec-websocket-protocol", "bearer, a.b.c").body(())?;
/// assert!(matches!(location.find(RequestHead::from(&request)), Found::Token(token) if *token == *b"a.b.c"));
///
/// location.strip(&mut RequestHeadMut::from(&mut request));
/// assert_eq!(request.headers()["sec-websocket-protocol"], "bearer"); // for the inner service to choose
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct WebSocketSubprotocol {
    form: Form,
    is_encoded: bool,
}

/// Where the token is.
#[derive(Clone, Debug)]
enum Form {
    /// In the entry with this prefix.
    Prefix(Cow<'static, str>),
    /// In the entry after the one with this name.
    After(Cow<'static, str>),
}

/// The prefix that the Kubernetes API server uses.
const KUBERNETES: &str = "base64url.bearer.authorization.k8s.io.";

impl WebSocketSubprotocol {
    /// Reads the entry that starts with `bearer.`.
    pub const fn new() -> Self {
        Self { form: Form::Prefix(Cow::Borrowed("bearer.")), is_encoded: false }
    }

    /// Reads the entry after the one that is `name`, compared exactly: `["bearer", token]`.
    ///
    /// Let the inner service choose `name` as the connection's protocol.
    ///
    /// # Errors
    ///
    /// If `name` cannot be the name of a subprotocol (RFC 6455 section 4.1).
    pub fn after(name: impl Into<Cow<'static, str>>) -> Result<Self, ConfigError> {
        let name = name.into();
        check_token("the name of a WebSocket subprotocol", &name)?;
        Ok(Self { form: Form::After(name), is_encoded: false })
    }

    /// Reads the entry that starts with `base64url.bearer.authorization.k8s.io.`. The token follows in base64url without padding, as
    /// clients of the Kubernetes API server write it.
    pub const fn kubernetes() -> Self {
        Self { form: Form::Prefix(Cow::Borrowed(KUBERNETES)), is_encoded: true }
    }

    /// Sets the prefix of the entry, compared exactly. Defaults to `bearer.`.
    ///
    /// # Errors
    ///
    /// If `prefix` cannot be part of a subprotocol's name (RFC 6455 section 4.1), or is empty.
    pub fn prefix(mut self, prefix: impl Into<Cow<'static, str>>) -> Result<Self, ConfigError> {
        let prefix = prefix.into();
        check_token("the prefix of a WebSocket subprotocol", &prefix)?;
        self.form = Form::Prefix(prefix);
        Ok(self)
    }

    /// Returns the entries in their order, classified. Empty entries are skipped (RFC 9110 section 5.6.1).
    fn entries<'r>(&self, headers: &'r HeaderMap) -> impl Iterator<Item = Entry<'r>> {
        let mut scanner = Scanner { form: &self.form, is_next: false };
        let values = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter();
        values.flat_map(split).filter(|entry| !entry.is_empty()).map(move |entry| scanner.tell(entry))
    }

    /// Returns the credential of one of our entries, or what is wrong with it.
    fn credential<'r>(&self, text: &'r [u8]) -> Found<'r> {
        if !self.is_encoded {
            return Found::Token(text.into());
        }
        match URL_SAFE_NO_PAD.decode(text) {
            Ok(decoded) => Found::Token(decoded.into()),
            Err(_) => Found::Malformed("the subprotocol's credential is not base64url without padding"),
        }
    }

    /// Returns a line without the entries that contain credentials; `None` if nothing is left.
    fn without_ours(scanner: &mut Scanner<'_>, line: &HeaderValue) -> Option<HeaderValue> {
        let entries = || split(line).filter(|entry| !entry.is_empty());
        let others: Vec<_> = entries().filter(|entry| !matches!(scanner.tell(entry), Entry::Ours(_))).collect();
        if others.len() == entries().count() {
            return Some(line.clone());
        }
        (!others.is_empty()).then(|| HeaderValue::from_bytes(&others.join(&b", "[..])).ok())?
    }
}

impl Default for WebSocketSubprotocol {
    fn default() -> Self {
        Self::new()
    }
}

impl TokenLocation for WebSocketSubprotocol {
    fn find<'r>(&self, head: RequestHead<'r>) -> Found<'r> {
        let (mut found, mut markers) = (None, 0);
        for entry in self.entries(head.headers) {
            match entry {
                Entry::Ours(_) if found.is_some() => return Found::Several,
                Entry::Ours(credential) => found = Some(credential),
                Entry::Marker => markers += 1,
                Entry::Other => {}
            }
        }
        match found {
            _ if markers > 1 => Found::Several,
            Some(credential) => self.credential(credential),
            None if markers == 1 => Found::Malformed("the subprotocol that announces a token is not followed by one"),
            None => Found::Absent,
        }
    }

    fn strip(&self, request: &mut RequestHeadMut<'_>) {
        let headers = request.headers_mut();
        let mut scanner = Scanner { form: &self.form, is_next: false };
        let lines = headers.get_all(SEC_WEBSOCKET_PROTOCOL);
        let others: Vec<_> = lines.iter().filter_map(|line| Self::without_ours(&mut scanner, line)).collect();
        headers.remove(SEC_WEBSOCKET_PROTOCOL);
        for line in others {
            headers.append(SEC_WEBSOCKET_PROTOCOL, line);
        }
    }

    fn info(&self) -> LocationInfo {
        let name = match &self.form {
            Form::Prefix(prefix) => format!("websocket subprotocol {prefix}…"),
            Form::After(name) => format!("websocket subprotocol after {name}"),
        };
        LocationInfo::new(name).with_caching(ResponseCaching::Untouched)
    }
}

/// The classification of an entry.
enum Entry<'r> {
    /// It contains this credential.
    Ours(&'r [u8]),
    /// It says that the next entry contains the credential.
    Marker,
    Other,
}

/// Classifies entries, given one after the other.
struct Scanner<'f> {
    form: &'f Form,
    is_next: bool,
}

impl Scanner<'_> {
    fn tell<'r>(&mut self, entry: &'r [u8]) -> Entry<'r> {
        match self.form {
            Form::Prefix(prefix) => entry.strip_prefix(prefix.as_bytes()).map_or(Entry::Other, Entry::Ours),
            Form::After(name) if entry == name.as_bytes() => {
                self.is_next = true;
                Entry::Marker
            }
            Form::After(_) if std::mem::take(&mut self.is_next) => Entry::Ours(entry),
            Form::After(_) => Entry::Other,
        }
    }
}

fn split(value: &HeaderValue) -> impl Iterator<Item = &[u8]> {
    value.as_bytes().split(|&byte| byte == b',').map(<[u8]>::trim_ascii)
}
