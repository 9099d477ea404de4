//! The HTTP client (feature `reqwest`).

use std::time::Duration;

use http::{Request, Response};
use portcullis_core::ConfigError;
use reqwest::{Certificate, Client, ClientBuilder, redirect::Policy};

use crate::{Fetch, FetchError, MAX_DOCUMENT_LEN, document::ATTEMPT_LIMIT, url};

/// What a connection may take. An issuer that does not answer by then is better asked again.
const CONNECT_LIMIT: Duration = Duration::from_secs(2);

/// Fetches by reqwest with rustls: certificates checked against the machine's trust store, no redirects, no content coding,
/// 2 s to connect and 5 s in all.
///
/// Proxies are taken from the environment (`HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`), but not for what is on this machine itself:
/// that may be asked for without encryption because it never leaves the machine.
#[derive(Clone, Debug)]
pub struct HttpClient {
    outward: Client,
    inward: Client,
}

impl HttpClient {
    /// A client that trusts what the machine trusts.
    ///
    /// # Errors
    ///
    /// If TLS cannot be set up.
    pub fn new() -> Result<Self, ConfigError> {
        Self::build(builder)
    }

    /// A client that trusts these certificate authorities as well: for an issuer within one's own walls.
    ///
    /// `pem` holds one or several certificates.
    ///
    /// # Errors
    ///
    /// If it holds none that can be read, or TLS cannot be set up.
    pub fn with_root_certificates(pem: impl AsRef<[u8]>) -> Result<Self, ConfigError> {
        let certificates = Certificate::from_pem_bundle(pem.as_ref()).unwrap_or_default();
        if certificates.is_empty() {
            return Err(ConfigError::new(
                "the root certificates: there is no certificate in it that can be read; PEM is wanted, as in `-----BEGIN \
                 CERTIFICATE-----`",
            ));
        }
        Self::build(|| builder().tls_certs_merge(certificates.clone()))
    }

    fn build(builder: impl Fn() -> ClientBuilder) -> Result<Self, ConfigError> {
        let failed = |error: reqwest::Error| {
            ConfigError::new(format!("the client that fetches keys cannot be made: {}", chain(&error)))
        };
        let (outward, inward) = (builder().build(), builder().no_proxy().build());
        Ok(Self { outward: outward.map_err(failed)?, inward: inward.map_err(failed)? })
    }
}

fn builder() -> ClientBuilder {
    Client::builder()
        .user_agent(concat!("portcullis/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_LIMIT)
        .timeout(ATTEMPT_LIMIT)
        .redirect(Policy::none())
        // Fetches are minutes apart: a connection that was kept would be dead by then.
        .pool_max_idle_per_host(0)
}

impl Fetch for HttpClient {
    async fn fetch(&self, request: Request<()>) -> Result<Response<Vec<u8>>, FetchError> {
        let (head, ()) = request.into_parts();
        let client = if url::is_loopback(&head.uri) { &self.inward } else { &self.outward };
        let request = client.request(head.method, head.uri.to_string()).headers(head.headers);
        let mut response = request.send().await.map_err(failed)?;
        let too_long = |length: u64| usize::try_from(length).map_or(true, |length| length > MAX_DOCUMENT_LEN);
        if response.content_length().is_some_and(too_long) {
            return Err(FetchError::too_large());
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > MAX_DOCUMENT_LEN {
                return Err(FetchError::too_large());
            }
            body.extend_from_slice(&chunk);
        }
        let mut whole = Response::new(body);
        *whole.status_mut() = response.status();
        *whole.headers_mut() = std::mem::take(response.headers_mut());
        Ok(whole)
    }
}

fn failed(error: reqwest::Error) -> FetchError {
    // What was asked for is in the error already.
    let error = error.without_url();
    // Without a connection nobody was slow to answer.
    let slow = error.is_timeout() && !error.is_connect();
    if slow {
        FetchError::timed_out(ATTEMPT_LIMIT)
    } else if chain(&error).contains("UnknownIssuer") {
        FetchError::untrusted(error)
    } else {
        FetchError::unreachable(error)
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
