//! What is known about a location without a request at hand.

use std::borrow::Cow;

/// What a program or a person may want to know about a [`TokenLocation`](super::TokenLocation).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocationInfo {
    name: Cow<'static, str>,
    bearer_method: Option<BearerMethod>,
    caching: Caching,
}

impl LocationInfo {
    /// A location of that name, without a registered method, whose responses are for the caller only.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), bearer_method: None, caching: Caching::Private }
    }

    /// Says which of the registered methods the location is. Defaults to none of them.
    #[must_use]
    pub fn with_bearer_method(mut self, method: BearerMethod) -> Self {
        self.bearer_method = Some(method);
        self
    }

    /// Says what shared caches may do with the response. Defaults to [`Caching::Private`], the safe one.
    #[must_use]
    pub fn with_caching(mut self, caching: Caching) -> Self {
        self.caching = caching;
        self
    }

    /// A name for people, such as `cookie session`; it stands in the printed list of routes.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The registered method that the location is, for `bearer_methods_supported` (RFC 9728 section 2).
    pub fn bearer_method(&self) -> Option<BearerMethod> {
        self.bearer_method
    }

    /// What shared caches may do with a response to a request whose credential was here.
    pub fn caching(&self) -> Caching {
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

/// What shared caches may do with a response, as far as the credential's place decides it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Caching {
    /// HTTP itself keeps the response out of shared caches; nothing is to be added.
    ///
    /// So it is for `Authorization` (RFC 9111 section 3.5), for `POST` and for a protocol upgrade.
    Untouched,
    /// A cache cannot tell that the response is one person's: it needs `Cache-Control: private`.
    ///
    /// RFC 6750 section 2.3 asks for it when the token is in the query. The same holds for cookies and for HTTP headers
    /// that caches know nothing about.
    Private,
}
