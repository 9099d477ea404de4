//! [`EndpointRequest`]: what a client sends to an endpoint.

use std::fmt;

use super::{OAuthError, parameters::Parameters};

/// What a client sends to the token endpoint, or to another one with a form: the body, and the `Authorization` header.
///
/// ```
/// use portcullis_issuer::server::EndpointRequest;
///
/// let request = EndpointRequest::new(b"grant_type=client_credentials").authorization("Basic d29ya2VyOnNlY3JldA==");
/// ```
#[derive(Clone, Copy)]
#[must_use]
pub struct EndpointRequest<'a> {
    body: &'a [u8],
    authorization: Option<&'a str>,
    network: Option<&'a str>,
}

impl<'a> EndpointRequest<'a> {
    /// How long a body is, at most, in bytes: 64 KiB. Read no more.
    pub const MOST_BYTES: usize = super::parameters::MOST_BYTES;

    /// Returns the request with this body, which is `application/x-www-form-urlencoded`. Refuse any other type, and any method but `POST`.
    pub const fn new(body: &'a [u8]) -> Self {
        Self { body, authorization: None, network: None }
    }

    /// Sets the value of the `Authorization` header. Refuse a request that has several.
    pub const fn authorization(self, value: &'a str) -> Self {
        Self { authorization: Some(value), ..self }
    }

    /// Sets where the request comes from, for a [limit](super::AuthorizationServerBuilder::rate_limit): an address, or the network of one. A
    /// client can write what it wants into `X-Forwarded-For`, so use it only from a proxy of yours. Defaults to none.
    pub const fn network(self, network: &'a str) -> Self {
        Self { network: Some(network), ..self }
    }

    pub(super) fn parameters(&self) -> Result<Parameters, OAuthError> {
        Parameters::parse(self.body)
    }

    pub(super) const fn origin(&self) -> Option<&'a str> {
        self.network
    }

    pub(super) const fn header(&self) -> Option<&'a str> {
        self.authorization
    }
}

/// Shows how long the body is: it has codes, tokens and secrets.
impl fmt::Debug for EndpointRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndpointRequest").field("bytes", &self.body.len()).finish_non_exhaustive()
    }
}
