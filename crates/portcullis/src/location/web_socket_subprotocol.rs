//! A WebSocket subprotocol.

use std::borrow::Cow;

use http::{HeaderValue, header::SEC_WEBSOCKET_PROTOCOL};
use portcullis_core::ConfigError;

use super::{Caching, Found, LocationInfo, RequestHead, RequestHeadMut, TokenLocation, b64token};
use crate::challenge::check_token;

/// An entry of `Sec-WebSocket-Protocol`: `app.v1, bearer.<token>`.
///
/// The one HTTP header that a browser lets a page set on a WebSocket:
///
/// ```js
/// new WebSocket(url, ["app.v1", `bearer.${token}`])
/// ```
///
/// The entry is taken out of the request before the inner service sees it, so that it is never chosen and sent back. Let
/// clients offer a real protocol beside it, and choose that one: a browser that offered protocols drops a connection
/// for which none was chosen. Browsers let pages of any origin open a WebSocket; a page of another origin does not have
/// the token, so that is no harm here.
///
/// No such entry is [`Found::Absent`], one without a token after the prefix [`Found::Malformed`], two are
/// [`Found::Several`].
#[derive(Clone, Debug)]
pub struct WebSocketSubprotocol {
    prefix: Cow<'static, str>,
}

impl WebSocketSubprotocol {
    /// An entry that starts with `bearer.`.
    pub const fn new() -> Self {
        Self { prefix: Cow::Borrowed("bearer.") }
    }

    /// Sets what the entry starts with, compared exactly. Defaults to `bearer.`.
    ///
    /// # Errors
    ///
    /// If `prefix` cannot be part of a subprotocol's name (RFC 6455 section 4.1), or is empty.
    pub fn prefix(mut self, prefix: impl Into<Cow<'static, str>>) -> Result<Self, ConfigError> {
        self.prefix = prefix.into();
        check_token("the prefix of a WebSocket subprotocol", &self.prefix)?;
        Ok(self)
    }

    fn after_prefix<'r>(&self, entry: &'r [u8]) -> Option<&'r [u8]> {
        entry.strip_prefix(self.prefix.as_bytes())
    }

    /// The value without our entries; `None` if nothing is left.
    fn without_ours(&self, value: &HeaderValue) -> Option<HeaderValue> {
        if entries(value).all(|entry| self.after_prefix(entry).is_none()) {
            return Some(value.clone());
        }
        // Empty entries count for nothing (RFC 9110 section 5.6.1).
        let others: Vec<_> =
            entries(value).filter(|entry| !entry.is_empty() && self.after_prefix(entry).is_none()).collect();
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
        let values = head.headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter();
        let mut ours = values.flat_map(entries).filter_map(|entry| self.after_prefix(entry));
        match (ours.next(), ours.next()) {
            (None, _) => Found::Absent,
            (Some(credential), None) => b64token::credential(credential),
            (Some(_), Some(_)) => Found::Several,
        }
    }

    fn strip(&self, request: &mut RequestHeadMut<'_>) {
        let headers = request.headers_mut();
        let values = headers.get_all(SEC_WEBSOCKET_PROTOCOL);
        let others: Vec<_> = values.iter().filter_map(|value| self.without_ours(value)).collect();
        headers.remove(SEC_WEBSOCKET_PROTOCOL);
        for value in others {
            headers.append(SEC_WEBSOCKET_PROTOCOL, value);
        }
    }

    fn info(&self) -> LocationInfo {
        LocationInfo::new(format!("websocket subprotocol {}…", self.prefix)).with_caching(Caching::Untouched)
    }
}

fn entries(value: &HeaderValue) -> impl Iterator<Item = &[u8]> {
    value.as_bytes().split(|&byte| byte == b',').map(<[u8]>::trim_ascii)
}
