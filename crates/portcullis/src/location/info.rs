//! [`LocationInfo`]: describes a location.

use std::borrow::Cow;

/// Describes a [`TokenLocation`](super::TokenLocation) for programs and people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocationInfo {
    name: Cow<'static, str>,
    bearer_method: Option<BearerMethod>,
    caching: ResponseCaching,
}

impl LocationInfo {
    /// Returns the description of a location with this name, without a registered method, whose responses are private.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), bearer_method: None, caching: ResponseCaching::Private }
    }

    /// Sets which of the registered methods the location is. Defaults to none of them.
    #[must_use]
    pub fn with_bearer_method(mut self, method: BearerMethod) -> Self {
        self.bearer_method = Some(method);
        self
    }

    /// Sets what shared caches may do with the response. Defaults to [`ResponseCaching::Private`], the safe value.
    #[must_use]
    pub fn with_caching(mut self, caching: ResponseCaching) -> Self {
        self.caching = caching;
        self
    }

    /// Returns a name for people, such as `cookie session`. It appears in the printed list of routes.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the registered method of the location, for `bearer_methods_supported` (RFC 9728 section 2).
    pub fn bearer_method(&self) -> Option<BearerMethod> {
        self.bearer_method
    }

    /// Returns what shared caches may do with a response to a request whose credential was here.
    pub fn caching(&self) -> ResponseCaching {
        self.caching
    }
}

/// The ways to present a bearer token that RFC 6750 defines, as RFC 9728 section 2 names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BearerMethod {
    /// The `Authorization` header (RFC 6750 section 2.1).
    Header,
    /// A form-encoded body (RFC 6750 section 2.2).
    Body,
    /// The query of the URI (RFC 6750 section 2.3).
    Query,
}

impl BearerMethod {
    /// The registered name: `header`, `body` or `query`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Body => "body",
            Self::Query => "query",
        }
    }
}

/// What shared caches may do with a response, as far as it depends on the location of the credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ResponseCaching {
    /// Nothing has to be added, because HTTP itself keeps the response out of shared caches.
    ///
    /// This is the case for `Authorization` (RFC 9111 section 3.5), for `POST` and for a protocol upgrade.
    Untouched,
    /// The response needs `Cache-Control: private`, because a cache cannot know that it is private.
    ///
    /// RFC 6750 section 2.3 requires it if the token is in the query. The same holds for cookies and for HTTP headers that caches do not
    /// know.
    Private,
}
