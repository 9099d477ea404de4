//! [`QueryParameter`]: a query parameter that contains the credential.

use std::borrow::Cow;

use http::{Uri, uri::PathAndQuery};
use portcullis_core::ConfigError;

use super::{
    BearerMethod, Found, LocationInfo, RequestHead, RequestHeadMut, ResponseCaching, TokenLocation, urlencoded,
};

/// A parameter of the query: `?access_token=…` (RFC 6750 section 2.3).
///
/// **Queries are recorded**: in logs of servers and proxies, in the browser's history, in `Referer`. Use this only for requests that
/// cannot have headers (a download link, an event source), and with tokens that live for minutes. RFC 9700 section 4.3.2 tells clients
/// not to use it.
///
/// Before the inner service gets the request, the parameter is removed from its URI; the others stay byte for byte. Copies that outer
/// layers made before (a trace span, axum's `OriginalUri`) still contain it. Responses get `Cache-Control: private`.
///
/// | query | found |
/// |---|---|
/// | no such parameter | [`Found::Absent`] |
/// | once, and percent-decoded a `b64token` | [`Found::Token`] |
/// | without a value, with a stray `%`, with `+` (a space in a query) | [`Found::Malformed`] |
/// | twice, even if equal | [`Found::Several`] |
#[derive(Clone, Debug)]
pub struct QueryParameter {
    name: Cow<'static, str>,
}

impl QueryParameter {
    /// Returns the location for the parameter with this name: `QueryParameter::new("access_token")`. The name is compared exactly after
    /// percent-decoding.
    ///
    /// # Errors
    ///
    /// If `name` is empty.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Result<Self, ConfigError> {
        let name = name.into();
        urlencoded::check_name("the name of a query parameter", &name)?;
        Ok(Self { name })
    }
}

impl TokenLocation for QueryParameter {
    fn find<'r>(&self, head: RequestHead<'r>) -> Found<'r> {
        let query = head.uri.query().unwrap_or_default();
        urlencoded::find(query.as_bytes(), &self.name)
    }

    fn strip(&self, request: &mut RequestHeadMut<'_>) {
        let uri = request.uri_mut();
        if let Some(query) = uri.query() {
            let others = urlencoded::without(query.as_bytes(), &self.name);
            *uri = with_query(uri, others);
        }
    }

    fn info(&self) -> LocationInfo {
        LocationInfo::new(format!("query parameter {}", self.name))
            .with_bearer_method(BearerMethod::Query)
            .with_caching(ResponseCaching::Private)
    }
}

fn with_query(uri: &Uri, query: Option<Vec<u8>>) -> Uri {
    let mut target = uri.path().as_bytes().to_vec();
    if let Some(query) = query {
        target.push(b'?');
        target.extend(query);
    }
    let mut parts = uri.clone().into_parts();
    // Parts of a valid URI form a valid URI, so this does not fail; if it did, the credential would still be removed.
    parts.path_and_query = Some(PathAndQuery::try_from(target).unwrap_or_else(|_| PathAndQuery::from_static("/")));
    Uri::from_parts(parts).unwrap_or_default()
}
