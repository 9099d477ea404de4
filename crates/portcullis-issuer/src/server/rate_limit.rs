//! [`EndpointAttempt`]: what a limit of requests decides about.

use std::{fmt, time::Duration};

use super::{AuthorizationServer, Endpoint, EndpointRequest, OAuthError, OAuthErrorCode};

/// A request to an endpoint, for the application to limit how many there are: see
/// [`rate_limit`](super::AuthorizationServerBuilder::rate_limit). `Debug` shows the endpoint alone.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct EndpointAttempt<'a> {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// The client that the request names, or the service at the introspection endpoint. It has proven nothing yet, so that anyone can use up the
    /// limit of a client: limit by the network as well, and be generous here. `None` if the request names none, or one of more than
    /// 255 bytes, which no session can have.
    pub client_id: Option<&'a str>,
    /// The user whom it is about, if that is known. A token exchange is asked about a second time, when client and user are proven.
    pub subject: Option<&'a str>,
    /// Where the request comes from, as the caller of the endpoint has set it ([`EndpointRequest::network`]); from the ready routes, the network of the
    /// `routes::PeerAddress` that the application has put into the request (an address of IPv4, or a /64 of IPv6). `None` if it has not: decide about such
    /// requests together, or limit them elsewhere.
    pub network: Option<&'a str>,
}

/// A refusal because there were too many requests, and after how long there may be another: `Retry-After`, in whole seconds, rounded up, at
/// least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryAfter(Duration);

impl RetryAfter {
    /// Returns the refusal until `wait` is over.
    pub fn new(wait: Duration) -> Self {
        let begun = u64::from(wait.subsec_nanos() > 0);
        Self(Duration::from_secs(wait.as_secs().saturating_add(begun).max(1)))
    }
}

/// No longer name can be kept and revoked.
const MOST_BYTES_OF_A_NAME: usize = 255;

pub(super) type Limit = dyn Fn(&EndpointAttempt<'_>) -> Result<(), RetryAfter> + Send + Sync;

impl AuthorizationServer {
    /// Asks the application's limit.
    pub(crate) fn check_rate(
        &self,
        endpoint: Endpoint,
        request: &EndpointRequest<'_>,
        client_id: Option<&str>,
        subject: Option<&str>,
    ) -> Result<(), OAuthError> {
        let Some(limit) = &self.0.rate_limit else { return Ok(()) };
        // Otherwise a limit that keeps a count for each name keeps names of 64 KiB, which no client has.
        let client_id = client_id.filter(|client_id| client_id.len() <= MOST_BYTES_OF_A_NAME);
        let attempt = EndpointAttempt { endpoint, client_id, subject, network: request.origin() };
        limit(&attempt).map_err(|RetryAfter(wait)| {
            OAuthError::new(OAuthErrorCode::TooManyRequests, "there are too many requests: try again later")
                .with_retry_after(wait)
        })
    }
}

impl fmt::Debug for EndpointAttempt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndpointAttempt").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}
