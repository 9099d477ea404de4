//! The HTTP client (feature `reqwest`).

mod credential;
mod failure;

use std::{path::PathBuf, time::Duration};

use http::{Request, Response, uri::Scheme};
use portcullis_core::{ConfigError, text::LogText};
use reqwest::{Certificate, Client, ClientBuilder, redirect::Policy};

use self::{
    credential::Credential,
    failure::{no_end, no_response},
};
use crate::{DocumentLimit, Fetch, FetchError, document::ATTEMPT_LIMIT, url};

/// The time limit for connecting. If an issuer does not answer within this time, a new attempt is more likely to succeed.
const CONNECT_LIMIT: Duration = Duration::from_secs(2);

/// Fetches with reqwest and rustls: certificates are checked against the machine's trust store, no redirects, no content coding, 2 s to
/// connect and 5 s in total.
///
/// Proxies are taken from the environment (`HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`). They are not used for URLs on this machine, nor for
/// unencrypted URLs, which are allowed only where no other party is in between.
///
/// **Use a client with a credential for one source only.** Another source's issuer chooses the URL of its key set, so it could have the
/// credential sent to any path of the credential's host. Give that source a client without one.
///
/// Some issuers give their keys only to known clients, for example a Kubernetes API server that does not allow anonymous requests. The
/// client can send such an issuer an HTTP header or a token:
///
/// ```no_run
/// use portcullis_jwks::{HttpClient, RemoteKeys};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let folder = "/var/run/secrets/kubernetes.io/serviceaccount";
/// let server = "https://kubernetes.default.svc";
/// let client = HttpClient::with_root_certificates(std::fs::read(format!("{folder}/ca.crt"))?)?
///     .bearer_token_file(server, format!("{folder}/token"))?;
/// let keys = RemoteKeys::from_url(format!("{server}/openid/v1/jwks")).fetch(client).start()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct HttpClient {
    outward: Client,
    inward: Client,
    credentials: Vec<Credential>,
}

impl HttpClient {
    /// Returns a client that trusts the machine's certificate authorities.
    ///
    /// # Errors
    ///
    /// If TLS cannot be set up.
    pub fn new() -> Result<Self, ConfigError> {
        Self::build(builder)
    }

    /// Returns a client that also trusts these certificate authorities, for an internal issuer.
    ///
    /// `pem` contains one or more certificates.
    ///
    /// # Errors
    ///
    /// If `pem` contains no readable certificate, or TLS cannot be set up.
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

    /// Sends this HTTP header to one origin (`https://keys.example.com`, with its port if that is not 443), and to no other. Defaults to
    /// none. Each call adds one header.
    ///
    /// The value is treated as a secret: no log and no `Debug` output shows it.
    ///
    /// # Errors
    ///
    /// If `origin` is not an origin, or is not encrypted; if an HTTP header cannot have this name or value.
    pub fn header(
        mut self,
        origin: impl AsRef<str>,
        name: impl AsRef<str>,
        value: impl AsRef<str>,
    ) -> Result<Self, ConfigError> {
        self.credentials.push(Credential::header(origin.as_ref(), name.as_ref(), value.as_ref())?);
        Ok(self)
    }

    /// Sends the token in this file as `Authorization: Bearer` to one origin (`https://kubernetes.default.svc`), and to no other.
    /// Defaults to none.
    ///
    /// The file is read for each request, because such tokens are replaced while the service runs. It contains one token of at most 16
    /// KiB; white space around it is ignored. While it cannot be read, fetches fail with
    /// [`FetchErrorKind::Credential`](crate::FetchErrorKind::Credential).
    ///
    /// # Errors
    ///
    /// If `origin` is not an origin, or is not encrypted.
    pub fn bearer_token_file(mut self, origin: impl AsRef<str>, path: impl Into<PathBuf>) -> Result<Self, ConfigError> {
        self.credentials.push(Credential::token_file(origin.as_ref(), path.into())?);
        Ok(self)
    }

    fn build(builder: impl Fn() -> ClientBuilder) -> Result<Self, ConfigError> {
        let failed = |error: reqwest::Error| {
            ConfigError::new(format!(
                "the HTTP client for fetching keys cannot be created: {}",
                LogText::of_error(&error)
            ))
        };
        let (outward, inward) = (builder().build(), builder().no_proxy().build());
        Ok(Self { outward: outward.map_err(failed)?, inward: inward.map_err(failed)?, credentials: Vec::new() })
    }
}

fn builder() -> ClientBuilder {
    Client::builder()
        .user_agent(concat!("portcullis/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_LIMIT)
        .timeout(ATTEMPT_LIMIT)
        .redirect(Policy::none())
        // Fetches are minutes apart, so a kept connection would have been closed.
        .pool_max_idle_per_host(0)
}

impl Fetch for HttpClient {
    async fn fetch(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, FetchError> {
        let limit = DocumentLimit::of(&request);
        let (mut head, body) = request.into_parts();
        for credential in &self.credentials {
            credential.add_to(&head.uri, &mut head.headers).await?;
        }
        let stays_inside = url::is_loopback(&head.uri) || head.uri.scheme() == Some(&Scheme::HTTP);
        let client = if stays_inside { &self.inward } else { &self.outward };
        let mut request = client.request(head.method, head.uri.to_string()).headers(head.headers);
        if !body.is_empty() {
            request = request.body(body);
        }
        let mut response = request.send().await.map_err(no_response)?;
        let too_long = |length: u64| usize::try_from(length).map_or(true, |length| length > limit);
        if response.content_length().is_some_and(too_long) {
            return Err(FetchError::longer_than(limit));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(no_end)? {
            if body.len() + chunk.len() > limit {
                return Err(FetchError::longer_than(limit));
            }
            body.extend_from_slice(&chunk);
        }
        let mut whole = Response::new(body);
        *whole.status_mut() = response.status();
        *whole.headers_mut() = std::mem::take(response.headers_mut());
        Ok(whole)
    }
}
